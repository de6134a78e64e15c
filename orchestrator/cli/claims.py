"""Claims as operators meet them: who is at a saga, said in one way everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import safe, say
from orchestrator.cli.times import age
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from orchestrator.store.claims import Claim
    from orchestrator.store.queries import SagaRow

__all__ = ["claim_json", "claimed", "holder", "open_claims", "warn_of_others"]

_NAMED = 5


def open_claims(settings: Settings) -> Any:
    """The claims in the database that the settings name."""
    from orchestrator.database import connect  # noqa: PLC0415 - loads the driver
    from orchestrator.store.claims import Claims  # noqa: PLC0415

    return Claims(connect(settings.database_url))


def holder(claim: Claim) -> str:
    """Who holds it since when, and what they say; safe to print."""
    note = f" ({claim.note})" if claim.note else ""
    return safe(f"{claim.actor}, {age(datetime.now(UTC) - claim.at)}{note}")


def claim_json(claim: Claim | None) -> dict[str, Any] | None:
    """A claim as data; None where nobody is at it."""
    return {"actor": claim.actor, "at": claim.at, "note": claim.note} if claim else None


def claimed(claim: Claim) -> CliError:
    """The refusal of what somebody else is at."""
    note = f" ({claim.note})" if claim.note else ""
    text = f"{claim.saga_id} is claimed by {claim.actor} since {claim.at.isoformat(timespec='seconds')}{note}"
    return CliError("CLAIMED", f"{text}; --take-over if you know better", exit_code=Exit.CONFLICT)


def warn_of_others(settings: Settings, rows: Sequence[SagaRow], actor: str) -> None:
    """Say who else is at these sagas. It stops nobody."""
    held: Mapping[UUID, Claim] = open_claims(settings).held([row.id for row in rows])
    others = [claim for claim in held.values() if claim.actor != actor]
    for claim in others[:_NAMED]:
        say(f"[yellow]{claim.saga_id} is claimed by[/] {holder(claim)}")
    if len(others) > _NAMED:
        say(f"[yellow]… and {len(others) - _NAMED} more are claimed by others[/]")
