"""The coordinator's SQL, named. Times are PostgreSQL's, from `saga_now()`, which tests can shift."""

from __future__ import annotations

__all__ = [
    "ADOPT",
    "ANNOUNCE",
    "APPLIED",
    "FIRST_INPUT",
    "HOLD",
    "LIVE_DEFINITIONS",
    "LOCK",
    "OFFSETS",
    "OUTPUTS",
    "PROGRESS",
    "REGISTER_DEFINITION",
    "RELEASE",
    "TAKE_DUE",
    "TAKE_HELD",
    "WITHDRAW",
    "WRITE",
]

# Every statement over the partitioned tables names a range of ids beside the list: under a generic plan `= ANY`
# alone would scan all partitions.

# The time comes with the rows: one round trip less. The outer join gives it also where no saga exists yet.
LOCK = """
SELECT clock.now, s.id, s.definition, s.version, s.status, s.business_key, s.agent, s.request, s.state,
       s.revision, s.wake_at
FROM (SELECT saga_now() AS now) AS clock
LEFT JOIN LATERAL (
    SELECT * FROM saga
    WHERE id = ANY(%(ids)s) AND id BETWEEN %(low)s AND %(high)s
    ORDER BY id
    FOR UPDATE
) AS s ON true
"""

# After LOCK and apart from it: its snapshot must see what the previous holder of the locks committed.
APPLIED = """
SELECT j.saga_id, j.cause_id, j.outputs
FROM unnest(%(sagas)s::uuid[], %(causes)s::uuid[]) AS c(saga_id, cause_id)
JOIN journal j ON j.saga_id = c.saga_id AND j.cause_id = c.cause_id
WHERE j.saga_id BETWEEN %(low)s AND %(high)s
"""

# One statement for all that a batch changes; the counts tell whether every saga was as it had been read.
WRITE = """
WITH fresh AS (
    INSERT INTO saga (id, definition, version, status, business_key, agent, request, state, revision, wake_at,
                      created_at, updated_at, ended_at)
    SELECT id, definition, version, status, business_key, agent, request::json, state::json, revision, wake_at,
           %(now)s, %(now)s, CASE WHEN ended THEN %(now)s END
    FROM unnest(%(new_ids)b::uuid[], %(definitions)b::text[], %(versions)b::int[], %(new_statuses)b::text[],
                %(keys)b::text[], %(agents)b::text[], %(requests)b::text[], %(new_states)b::text[],
                %(new_revisions)b::bigint[], %(new_wakes)b::timestamptz[], %(new_ended)b::bool[])
         AS u(id, definition, version, status, business_key, agent, request, state, revision, wake_at, ended)
    RETURNING 1
), changed AS (
    UPDATE saga AS s
    SET status = u.status, state = u.state::json, revision = u.revision, wake_at = u.wake_at, updated_at = %(now)s,
        ended_at = CASE WHEN u.ended THEN coalesce(s.ended_at, %(now)s) END
    FROM unnest(%(ids)b::uuid[], %(befores)b::bigint[], %(statuses)b::text[], %(states)b::text[],
                %(revisions)b::bigint[], %(wakes)b::timestamptz[], %(ended)b::bool[])
         AS u(id, before, status, state, revision, wake_at, ended)
    WHERE s.id = u.id AND s.revision = u.before AND s.id BETWEEN %(low)s AND %(high)s
    RETURNING 1
), written AS (
    INSERT INTO journal (saga_id, cause_id, revision, at, entry, input, outputs)
    SELECT saga_id, cause_id, revision, %(now)s, entry::json, input, outputs
    FROM unnest(%(entry_sagas)b::uuid[], %(causes)b::uuid[], %(entry_revisions)b::bigint[], %(entries)b::text[],
                %(inputs)b::bytea[], %(outputs)b::bytea[])
         AS u(saga_id, cause_id, revision, entry, input, outputs)
    RETURNING 1
), moved AS (
    INSERT INTO input_offset (consumer_group, topic, partition, next_offset)
    SELECT %(group)s, topic, partition, next_offset
    FROM unnest(%(topics)b::text[], %(partitions)b::int[], %(nexts)b::bigint[]) AS u(topic, partition, next_offset)
    ORDER BY topic, partition
    ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset
    RETURNING 1
)
SELECT (SELECT count(*) FROM fresh), (SELECT count(*) FROM changed), (SELECT count(*) FROM written),
       (SELECT count(*) FROM moved)
"""

# The no-op update makes a row of a concurrent transaction visible to RETURNING.
ADOPT = """
INSERT INTO foreign_event (source, event_id, saga_id) VALUES (%(source)s, %(event_id)s, %(proposed)s)
ON CONFLICT (source, event_id) DO UPDATE SET source = EXCLUDED.source
RETURNING saga_id
"""

FIRST_INPUT = "SELECT input FROM journal WHERE saga_id = %(id)s ORDER BY revision LIMIT 1"

OUTPUTS = "SELECT outputs FROM journal WHERE saga_id = %(id)s AND outputs IS NOT NULL ORDER BY revision"

HOLD = """
INSERT INTO held_message (saga_id, cause_id, message, first_at, due_at)
VALUES (%(saga_id)s, %(cause_id)s, %(message)b, saga_now(), saga_now() + interval '5 seconds')
ON CONFLICT (saga_id, cause_id) DO UPDATE SET due_at = saga_now() + interval '5 seconds'
RETURNING saga_now() - first_at < make_interval(secs => %(seconds)s)
"""

RELEASE = """
DELETE FROM held_message h USING unnest(%(sagas)s::uuid[], %(causes)s::uuid[]) AS u(saga_id, cause_id)
WHERE h.saga_id = u.saga_id AND h.cause_id = u.cause_id
"""

OFFSETS = """
SELECT o.topic, o.partition, o.next_offset
FROM unnest(%(topics)s::text[], %(partitions)s::int[]) AS u(topic, partition)
JOIN input_offset o ON o.consumer_group = %(group)s AND o.topic = u.topic AND o.partition = u.partition
"""

PROGRESS = "SELECT topic, partition, next_offset FROM input_offset WHERE consumer_group = %(group)s"

REGISTER_DEFINITION = """
INSERT INTO definition (name, version, fingerprint) VALUES (%(name)s, %(version)s, %(fingerprint)s)
ON CONFLICT (name, version) DO UPDATE SET name = EXCLUDED.name
RETURNING fingerprint
"""

ANNOUNCE = """
INSERT INTO replica (id, definitions, seen_at) VALUES (%(id)s, %(definitions)s::json, saga_now())
ON CONFLICT (id) DO UPDATE SET definitions = EXCLUDED.definitions, seen_at = EXCLUDED.seen_at
"""

LIVE_DEFINITIONS = "SELECT definitions FROM replica WHERE seen_at > saga_now() - interval '10 seconds'"

WITHDRAW = "DELETE FROM replica WHERE id = %(id)s OR seen_at < saga_now() - interval '1 day'"

# `wake_at` moves 30 s ahead in the same statement, so that a lost wake is repeated and a read one is not.
TAKE_DUE = """
UPDATE saga SET wake_at = saga_now() + interval '30 seconds'
WHERE (id, wake_at) IN (
    SELECT id, wake_at FROM saga WHERE wake_at <= saga_now() ORDER BY wake_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING id
"""

TAKE_HELD = """
UPDATE held_message SET due_at = saga_now() + interval '5 seconds'
WHERE (saga_id, cause_id) IN (
    SELECT saga_id, cause_id FROM held_message WHERE due_at <= saga_now()
    ORDER BY due_at LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
RETURNING message, first_at, cause_id
"""
