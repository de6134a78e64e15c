"""The SQL of dead letters, named. Times of acts are PostgreSQL's, from `saga_now()`."""

from __future__ import annotations

__all__ = [
    "ACT",
    "ACTS",
    "APPLIED",
    "BRIEF",
    "CAME_BACK",
    "CLEAR",
    "GROUPS",
    "INSERT",
    "LOCK",
    "MOVE",
    "OFFSETS",
    "ORIGINS",
    "PLACES",
    "REDO",
    "SELECT",
    "STATS",
    "STRAYS",
    "UNLOCK",
    "WHERE",
]

# One command reads the topics at a time. A lock of the session, because it is held over many transactions.
LOCK = "SELECT pg_try_advisory_lock(7226471)"
UNLOCK = "SELECT pg_advisory_unlock(7226471)"

OFFSETS = "SELECT topic, partition, next_offset FROM dead_letter_offset"

MOVE = """
INSERT INTO dead_letter_offset (topic, partition, next_offset)
SELECT * FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(nexts)b::bigint[])
ON CONFLICT (topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
"""

# A second copy of a letter is dropped. The saga says which definition a letter of a system's topic belongs to.
INSERT = """
INSERT INTO dead_letter (topic, partition, "offset", identity, key, value, headers, reason, stage, original_topic,
                         failed_at, message, consumer_group, attempts, saga_id, step, direction, definition, system,
                         version, origin, replay_of, replay_count)
SELECT u.topic, u.partition, u."offset", u.identity, u.key, u.value, u.headers, u.reason, u.stage, u.original_topic,
       u.failed_at, u.message, u.consumer_group, u.attempts, u.saga_id, u.step, u.direction,
       coalesce(u.definition, (SELECT s.definition FROM saga s WHERE s.id = u.saga_id)), u.system,
       u.version, u.origin, u.replay_of, u.replay_count
FROM unnest(%(topic)b::text[], %(partition)b::int[], %(offset)b::bigint[], %(identity)b::uuid[], %(key)b::bytea[],
            %(value)b::bytea[], %(headers)b::bytea[], %(reason)b::text[], %(stage)b::text[],
            %(original_topic)b::text[], %(failed_at)b::timestamptz[], %(message)b::text[],
            %(consumer_group)b::text[], %(attempts)b::bigint[], %(saga_id)b::uuid[], %(step)b::text[],
            %(direction)b::text[], %(definition)b::text[], %(system)b::text[], %(version)b::bigint[],
            %(origin)b::text[], %(replay_of)b::uuid[], %(replay_count)b::bigint[])
     AS u(topic, partition, "offset", identity, key, value, headers, reason, stage, original_topic, failed_at,
          message, consumer_group, attempts, saga_id, step, direction, definition, system, version, origin, replay_of,
          replay_count)
ON CONFLICT DO NOTHING
"""

# What the acts of these letters come to. After a rebuild, and after each act: one rule in one place.
REDO = """
WITH act AS (
    SELECT identity, id, kind, edited, edited_headers FROM dead_letter_act WHERE identity = ANY(%(identities)s)
), told AS (
    SELECT identity,
           (array_agg(kind ORDER BY id DESC) FILTER (WHERE kind <> 'replaying'))[1] AS last,
           (array_agg(edited ORDER BY id DESC) FILTER (WHERE edited IS NOT NULL))[1] AS edited,
           (array_agg(edited_headers ORDER BY id DESC) FILTER (WHERE edited_headers IS NOT NULL))[1] AS edited_headers,
           count(*) FILTER (WHERE kind = 'replayed') AS replays
    FROM act GROUP BY identity
)
UPDATE dead_letter l
SET state = coalesce(t.last, 'open'), edited = t.edited, edited_headers = t.edited_headers, replays = t.replays
FROM told t WHERE l.identity = t.identity
"""

# What retention has taken from a topic is nowhere else: it stays.
CLEAR = """
DELETE FROM dead_letter l WHERE NOT EXISTS (
    SELECT FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(lows)b::bigint[]) AS e(topic, partition, low)
    WHERE e.topic = l.topic AND e.partition = l.partition AND l."offset" < e.low
)
"""

ACT = """
INSERT INTO dead_letter_act (identity, topic, partition, "offset", kind, at, actor, reason, edit, new_saga_id, edited,
                             edited_headers)
SELECT u.identity, u.topic, u.partition, u."offset", %(kind)s, saga_now(), %(actor)s, %(reason)s, u.edit,
       u.new_saga_id, u.edited, u.edited_headers
FROM unnest(%(identities)b::uuid[], %(topics)b::text[], %(partitions)b::int[], %(offsets)b::bigint[],
            %(edits)b::text[], %(new_saga_ids)b::uuid[], %(editeds)b::bytea[],
            %(edited_headers)b::bytea[])
     AS u(identity, topic, partition, "offset", edit, new_saga_id, edited, edited_headers)
"""

ACTS = """
SELECT kind, at, actor, reason, edit, new_saga_id FROM dead_letter_act WHERE identity = %(identity)s ORDER BY id
"""

