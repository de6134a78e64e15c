"""What must hold after a run, simulated or on real processes: judged by the ledger of the systems, journal and topics.

Never by what the engine thinks of itself: its state is only held against what really happened. Whoever ran it gathers
the evidence; nothing here reads a database, a topic or a clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from orchestrator.core.state import TERMINAL, EffectStatus, Status
from orchestrator.messaging import topics
from orchestrator.messaging.message import Headers, Incoming
from orchestrator.testing.evidence import Act, Asked, Case, Evidence, Line, Output, Row, Told, header, standing
from orchestrator.testing.replay_checker import check_replays

__all__ = [
    "Act",
    "Asked",
    "Case",
    "Evidence",
    "Line",
    "Output",
    "Row",
    "Told",
    "Verdict",
    "check",
    "header",
    "standing",
]

_FORWARD_AGAIN = ("going forward again from there", "cancel refused: the pivot landed first")
_LEAVING = ("compensate", "resolve", "skip")
_LEFT = (EffectStatus.SKIPPED, EffectStatus.NOT_DONE, EffectStatus.UNKNOWN)


@dataclass(slots=True)
class Verdict:
    """What does not hold, as (saga or "", what); sagas with an excess that is excused, and those that showed none."""

    wrong: list[tuple[str, str]] = field(default_factory=list)
    excess: set[str] = field(default_factory=set)
    unnoticed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Excusable:
    """What does not hold, unless a process that had been frozen before it sent did that step at a blind system."""

    step: str
    text: str


def check(evidence: Evidence) -> Verdict:
    """Judge a run."""
    whole = [*_requests(evidence), *_acts(evidence), *_garbage(evidence), *_strangers(evidence)]
    whole += check_replays(evidence)
    verdict = Verdict(whole, set(evidence.excess))
    for case in evidence.cases:
        for found in _of_one(case, evidence):
            if not isinstance(found, _Excusable):
                verdict.wrong.append((case.id, found))
            elif (case.id, found.step) in evidence.excused:
                verdict.excess.add(case.id)
            else:
                verdict.wrong.append((case.id, found.text))
        if case.id in verdict.excess and not _was_shown(case, evidence.excess.get(case.id, 0)):
            verdict.unnoticed.append(case.id)
    return verdict


def _of_one(case: Case, evidence: Evidence) -> Iterator[str | _Excusable]:
    yield from _ends(case)
    yield from _history(case)
    yield from _in_order(case)
    yield from _counts(case)
    yield from _left_behind(case)
    yield from _order(case)
    yield from _letters(case)
    yield from _without_cause(case, evidence)


# -- the run as a whole --------------------------------------------------------------------------------------------


def _requests(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Every acknowledged request leads to exactly one saga, and nothing else does."""
    sagas, known = {case.id for case in evidence.cases}, {asked.saga for asked in evidence.asked}
    for asked in evidence.asked:
        if asked.acknowledged and asked.saga not in sagas:
            yield asked.saga or "", f"the acknowledged request {asked.id} led to no saga"
    for case in evidence.cases:
        if case.id not in known:
            yield case.id, "a saga that nobody asked for"


def _acts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Each act of an operator is one entry of its saga's journal; before its saga is there, it may be a dead letter."""
    journals = {case.id: [row.cause for row in case.journal] for case in evidence.cases}
    buried = {header(m.headers, "ce_id") for m in evidence.letters.get(topics.dead_letters(topics.CONTROL), ())}
    for act in evidence.acts:
        times = journals.get(act.saga, []).count(act.cause)
        if times != 1 and not (times == 0 and act.id in buried):
            yield act.saga, f"what an operator did is {times} times in the journal"


