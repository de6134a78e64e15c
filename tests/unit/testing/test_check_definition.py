"""`saga check-definition`: what each trouble at each step leaves behind, tried out on the real engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

import orchestrator.core.advance
from consumers.testing import Simulated
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.main import app
from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.messages import Direction
from orchestrator.core.sample import fitting
from orchestrator.core.state import EffectStatus, Status
from orchestrator.testing.simulation.aim import Aim, Trouble
from orchestrator.testing.simulation.explore import Ending, Finding, explore, try_seed
from schemas.models import (
    ApproveSupplier,
    CreateVendor,
    DeactivateVendor,
    ErpPaymentTerms,
    ErpVendorType,
    RevokeSupplier,
    SendWelcomeEmail,
    VendorOnboardingRequested,
)


def found(findings: list[Finding], step: str, trouble: Trouble) -> Finding:
    (one,) = [f for f in findings if (f.worst.step, f.worst.trouble) == (step, trouble)]
    return one


def _create(request: VendorOnboardingRequested, _: object) -> CreateVendor:
    return CreateVendor(
        vendor_name=request.vendor_name,
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id=request.tax_id,
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email=request.primary_contact_email,
    )


def _deactivate(request: VendorOnboardingRequested, _: object) -> DeactivateVendor:
    return DeactivateVendor(tax_id=request.tax_id)


def _approve(request: VendorOnboardingRequested, _: object) -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V", vendor_name=request.vendor_name, tax_id=request.tax_id, category="x")


def _revoke(request: VendorOnboardingRequested, _: object) -> RevokeSupplier:
    return RevokeSupplier(tax_id=request.tax_id)


def _mail(request: VendorOnboardingRequested, _: object) -> SendWelcomeEmail:
    return SendWelcomeEmail(
        recipient=request.primary_contact_email, recipient_name="Ada", login_url="https://portal.example.com"
    )


@pytest.fixture
def careless() -> Saga:
    """A mail that nobody can take back, before a step that can still be rejected."""
    return Saga(
        "careless",
        version=1,
        request=VendorOnboardingRequested,
        steps=[
            Step("first", CreateVendor, _create, undo=Undo(DeactivateVendor, _deactivate)),
            Step("mail", SendWelcomeEmail, _mail, irreversible=True, residue_accepted=True),
            Step("last", ApproveSupplier, _approve, undo=Undo(RevokeSupplier, _revoke)),
        ],
    )


def check(definition: Saga) -> list[Finding]:
    seeds = range(2 * Aim.count(definition))
    return explore(definition, fitting(definition.request), Simulated, seeds)


def test_every_trouble_befalls_every_step_that_it_concerns(careless: Saga) -> None:
    findings = check(careless)
    assert {f.worst.step for f in findings} == {"first", "mail", "last"}
    assert len(findings) == Aim.count(careless) == 3 * len(Trouble) - 3  # the mail has no undo that could fail
    assert all(f.trials == 2 for f in findings)


def test_what_cannot_be_taken_back_is_named(careless: Saga) -> None:
    findings = check(careless)
    rejected = found(findings, "last", Trouble.REJECTED)
    assert (rejected.worst.ending, rejected.worst.remains) == (Ending.ACCEPTED, ["mail"])
    crashed = found(findings, "mail", Trouble.WORKER_CRASH)
    assert (crashed.worst.ending, crashed.worst.status) == (Ending.REVIEW, Status.REVIEW)
    assert "mail" in crashed.worst.remains
    assert found(findings, "first", Trouble.REJECTED).worst.ending is Ending.CLEAN


def test_what_remains_and_is_told_to_nobody_is_found(careless: Saga, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_undo = orchestrator.core.advance.needs_undo

    def forgetful(draft: Any, step: Any) -> bool:
        """A step that may have been done counts as not done."""
        do = draft.effect(step.name, Direction.DO)
        return needs_undo(draft, step) and do is not None and do.status is EffectStatus.DONE

    monkeypatch.setattr(orchestrator.core.advance, "needs_undo", forgetful)
    silent = found(check(careless), "first", Trouble.SILENCE)
    assert silent.worst.ending is Ending.UNNOTICED
    assert "first was left behind" in silent.text


def test_a_seed_is_told_again(careless: Saga) -> None:
    worst = found(check(careless), "mail", Trouble.ANSWER_LOST).worst
    again = try_seed(careless, fitting(careless.request), Simulated, worst.seed)
    assert (again.step, again.trouble, again.ending, again.remains) == (
        worst.step, worst.trouble, worst.ending, worst.remains,
    )  # fmt: skip
    assert any("has the system do of mail" in line for line in again.story)


def test_the_shipped_definition_leaves_nothing_unnoticed() -> None:
    result = CliRunner().invoke(app, ["check-definition", "vendor-onboarding", "--seeds", "120", "-o", "json"])
    assert result.exit_code == 0, result.output
    rows = {(row["step"], row["trouble"]): row for row in json.loads(result.stdout)}
    assert rows["welcome-email", "worker_crash"]["ending"] == "review"
    assert "welcome-email" in rows["welcome-email", "worker_crash"]["remains"]
    assert rows["erp-vendor", "rejected"]["ending"] == "clean"
    assert rows["approved-supplier", "undo_fails"]["ending"] == "review"


def test_a_definition_that_is_not_there_is_said_so() -> None:
    error = CliRunner().invoke(app, ["check-definition", "nothing"]).exception
    assert isinstance(error, CliError)
    assert error.exit_code is Exit.NOT_FOUND


def test_a_request_that_does_not_fit_is_said_so(tmp_path: Any) -> None:
    path = tmp_path / "request.json"
    path.write_text("{}")
    result = CliRunner().invoke(app, ["check-definition", "vendor-onboarding", "--request", str(path)])
    assert isinstance(result.exception, CliError)
    assert result.exception.exit_code is Exit.USAGE


def test_what_is_made_up_fits() -> None:
    made = fitting(DeactivateVendor)
    assert DeactivateVendor.model_validate(made.model_dump()) == made