# The id that a new saga was first given stands in the acts; an edit makes another saga of it.
SELECT = """
SELECT l.topic, l.partition, l."offset", l.identity, l.key, l.value, l.headers, l.reason, l.stage, l.original_topic,
       l.failed_at, l.message, l.consumer_group, l.attempts, l.saga_id, l.step, l.direction, l.definition, l.system,
       l.version, l.origin, l.replay_of, l.replay_count, l.edited, l.state, l.replays,
       (SELECT count(*) FROM dead_letter b
        WHERE b.saga_id = l.saga_id AND b.step IS NOT DISTINCT FROM l.step AND b.stage = 'saga' AND l.stage = 'saga'
          AND b.version < l.version AND b.replays > 0) AS repeats,
       (SELECT a.new_saga_id FROM dead_letter_act a
        WHERE a.identity = l.identity AND a.new_saga_id IS NOT NULL
          AND a.id > coalesce((SELECT max(e.id) FROM dead_letter_act e
                               WHERE e.identity = l.identity AND e.kind = 'edited'), 0)
        ORDER BY a.id LIMIT 1) AS earlier,
       l.edited_headers
FROM dead_letter l
"""

# For lists: a value may be megabytes. 0x90 is no headers, packed.
BRIEF = SELECT.replace("l.key, l.value, l.headers", "NULL::bytea, NULL::bytea, '\\x90'::bytea").replace(
    "l.edited,", "NULL::bytea,"
)

# A header is found by its packed form: name and value as they stand in the message.
WHERE = """
WHERE (%(topic)s::text IS NULL OR l.topic = %(topic)s OR l.original_topic = %(topic)s)
  AND (%(system)s::text IS NULL OR l.system = %(system)s)
  AND (%(reason)s::text IS NULL OR l.reason = %(reason)s)
  AND (%(saga)s::uuid IS NULL OR l.saga_id = %(saga)s)
  AND (%(definition)s::text IS NULL OR l.definition = %(definition)s)
  AND (%(since)s::timestamptz IS NULL OR l.failed_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR l.failed_at < %(until)s)
  AND (%(offset)s::bigint IS NULL OR l."offset" = %(offset)s)
  AND (%(header)b::bytea IS NULL OR position(%(header)b in l.headers) > 0)
  AND (%(states)s::text[] IS NULL OR l.state = ANY(%(states)s))
"""

PLACES = """
JOIN unnest(%(topics)b::text[], %(partitions)b::int[], %(offsets)b::bigint[]) AS p(topic, partition, "offset")
  ON l.topic = p.topic AND l.partition = p.partition AND l."offset" = p."offset"
"""

GROUPS = f"""
SELECT l.reason, l.system, count(*), min(l.failed_at), max(l.failed_at) FROM dead_letter l
{WHERE}
GROUP BY l.reason, l.system ORDER BY count(*) DESC, min(l.failed_at)
"""  # noqa: S608 - no value is put into the text

STATS = """
SELECT topic, count(*), count(*) FILTER (WHERE state = 'open'), count(*) FILTER (WHERE state = 'edited'),
       count(*) FILTER (WHERE state = 'replayed'), count(*) FILTER (WHERE state = 'discarded'),
       count(*) FILTER (WHERE replay_count > 0), min(failed_at) FILTER (WHERE state IN ('open', 'edited'))
FROM dead_letter GROUP BY topic ORDER BY topic
"""

# Those that a replay publishes again, as `Letter.way` tells them: the others are told of by the saga that left them.
STRAYS = """
SELECT topic, reason, count(*), min(failed_at) FROM dead_letter
WHERE state IN ('open', 'edited')
  AND (stage <> 'saga' OR NOT (original_topic LIKE '%%.requests' OR original_topic LIKE '%%.commands'
                               OR original_topic = 'saga.control'))
GROUP BY topic, reason ORDER BY min(failed_at), topic, reason
"""

ORIGINS = """
SELECT origin, topic, partition, "offset" FROM dead_letter WHERE origin = ANY(%(origins)s)
"""

# A replayed message keeps the identity of its letter in a header; a continued saga parks again at a later revision; a
# new saga (version -1) leaves any letter at all.
CAME_BACK = """
SELECT DISTINCT u.identity
FROM unnest(%(identities)b::uuid[], %(saga_ids)b::uuid[], %(versions)b::bigint[]) AS u(identity, saga_id, version)
JOIN dead_letter n ON n.identity <> u.identity
 AND (n.replay_of = u.identity OR (n.saga_id = u.saga_id AND n.stage = 'saga' AND n.version > u.version
                                AND (u.version < 0 OR n.original_topic NOT LIKE '%%.requests')))
WHERE n.state IN ('open', 'edited')
"""

# The journal knows which messages have been applied, and the revision that each led to.
APPLIED = """
SELECT j.saga_id, j.cause_id, j.entry
FROM unnest(%(sagas)b::uuid[], %(causes)b::uuid[]) AS c(saga_id, cause_id)
JOIN journal j ON j.saga_id = c.saga_id AND j.cause_id = c.cause_id
WHERE j.saga_id BETWEEN %(low)s AND %(high)s
"""
