"""The offline judge: history, ledger, tables and topics of a run are held against each other. No I/O, no clock.

What holds of every saga is checked as in a simulation, by `orchestrator.testing.checker`; here is what only a run on
real processes has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from orchestrator.catalogue import Catalogue
from orchestrator.core.definition import Saga as Definition
from orchestrator.core.messages import Direction
from orchestrator.core.state import Park, SagaState, Status
from orchestrator.messaging import topics
from orchestrator.store.rows import saga_from_row
from orchestrator.testing import checker
from orchestrator.testing.chaos.evidence import Entry, Left, Letter
from orchestrator.testing.chaos.history import Event, Type
from orchestrator.testing.chaos.liveness import Silence, silences
from orchestrator.testing.chaos.load import REQUEST
from orchestrator.testing.chaos.memory import Growth, growth
from orchestrator.testing.chaos.plan import Kind, Plan

__all__ = ["Judgement", "judge", "operations"]

_STRAYS = (Kind.POISON.value, Kind.OVERSIZED.value)
# What a nemesis did to a message is felt until its step times out, and a group has to find itself before that.
_FELT = timedelta(seconds=45)


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


def judge(plan: Plan, events: Sequence[Event], left: Left, catalogue: Catalogue) -> Judgement:
    """Judge a run by what it left."""
    states = {saga.id: saga_from_row(saga.columns) for saga in left.sagas}
    told = operations(events)
    wrong = [
        *checker.check(_evidence(events, left, states, catalogue, told)).wrong,
        *_refused(told, states),
        *_doubled(left),
        *_strays(events, left, told),
        *_unexpected(left, told),
        *((("", event.more["text"])) for event in events if event.what == "ended"),
    ]
    struck = Counter(dict.fromkeys(plan.names, 0))
    for event in events:
        if event.type is Type.STOP:
            struck[event.what] += event.more["hits"]
    found = silences(events, left)
    return Judgement(
        wrong,
        [text for silence in found.values() for text in silence.late],
        [*_never_struck(struck), *_vacuous(left, states, told)],
        Counter(state.status.value for state in states.values()),
        Counter((what, answer.value) for (what, _), answer in told.items()),
        struck,
        len(left.ledger),
        _copies(left, told),
        Counter((park.step or "", park.code) for state in states.values() for park in _parks(state)),
        found,
        growth(events),
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


# -- every saga ----------------------------------------------------------------------------------------------------


def _evidence(
    events: Sequence[Event],
    left: Left,
    states: Mapping[UUID, SagaState],
    catalogue: Catalogue,
    told: Mapping[tuple[str, str], Type],
) -> checker.Evidence:
    journal = left.by_saga()
    lines, strangers = _lines(left, states, catalogue)
    outcomes, letters = _by_saga(left.outcomes, "ce_sagaid"), _by_saga(left.letters, "saga-dlq-sagaid")
    cases = [
        checker.Case(
            str(saga_id),
            _definition(catalogue, state),
            state,
            [checker.Row(entry.revision, entry.entry, entry.outputs) for entry in journal.get(saga_id, ())],
            lines[saga_id],
            checker.standing(lines[saga_id]),
            [checker.Told(checker.header(m.headers, "ce_id"), m.residue) for m in outcomes[str(saga_id)]],
            [letter.incoming() for letter in letters[str(saga_id)]],
        )
        for saga_id, state in states.items()
    ]
    asked = [
        checker.Asked(id_, id_, acknowledged=answer is Type.OK)
        for (what, id_), answer in told.items()
        if what == REQUEST and answer is not Type.FAIL
    ]
    touched = _Touched(events)
    injured = {
        str(saga_id)
        for saga_id, state in states.items()
        if state.status is Status.REVIEW and _has_cause(state, journal[saga_id], catalogue, touched)
    }
    silent = {str(entry.saga) for entry in left.journal if touched.between(entry.at - _FELT, entry.at, "")}
    return checker.Evidence(cases, asked, {}, strangers=strangers, injured=injured, silent=silent)


def _definition(catalogue: Catalogue, state: SagaState) -> Definition:
    found = catalogue.get(state.definition, state.version)
    assert found is not None  # it has just been run by this very catalogue
    return found


def _lines(
    left: Left, states: Mapping[UUID, SagaState], catalogue: Catalogue
) -> tuple[Mapping[UUID, list[checker.Line]], list[str]]:
    """What was done for each saga, in order, and the references that are no saga.

    A system's line has the saga's id and the action, which say step and direction. The round stands in the idempotency
    key; a mail's is hashed, but nobody reruns anything here.
    """
    found: dict[UUID, list[checker.Line]] = defaultdict(list)
    strangers = []
    for work in left.ledger:
        saga_id = UUID(work.reference) if work.reference else None
        if saga_id is None or saga_id not in states:
            strangers.append(work.reference or "")
            continue
        step, direction = _effect(_definition(catalogue, states[saga_id]), work.name)
        rounds = (work.key or "").rpartition(":")[2]
        found[saga_id].append(checker.Line(step, direction, int(rounds) if rounds.isdigit() else 1))
    return found, strangers


def _effect(definition: Definition, name: str) -> tuple[str, str]:
    for step in definition:
        if f"{step.contract.system}.{step.contract.action}" == name:
            return step.name, Direction.DO.value
        undo = step.undo.action.contract if step.undo else None
        if undo and f"{undo.system}.{undo.action}" == name:
            return step.name, Direction.UNDO.value
    return name, "asked for by nobody"


def _by_saga(letters: Sequence[Letter], name: str) -> Mapping[str, list[Letter]]:
    found: dict[str, list[Letter]] = defaultdict(list)
    for letter in letters:
        found[checker.header(letter.headers, name)].append(letter)
    return found


# -- what waits for a person ---------------------------------------------------------------------------------------


class _Touched:
    """When a nemesis was at work that can keep an answer from arriving, and at which kind of process."""

    def __init__(self, events: Sequence[Event]) -> None:
        starts: dict[str, Event] = {}
        self._found: list[tuple[datetime, datetime, frozenset[str]]] = []
        for event in events:
            if event.type is Type.START:
                starts[event.id] = event
            elif event.type is Type.STOP and event.what not in _STRAYS:
                start = starts[event.id]
                targets = event.more.get("targets") or [start.more["target"]]
                self._found.append((start.time, event.time, frozenset(targets)))

    def between(self, since: datetime, until: datetime, system: str) -> bool:
        """Whether one that can have met a call to that system ("": any) overlaps with that time."""
        return any(
            start <= until and stop >= since and (not system or self._meets(targets, system))
            for start, stop, targets in self._found
        )

    @staticmethod
    def _meets(targets: frozenset[str], system: str) -> bool:
        # "" is everybody: a server, or what is between it and the workers.
        return bool(targets & {"", "sandbox", "coordinator", system})


def _parks(state: SagaState) -> Sequence[Park]:
    return state.parks if state.status is Status.REVIEW else ()


def _has_cause(state: SagaState, journal: Sequence[Entry], catalogue: Catalogue, touched: _Touched) -> bool:
    """Whether each of its parks is a call to a blind system that a nemesis met."""
    definition = _definition(catalogue, state)
    for park in _parks(state):
        step = definition.step(park.step) if park.step and definition.has_step(park.step) else None
        effects = state.steps.get(park.step or "")
        if step is None or effects is None or park.direction is None:
            return False
        action = step.undo if park.direction is Direction.UNDO else step
        effect = effects.effect(park.direction)
        if action is None or effect is None or action.action.contract.effect != "blind":
            return False
        if not touched.between(effect.started - _FELT, journal[-1].at, action.action.contract.system or ""):
            return False
    return bool(state.parks)


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


def _letters_of_strays(left: Left) -> Mapping[str, list[Letter]]:
    found: dict[str, list[Letter]] = defaultdict(list)
    for letter in left.letters:
        found[(letter.key or b"").decode(errors="replace")].append(letter)
    return found


def _strays(events: Sequence[Event], left: Left, told: Mapping[tuple[str, str], Type]) -> Iterator[tuple[str, str]]:
    """What nobody can read is a dead letter once, of the right topic, with every byte of it."""
    letters = _letters_of_strays(left)
    for event in events:
        if event.type is not Type.INVOKE or event.what not in _STRAYS:
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
    return sum(max(0, len(letters.get(id_, ())) - 1) for what, id_ in told if what in _STRAYS)


def _unexpected(left: Left, told: Mapping[tuple[str, str], Type]) -> Iterator[tuple[str, str]]:
    """Only what we spoiled, and sagas that were given up, may be buried."""
    ours = {id_ for what, id_ in told if what in _STRAYS}
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
