"""What a real run left, as the cases that the checker of every run takes; and what excuses a saga that waits. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from orchestrator.catalogue import Catalogue
from orchestrator.core.definition import Saga as Definition
from orchestrator.core.messages import Direction
from orchestrator.core.state import SagaState, Status
from orchestrator.testing import checker
from orchestrator.testing.chaos.evidence import Entry, Left, Letter
from orchestrator.testing.chaos.history import Event, Type, targets_of
from orchestrator.testing.chaos.load import REQUEST
from orchestrator.testing.chaos.plan import COORDINATOR, SANDBOX, STRAYS

__all__ = ["as_evidence"]

# What a nemesis did to a message is felt until its step times out, and a group has to find itself before that.
_FELT = timedelta(seconds=45)
# What a call ends with when nobody listens, and for how long it is tried again.
_REFUSED, _TRIED = "CANNOT_CONNECT", timedelta(seconds=15)


def as_evidence(
    events: Sequence[Event],
    left: Left,
    states: Mapping[UUID, SagaState],
    catalogue: Catalogue,
    told: Mapping[tuple[str, str], Type],
) -> checker.Evidence:
    """Everything that the checker wants to know; `told` is what became of each operation."""
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
            [_told(message) for message in outcomes[str(saga_id)]],
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
    silent = {str(entry.saga) for entry in left.journal if touched.between(entry.at - _FELT, entry.at)}
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


def _told(message: Letter) -> checker.Told:
    id_, sequence = (checker.header(message.headers, name) for name in ("ce_id", "ce_sequence"))
    return checker.Told(id_, message.residue, sequence)


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
            elif event.type is Type.STOP and event.what not in STRAYS:
                start = starts[event.id]
                self._found.append((start.time, event.time, targets_of(start, event)))

    def struck(self, target: str, since: datetime, until: datetime) -> bool:
        """Whether one that strikes that very kind of process overlaps with that time."""
        return any(start <= until and stop >= since and target in targets for start, stop, targets in self._found)

    def between(self, since: datetime, until: datetime, met: frozenset[str] | None = None) -> bool:
        """Whether one that strikes those kinds of process, or any (None), overlaps with that time."""
        # "" is everybody: a server, or what is between it and the workers.
        return any(
            start <= until and stop >= since and (met is None or "" in targets or targets & met)
            for start, stop, targets in self._found
        )


def _has_cause(state: SagaState, journal: Sequence[Entry], catalogue: Catalogue, touched: _Touched) -> bool:
    """Whether a nemesis is to blame for each of its parks.

    A call to a blind system whose answer was lost; or one whose attempts were all made while the systems were down.
    """
    definition, until = _definition(catalogue, state), journal[-1].at
    for park in state.parks:
        step = definition.step(park.step) if park.step and definition.has_step(park.step) else None
        effects = state.steps.get(park.step or "")
        action = step.undo if step and park.direction is Direction.UNDO else step
        effect = effects.effect(park.direction) if effects and park.direction else None
        if action is None or effect is None:
            return False
        if park.code == _REFUSED and touched.struck(SANDBOX, effect.started - _TRIED, until):
            continue
        met = frozenset({SANDBOX, action.action.contract.system or ""})
        since = effect.started
        if park.code == "TIMEOUT":  # the command waited too long, or its answer did
            met, since = met | {COORDINATOR}, since - _FELT
        if action.action.contract.effect != "blind" or not touched.between(since, until, met):
            return False
    return bool(state.parks)
