"""What has become of replayed letters: gone well, come back, or nobody knows yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from orchestrator.core.state import Status
from orchestrator.letters.letter import Way
from orchestrator.letters.plan import Plan
from orchestrator.messaging.reader import meant_for
from orchestrator.messaging.topics import CONTROL

if TYPE_CHECKING:
    from orchestrator.letters.ports import ReplayDesk

__all__ = ["Fate", "fates"]

# Nothing tells when a message that no saga reads has been dealt with: if it does not come back soon, it is well.
_QUIET_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Fate:
    """`settled`: nothing more will follow by itself. `bad`: it came back, or its saga waits for a person again."""

    text: str
    settled: bool = True
    bad: bool = False
    revision: int | None = None


def fates(desk: ReplayDesk, plans: Sequence[Plan], waited: float) -> dict[UUID, Fate]:
    """What is known of each plan that was sent, by the identity of its letter. `waited` is in seconds."""
    back = desk.store.came_back([(plan.letter, plan.saga_id) for plan in plans])
    causes = {(p.saga_id, p.cause) for p in plans if p.saga_id is not None and p.cause is not None}
    applied = desk.store.applied(causes)
    sagas = desk.sagas([plan.saga_id for plan in plans if plan.saga_id is not None])
    found = {}
    for plan in plans:
        identity = plan.letter.identity
        if identity in back:
            found[identity] = Fate("came back as another letter", bad=True)
            continue
        known = (plan.saga_id, plan.cause) if plan.saga_id is not None and plan.cause is not None else None
        saga = sagas.get(plan.saga_id) if plan.saga_id is not None else None
        found[identity] = _fate(plan, applied.get(known) if known else None, saga, waited)
    return found


def _fate(plan: Plan, entry: Any, saga: Any, waited: float) -> Fate:
    topic = plan.message.topic
    watched = topic == CONTROL or topic.endswith((".requests", ".completions"))
    watched = watched and meant_for(plan.message.headers, plan.letter.group)
    if not watched or plan.saga_id is None:
        return Fate("published; nothing came back", settled=waited >= _QUIET_SECONDS)
    if entry is None or saga is None:
        return Fate("queued: its saga has not read it yet", settled=False)
    if "refused" in entry:
        return Fate(f"refused by the saga: {entry['refused']}", bad=True, revision=saga.state.revision)
    status = saga.state.status
    text = f"saga {plan.saga_id} is {status.value}, revision {saga.state.revision}"
    begins = plan.letter.way is Way.NEW_SAGA or topic.endswith(".requests")
    bad = status is Status.REVIEW or (begins and status is Status.COMPENSATED)
    settled = saga.state.terminal or status is Status.REVIEW or topic.endswith(".completions")
    return Fate(text, settled=settled, bad=bad, revision=saga.state.revision)
