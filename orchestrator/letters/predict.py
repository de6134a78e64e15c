"""What will happen to a planned message: read and decided as the coordinator will do it. No I/O but the codec's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.core.decide import decide
from orchestrator.core.messages import Command, Control, Requested
from orchestrator.letters.plan import Plan
from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.message import Incoming
from orchestrator.messaging.reader import Parsed, Reader, meant_for
from orchestrator.messaging.topics import CONTROL
from orchestrator.store.partitions import time_of

if TYPE_CHECKING:
    from orchestrator.catalogue import Catalogue
    from orchestrator.core.definition import Saga
    from orchestrator.core.state import SagaState

__all__ = ["Prediction", "predict"]

# As the coordinator takes ids of new sagas.
_OLDEST = timedelta(days=28)
_CLOCK_LEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Prediction:
    """`returns` says that the letter would come back, `refused` why the saga would refuse the decision."""

    text: str
    status: str | None = None
    commands: tuple[str, ...] = ()
    returns: bool = False
    refused: str | None = None


def predict(
    plan: Plan,
    reader: Reader,
    catalogue: Catalogue,
    sagas: Mapping[UUID, SagaState],
    now: datetime,
    *,
    applied: bool = False,
) -> Prediction:
    """What the message does, as far as it can be known. `sagas` are those it may reach, as they stand.

    Raises:
        RegistryUnavailable: the schema registry is away.

    """
    message = plan.message
    if not meant_for(message.headers, plan.letter.group):
        return Prediction("is dealt with by the group that it is for, and by no other")
    if message.topic != CONTROL and not message.topic.endswith((".requests", ".completions")):
        system = message.topic.removesuffix(".commands")
        return Prediction(f"goes to the consumer of {system}" if system != message.topic else "is published")
    if applied:
        return Prediction(f"is a duplicate: saga {plan.saga_id} has it already")
    try:
        parsed = reader.read(Incoming(message.topic, 0, 0, message.key, message.value, message.headers))
    except BadMessage as exc:
        return Prediction(f"would be given up again: {exc}", returns=True)
    return _decided(parsed, catalogue, sagas.get(parsed.saga_id) if parsed.saga_id else None, now)


def _decided(parsed: Parsed, catalogue: Catalogue, state: SagaState | None, now: datetime) -> Prediction:
    problem = _problem(parsed, state, now)
    if problem is not None:
        return Prediction(f"would be given up again: {problem}", returns=True)
    definition = _definition(parsed, catalogue, state)
    if definition is None:
        return Prediction("is decided by a replica that carries the definition; it is not known here")
    try:
        transition = decide(definition, state, parsed.message, now, str(parsed.saga_id))
    except Exception as exc:  # noqa: BLE001 - a definition's mapping is a user's code
        return Prediction(f"would be given up again: {type(exc).__name__}: {exc}", returns=True)
    status = transition.state.status.value
    commands = tuple(f"{c.direction.value} {c.step}" for c in transition.outputs if isinstance(c, Command))
    refused = transition.entry.facts.get("refused") if transition.entry is not None else None
    sent = f"; sends {', '.join(commands)}" if commands else "; sends nothing"
    if refused is not None:
        return Prediction(f"would be refused: {refused}", status, refused=str(refused))
    begins = "a new saga begins:" if state is None else f"the saga goes from {state.status.value} to"
    return Prediction(f"{begins} {status}{sent}", status, commands)


def _problem(parsed: Parsed, state: SagaState | None, now: datetime) -> str | None:
    """Why the coordinator would set the message aside."""
    if not isinstance(parsed.message, Requested):
        held = "held for a while, and then " if isinstance(parsed.message, Control) else ""
        return f"{held}unknown-saga: there is no saga {parsed.saga_id}" if state is None else None
    if parsed.saga_id is None:
        return None
    if state is not None:
        same = state.request.json == parsed.message.request.model_dump(mode="json")
        return None if same else f"id-reused: saga {parsed.saga_id} was requested before, with other content"
    made = time_of(parsed.saga_id)
    if made is None:
        return f"bad-saga-id: {parsed.saga_id} is not a UUIDv7"
    if not now - _OLDEST <= made <= now + _CLOCK_LEAD:
        return f"saga-id-out-of-range: {parsed.saga_id} was made at {made.isoformat()}"
    return None


def _definition(parsed: Parsed, catalogue: Catalogue, state: SagaState | None) -> Saga | None:
    if state is not None:
        return catalogue.get(state.definition, state.version)
    versions = catalogue.fingerprints.get(parsed.definition or "", {})
    return catalogue.get(parsed.definition or "", max(versions)) if versions else None
