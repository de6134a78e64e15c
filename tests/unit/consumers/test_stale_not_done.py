"""A person who looks while the command lies unread, and what they say of it when it has been read after all."""

from __future__ import annotations

from msgspec.structs import replace

from datetime import UTC, datetime
from uuid import UUID

from consumers.claims import Claim, Identity, Writes, judge
from orchestrator.core.effects import Ask, EffectRow, Perform, RowStatus
from orchestrator.core.messages import Command, ControlCommand
from orchestrator.core.state import Status
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import PaymentTerms, VendorOnboardingRequested, VendorType

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def claim_of(command: Command, rows: dict[Identity, EffectRow]) -> object:
    """The consumer's verdict on a command; its writes go into `rows`."""
    identity = Identity(UUID(int=1), command.step, command.direction, command.round)
    ask = Ask(command.direction, command.attempt, "blind", command.by_operator, command.resolved)
    writes = Writes()
    admitted = judge(Claim(identity, "mail", ask, UUID(int=command.attempt), 44.0, b"unknown"), rows, NOW, writes)
    rows.update({i: row for i, _, row in writes.new} | dict(writes.changed))
    return admitted.verdict


def test_not_done_says_nothing_of_an_attempt_that_is_read_later() -> None:
    script = Script(vendor_onboarding)
    script.request(
        VendorOnboardingRequested(
            vendor_name="V", vendor_type=VendorType.SUPPLIER, tax_id="DE123456789", payment_terms=PaymentTerms.NET_30,
            primary_contact_name="Ada", primary_contact_email="ada@example.com", category="bearings",
        )
    )  # fmt: skip
    script.succeed("erp-vendor")
    script.succeed("portal-account")
    while script.status is not Status.REVIEW:
        script.wait_until_due()  # the consumer lags: the mail's commands lie unread
    script.control(ControlCommand.RETRY, step="welcome-email", resolved="not-done")  # true when it is said
    first, *_, last = [c for c in script.commands if c.step == "welcome-email"]
    rows: dict[Identity, EffectRow] = {}
    assert isinstance(claim_of(first, rows), Perform)
    (identity,) = rows
    # The mail went out, and the connection was cut before the answer.
    rows[identity] = replace(rows[identity], status=RowStatus.UNKNOWN, owner=None, lease_until=None, doubtful=True)
    assert not isinstance(claim_of(last, rows), Perform)