def _garbage(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What nobody can read is a dead letter, as often as it was published."""
    buried = {
        topic: {tuple(header(m.headers, f"__dlq.errors.{at}") for at in ("partition", "offset")) for m in letters}
        for topic, letters in evidence.letters.items()
    }
    for sent in evidence.garbage:
        if (str(sent.partition), str(sent.offset)) not in buried.get(topics.dead_letters(sent.topic), ()):
            yield "", f"an unreadable message of {sent.topic} was not dead-lettered"


def _strangers(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for saga in evidence.strangers:
        yield saga, "work for a saga that does not exist"


# -- one saga ------------------------------------------------------------------------------------------------------


def _ends(case: Case) -> Iterator[str]:
    """Terminal or in review, and the outcome that was told last says so."""
    state = case.state
    if state.status not in TERMINAL and state.status is not Status.REVIEW:
        yield f"it neither ended nor waits for a person: {state.status}"
    told = {message.id for message in case.told}
    missing = [event_id for event_id in case.ended if event_id not in told]
    if missing:
        yield f"{len(missing)} of its outcomes were never published"
    if not case.ended:
        yield "it has told no outcome"


def _without_cause(case: Case, evidence: Evidence) -> Iterator[str]:
    """A person is asked, and a step times out, only where something went wrong."""
    if case.state.status is Status.REVIEW and case.id not in evidence.injured:
        yield "it waits for a person, and nothing was wrong with it"
    if case.id not in evidence.silent and any("no completion within" in n for row in case.journal for n in row.notes):
        yield "a step timed out, and no message was lost"


def _history(case: Case) -> Iterator[str]:
    """One entry for each transition, in order; nothing goes forward after it has turned back."""
    revisions = [row.revision for row in case.journal]
    if revisions != list(range(1, case.state.revision + 1)):
        yield f"the journal has the revisions {revisions}, and the saga is at {case.state.revision}"
    back = False
    asked: set[tuple[str, str, int]] = set()
    for row in case.journal:
        if "decide failed" in str(row.entry.get("reason", "")):
            yield "`decide` raised"
        if any(text in note for text in _FORWARD_AGAIN for note in row.notes):
            back = False
        for output in row.outputs:
            if output.topic.endswith(".commands"):
                asked.add((output.step, output.direction, output.round))
                if output.direction == "do" and back:
                    yield f"{output.step} was asked for after the saga had turned back"
                back = back or output.direction == "undo"
    for line in case.lines:
        if (line.step, line.direction, line.round) not in asked:
            yield f"{line.direction} of {line.step}, round {line.round}, was done and never asked for"


def _in_order(case: Case) -> Iterator[str]:
    """Whoever goes by the sequence of the outcomes has them as they were decided; commands lie in their topics so."""
    told, ended = [message.id for message in case.outcomes], case.ended
    if sorted(told) == sorted(ended) and told != ended:
        yield "its outcomes are in another sequence than they were decided in"
    for topic, published in case.commands.items():
        decided = [o.id for row in case.journal for o in row.outputs if o.topic == topic and o.id in published]
        if list(dict.fromkeys(published)) != decided:
            yield f"its commands lie in {topic} in another order than they were decided in"


def _was_shown(case: Case, since: int) -> bool:
    """Whether a person was asked about it after that revision."""
    return any(row.revision > since and row.entry.get("status") == Status.REVIEW for row in case.journal)


def _counts(case: Case) -> Iterator[str | _Excusable]:
    """Each effect at most once, and exactly once where it is reported done."""
    for step in case.definition:
        there = case.there(step.name)
        if len(there) > 1:
            yield _Excusable(step.name, f"{step.name} is there twice, of the rounds {there}")
        effects = case.state.steps.get(step.name)
        if effects is None:
            if there:
                yield f"{step.name} was done, and the saga knows nothing of it"
            continue
        do, undo = effects.do, effects.undo
        if do is not None and do.status is EffectStatus.DONE and not case.done(step.name, effects.round):
            yield f"{step.name} is reported done, and was not"
        if undo is not None and undo.status is EffectStatus.DONE and effects.round in there:
            yield _Excusable(step.name, f"{step.name} is reported undone, and is there")


def _left_behind(case: Case) -> Iterator[str | _Excusable]:
    """Completed: all of it is there, once. Compensated or cancelled: nothing is, but what the definition accepts."""
    state = case.state
    gone = state.status in (Status.COMPENSATED, Status.CANCELLED)
    for step in case.definition:
        there = case.there(step.name)
        effects = state.steps.get(step.name)
        known = [e.status for e in (effects.do, effects.undo) if e is not None] if effects else []
        if EffectStatus.SKIPPED in known:
            continue
        if state.status is Status.COMPLETED and len(there) != 1:
            yield _Excusable(step.name, f"completed, and {step.name} is there {len(there)} times")
        if gone and there and not step.residue_accepted and not _compensated_knowingly(case, step.name):
            yield _Excusable(step.name, f"{state.status}, and {step.name} was left behind")


def _compensated_knowingly(case: Case, step: str) -> bool:
    """Whether a person was asked about that very step and decided to go back all the same, and the outcome names it."""
    asked = False
    for row in case.journal:
        about = row.entry.get("step")
        decided = row.entry.get("command") in _LEAVING and "refused" not in row.entry
        if decided and (about == step or (asked and about is None)):
            return step in case.outcomes[-1].residue
        asked = asked or any(output.topic.endswith(".dlq") and output.step == step for output in row.outputs)
    return False


def _order(case: Case) -> Iterator[str]:
    """Undone in reverse between groups."""
    there: set[str] = set()
    definition = case.definition
    for line in case.lines:
        if line.direction == "do":
            there.add(line.step)
            continue
        there.discard(line.step)
        for other in there:
            later = definition.group_of(other) > definition.group_of(line.step)
            if not later or definition.step(other).undo is None or line.stale or _went_on_without(case, other):
                continue
            effects = case.state.steps.get(other)
            if effects is None or not any(e is not None and e.status in _LEFT for e in (effects.do, effects.undo)):
                yield f"{line.step} was undone before {other}"


def _went_on_without(case: Case, step: str) -> bool:
    """Whether the undo of that step was given up, so that a definition which says `continue` went on to the next."""
    if case.definition.on_compensation_failure != "continue":
        return False
    parked = any(o.step == step and o.topic.endswith(".commands.dlq") for row in case.journal for o in row.outputs)
    return parked or any(f"undo of {step}, attempt" in note for row in case.journal for note in row.notes)


def _letters(case: Case) -> Iterator[str]:
    """What did not complete has left a dead letter that says how to go on."""
    state = case.state
    failed = state.status is Status.COMPENSATED and state.failed_step is not None
    if (failed or state.status is Status.REVIEW) and not case.letters:
        yield f"{state.status}, and there is no dead letter"
    if len({(*_id(m), m.value, _original(m)) for m in case.letters}) > len({_id(m) for m in case.letters}):
        yield "two dead letters of one id differ"
    if failed:
        requests = topics.dead_letters(topics.requests(state.definition))
        places = {header(m.headers, "saga-dlq-version") for m in case.letters if m.topic == requests}
        if len(places) != 1:
            yield f"its request was dead-lettered {len(places)} times"


def _id(letter: Incoming) -> tuple[str, str, str]:
    """What tells dead letters apart: where they lie, the message that was given up, and the saga's revision then."""
    return letter.topic, header(letter.headers, "ce_id"), header(letter.headers, "saga-dlq-version")


def _original(letter: Incoming) -> Headers:
    """The headers of the message that was given up."""
    return tuple(pair for pair in letter.headers if not pair[0].startswith(("saga-dlq-", "__dlq.")))
