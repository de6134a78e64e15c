"""The offline judge: history, ledger, tables and topics of a run are held against each other. No I/O, no clock.

What holds of every saga is checked as in a simulation, by `orchestrator.testing.checker`; here is what only a run on
real processes has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from orchestrator.catalogue import Catalogue
from orchestrator.core.state import SagaState, Status
from orchestrator.messaging import topics
from orchestrator.store.rows import saga_from_row
from orchestrator.testing import checker
from orchestrator.testing.chaos.arena import ENDED
from orchestrator.testing.chaos.cases import as_evidence
from orchestrator.testing.chaos.evidence import Left, Letter
from orchestrator.testing.chaos.history import Event, Type, targets_of
from orchestrator.testing.chaos.liveness import Silence, silences
from orchestrator.testing.chaos.load import REQUEST
from orchestrator.testing.chaos.memory import Growth, growth
from orchestrator.testing.chaos.plan import COORDINATOR, OUTAGES, STRAYS

__all__ = ["Judgement", "judge", "operations"]


# How long a command is waited for, and how long a group takes to find itself.
_AWAITED, _RETURNING = timedelta(seconds=30), timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found.

    Attributes:
        wrong: what does not hold, as (saga or "", what).
        late: what came too late, in words; a matter of the machine, too.
        invalid: why the run proves nothing; empty where it does.
        ended: sagas by status.
        operations: (what, ok or fail or info) → how many.
        struck: how often each nemesis of the plan really struck.
        effects: pieces of work that were really done.
        copies: dead letters of strays that were published once more, as a crash may bring about.
        reviews: what waits for a person, as (step, code) → how many.
        silences: how long nothing moved, by nemesis.
        growth: memory.

    """

    wrong: Sequence[tuple[str, str]]
    late: Sequence[str]
    invalid: Sequence[str]
    ended: Mapping[str, int]
    operations: Mapping[tuple[str, str], int]
    struck: Mapping[str, int]
    effects: int
    copies: int
    reviews: Mapping[tuple[str, str], int]
    silences: Mapping[str, Silence] = field(default_factory=dict)
    growth: Growth = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether everything holds, in time, and the run was worth something."""
        return not (self.wrong or self.late or self.invalid)


def judge(wanted: Sequence[str], events: Sequence[Event], left: Left, catalogue: Catalogue) -> Judgement:
    """Judge a run by what it left; `wanted` names what has to have struck."""
    states = {saga.id: saga_from_row(saga.columns) for saga in left.sagas}
    told = operations(events)
    wrong = [
        *checker.check(as_evidence(events, left, states, catalogue, told)).wrong,
        *_refused(told, states),
        *_doubled(left),
        *_never_sent(events, left),
        *_strays(events, left, told),
        *_unexpected(left, told),
        *(("", event.more["text"]) for event in events if event.what == ENDED),
    ]
    struck = Counter(dict.fromkeys(wanted, 0))
    for event in events:
        if event.type is Type.STOP:
            struck[event.what] += event.more["hits"]
    waiting = [state for state in states.values() if state.status is Status.REVIEW]
    found = silences(events, left)
    return Judgement(
        wrong=wrong,
        late=[text for silence in found.values() for text in silence.late],
        invalid=[*_never_struck(struck), *_vacuous(left, states, told)],
        ended=Counter(state.status.value for state in states.values()),
        operations=Counter((what, answer.value) for (what, _), answer in told.items()),
        struck=struck,
        effects=len(left.ledger),
        copies=_copies(left, told),
        reviews=Counter((park.step or "", park.code) for state in waiting for park in state.parks),
        silences=found,
        growth=growth(events),
    )


def operations(events: Sequence[Event]) -> dict[tuple[str, str], Type]:
    """What became of each, by (what, id). What is tried again is ok if any try was, and failed if all were."""
    open_: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], Type] = {}
    for event in events:
        about = event.what, event.id
        if event.type is Type.INVOKE:
            open_[about] += 1
        elif event.type in (Type.OK, Type.FAIL, Type.INFO):
            open_[about] -= 1
            before = found.get(about)
            worse = before is not None and (before is Type.OK or event.type is Type.FAIL)
            found[about] = before if worse and before is not None else event.type
    for about, times in open_.items():
        # Nobody was told how it came out.
        if times > 0 and found.get(about) is not Type.OK:
            found[about] = Type.INFO
    return found


# -- the run as a whole --------------------------------------------------------------------------------------------


def _refused(told: Mapping[tuple[str, str], Type], states: Mapping[UUID, SagaState]) -> Iterator[tuple[str, str]]:
    for (what, id_), answer in told.items():
        if what == REQUEST and answer is Type.FAIL and UUID(id_) in states:
            yield id_, "the broker refused the request, and it is a saga"


def _doubled(left: Left) -> Iterator[tuple[str, str]]:
    times = Counter((work.reference, work.name, work.key) for work in left.ledger)
    for (reference, name, key), count in times.items():
        if count > 1:
            yield reference or "", f"{name} was done {count} times under the key {key}"


def _never_sent(events: Sequence[Event], left: Left) -> Iterator[tuple[str, str]]:
    """A command that the journal holds goes out, in the worst case when its input is delivered once more.

    It need not where nobody waits for it any more by then: a server was away, or two coordinators died in a row.
    """
    starts = {event.id: event for event in events if event.type is Type.START}
    strikes = [(starts[event.id], event) for event in events if event.type is Type.STOP]
    outages = [(start.time, stop.time) for start, stop in strikes if stop.what in OUTAGES]
    deaths = [start.time for start, stop in strikes if COORDINATOR in targets_of(start, stop)]
    published = set(left.commands)
    for entry in left.journal:
        until = entry.at + _AWAITED
        for output in entry.outputs:
            if not output.topic.endswith(".commands") or output.id in published:
                continue
            away = any(begin <= until and end >= entry.at - _RETURNING for begin, end in outages)
            if not away and sum(entry.at - _RETURNING <= death <= until for death in deaths) < 2:
                what = f"{output.direction} of {output.step}"
                yield str(entry.saga), f"{what}, asked for in revision {entry.revision}, was never sent"


def _letters_of_strays(left: Left) -> Mapping[str, list[Letter]]:
    found: dict[str, list[Letter]] = defaultdict(list)
    for letter in left.letters:
        found[(letter.key or b"").decode(errors="replace")].append(letter)
    return found


def _strays(events: Sequence[Event], left: Left, told: Mapping[tuple[str, str], Type]) -> Iterator[tuple[str, str]]:
    """What nobody can read is a dead letter once, of the right topic, with every byte of it."""
    letters = _letters_of_strays(left)
    for event in events:
        if event.type is not Type.INVOKE or event.what not in STRAYS:
            continue
        answer = told[event.what, event.id]
        about = f"a record of {event.more['bytes']} bytes on {event.more['topic']} ({event.id})"
        found = letters.get(event.id, ())
        places = {(letter.topic, *_place(letter)) for letter in found}
        least, most = {Type.OK: (1, 1), Type.FAIL: (0, 0)}.get(answer, (0, 1))
        if not least <= len(places) <= most:
            yield "", f"{about} was answered {answer.value}, and dead-lettered {len(places)} times"
        for letter in found:
            if letter.topic != topics.dead_letters(event.more["topic"]):
                yield "", f"{about} was dead-lettered to {letter.topic}"
            if letter.digest != event.more["digest"] or checker.header(letter.headers, "stray") != event.id:
                yield "", f"{about} is not what was dead-lettered"


def _place(letter: Letter) -> tuple[str, str]:
    """Where the message of a dead letter stood."""
    return (
        checker.header(letter.headers, "__dlq.errors.partition"),
        checker.header(letter.headers, "__dlq.errors.offset"),
    )


def _copies(left: Left, told: Mapping[tuple[str, str], Type]) -> int:
    letters = _letters_of_strays(left)
    return sum(max(0, len(letters.get(id_, ())) - 1) for what, id_ in told if what in STRAYS)


def _unexpected(left: Left, told: Mapping[tuple[str, str], Type]) -> Iterator[tuple[str, str]]:
    """Only what we spoiled, and sagas that were given up, may be buried."""
    ours = {id_ for what, id_ in told if what in STRAYS}
    for letter in left.letters:
        key = (letter.key or b"").decode(errors="replace")
        stage = checker.header(letter.headers, "saga-dlq-stage")
        if key not in ours and stage != "saga":
            reason = checker.header(letter.headers, "saga-dlq-reason")
            yield key, f"a message that nothing was wrong with is a dead letter of {letter.topic}: {stage}, {reason}"


def _never_struck(struck: Mapping[str, int]) -> Iterator[str]:
    for name, hits in struck.items():
        if not hits:
            yield f"{name} never struck"


def _vacuous(left: Left, states: Mapping[UUID, SagaState], told: Mapping[tuple[str, str], Type]) -> Iterator[str]:
    """A run without what it is about proves nothing."""
    ended = Counter(state.status for state in states.values())
    if ended[Status.COMPENSATED] < len(states) / 5 or ended[Status.COMPLETED] < len(states) / 5:
        yield f"too few sagas of one kind: {dict(ended)}"
    keys = Counter(state.business_key for state in states.values())
    if sum(count for count in keys.values() if count > 1) < len(states) / 20:
        yield "too few sagas share a business key"
    if not any(what == REQUEST for what, _ in told) or not left.ledger:
        yield "nothing was asked, or nothing was done"
