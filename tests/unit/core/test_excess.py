"""A worker froze between its check and its send, and called after others had: what nobody can prevent is shown."""

from __future__ import annotations

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.messages import ControlCommand, Direction
from orchestrator.core.policy import Retry
from orchestrator.core.sample import sample
from orchestrator.core.state import EffectStatus, Status
from orchestrator.testing.script import Script
from schemas.models import (
    ApproveSupplier,
    CreateVendor,
    DeactivateVendor,
    ErpPaymentTerms,
    ErpVendorType,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
    WelcomeEmailSent,
)

ONCE = Retry(attempts=1)


def _create(r: VendorOnboardingRequested, _: object) -> CreateVendor:
    return CreateVendor(
        vendor_name=r.vendor_name,
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id=r.tax_id,
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email=r.primary_contact_email,
    )


def _deactivate(r: VendorOnboardingRequested, _: object) -> DeactivateVendor:
    return DeactivateVendor(tax_id=r.tax_id)


def _approve(r: VendorOnboardingRequested, _: object) -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V", vendor_name=r.vendor_name, tax_id=r.tax_id, category="x")


def _mail(r: VendorOnboardingRequested, _: object) -> SendWelcomeEmail:
    return SendWelcomeEmail(
        recipient=r.primary_contact_email, recipient_name=r.primary_contact_name, login_url="https://x.example.com"
    )


def _sorry(r: VendorOnboardingRequested, _: object) -> SendApologyEmail:
    return SendApologyEmail(recipient=r.primary_contact_email, recipient_name=r.primary_contact_name)


def begun(vendor: VendorOnboardingRequested) -> Script:
    """erp (idempotent) → mail (blind) → last (idempotent)."""
    undo = Undo(DeactivateVendor, _deactivate, retry=ONCE)
    steps = [
        Step("erp", CreateVendor, _create, undo=undo, retry=ONCE),
        Step("mail", SendWelcomeEmail, _mail, undo=Undo(SendApologyEmail, _sorry, retry=ONCE), retry=ONCE),
        Step("last", CreateVendor, _create, undo=undo, retry=ONCE),
    ]
    script = Script(Saga("excess", version=1, request=VendorOnboardingRequested, steps=steps))
    script.request(vendor)
    return script


def asked(vendor: VendorOnboardingRequested) -> Script:
    """One step at a system that can be asked, and one after it."""
    undo = Undo(RevokeSupplier, lambda r, _: RevokeSupplier(tax_id=r.tax_id), retry=ONCE)
    approve = Step("list", ApproveSupplier, _approve, undo=undo, retry=ONCE)
    mail = Step("mail", SendWelcomeEmail, _mail, undo=Undo(SendApologyEmail, _sorry, retry=ONCE), retry=ONCE)
    script = Script(Saga("asked", version=1, request=VendorOnboardingRequested, steps=[approve, mail]))
    script.request(vendor)
    return script


def pivoted(vendor: VendorOnboardingRequested) -> Script:
    """A pivot, and a blind step behind it."""
    pivot = Step("pivot", CreateVendor, _create, irreversible=True, pivot=True, retry=ONCE)
    mail = Step("mail", SendWelcomeEmail, _mail, irreversible=True, retry=ONCE)
    script = Script(Saga("pivoted", version=1, request=VendorOnboardingRequested, steps=[pivot, mail]))
    script.request(vendor)
    script.succeed("pivot")
    return script


def parks(script: Script) -> list[tuple[str, str | None]]:
    assert script.state is not None
    return [(park.code, park.step) for park in script.state.parks]


def status(script: Script, step: str, direction: Direction = Direction.DO) -> EffectStatus | None:
    assert script.state is not None
    effect = script.state.steps[step].effect(direction)
    return effect and effect.status


def mailed_twice(vendor: VendorOnboardingRequested) -> Script:
    script = begun(vendor)
    script.succeed("erp")
    script.lose("mail")
    script.control(ControlCommand.RETRY, step="mail", resolved="not-done")
    script.succeed("mail")
    script.return_unclaimed("mail", attempt=1)
    return script


def test_a_second_success_of_a_blind_step_waits_for_a_person_and_is_named_as_residue(
    vendor: VendorOnboardingRequested,
) -> None:
    script = mailed_twice(vendor)
    assert parks(script) == [("EXCESS", "mail")]
    assert script.status is Status.REVIEW
    assert script.outcomes[-1].residue == ("mail",)
    assert script.dead_letters[-1].code == "EXCESS"
    # It is about what was done, not about the effect: what that answers later does not end it.
    assert status(script, "mail") is EffectStatus.DONE
    script.succeed("last")
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RETRY)
    assert script.status is Status.COMPLETED
    assert script.outcomes[-1].residue == ()


def test_going_back_neither_waits_for_it_nor_forgets_it(vendor: VendorOnboardingRequested) -> None:
    for decision in (ControlCommand.CANCEL, ControlCommand.COMPENSATE):
        script = mailed_twice(vendor)
        script.succeed("last")
        script.control(decision)
        for step in ("last", "mail", "erp"):
            script.undone(step)
        assert parks(script) == [("EXCESS", "mail")]
        assert script.status is Status.REVIEW
        # It is told at the end of going back, too: else nobody would learn that this has come to a stop.
        assert (script.outcomes[-1].status, script.outcomes[-1].residue) == (Status.REVIEW, ("mail",))
        assert len(script.outcomes) == 3
        script.control(ControlCommand.RETRY)
        assert script.status in (Status.CANCELLED, Status.COMPENSATED)


def test_it_reopens_a_saga_that_has_ended(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor)
    for step in ("erp", "mail", "last"):
        script.succeed(step)
    assert script.status is Status.COMPLETED
    script.return_unclaimed("mail", "unknown")
    assert script.status is Status.REVIEW
    assert "perhaps" in script.dead_letters[-1].message


def test_under_one_key_it_is_the_same_work(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor)
    script.succeed("erp")
    script.return_unclaimed("erp")
    script.return_unclaimed("erp", "unknown")
    assert parks(script) == []
    script.return_unclaimed("mail", attempt=1)  # the first word of it: it was done, by whomever
    assert status(script, "mail") is EffectStatus.DONE
    assert parks(script) == []


def test_what_came_back_after_its_undo_is_shown_under_any_key(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor)
    script.lose("erp")  # given up: its undo goes out
    script.undone("erp")
    assert script.status is Status.COMPENSATED
    script.return_unclaimed("erp")
    assert parks(script) == [("EXCESS", "erp")]
    assert script.outcomes[-1].residue == ("erp",)
    assert script.sent == ["do erp", "undo erp"]


def test_what_came_back_while_a_newer_attempt_is_out_is_shown_and_the_attempt_keeps_its_answer(
    vendor: VendorOnboardingRequested,
) -> None:
    script = begun(vendor)
    script.succeed("erp")
    script.lose("mail")
    script.control(ControlCommand.RETRY, step="mail", resolved="not-done")
    script.return_unclaimed("mail", attempt=1)
    assert parks(script) == [("EXCESS", "mail")]
    assert status(script, "mail") is EffectStatus.IN_FLIGHT
    script.reject("mail")
    assert script.status is Status.COMPENSATING
    script.undone("erp")
    assert script.status is Status.REVIEW
    assert script.outcomes[-1].residue == ("mail",)


def test_an_undo_that_was_carried_out_twice_is_shown(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor)
    script.succeed("erp")
    script.succeed("mail")
    script.reject("last")
    script.undone("mail")
    script.return_unclaimed("mail", undo=True)
    assert parks(script) == [("EXCESS", "mail")]


def test_a_rerun_waits_until_somebody_has_looked(vendor: VendorOnboardingRequested) -> None:
    script = mailed_twice(vendor)
    script.control(ControlCommand.RERUN, step="mail")
    assert "decide about that first" in script.refusals[-1]


def test_whoever_answers_first_two_calls_of_a_system_that_can_be_asked_are_shown(
    vendor: VendorOnboardingRequested,
) -> None:
    for result in ("succeeded", "unknown"):
        script = asked(vendor)
        script.return_unclaimed("list", result)
        script.succeed("list")  # of the worker that had asked, and then called
        assert parks(script) == [("EXCESS", "list")]
        assert script.status is Status.REVIEW


def test_a_late_call_says_nothing_of_a_later_attempt_that_nobody_knows_about(vendor: VendorOnboardingRequested) -> None:
    for result in ("succeeded", "unknown"):
        script = begun(vendor)
        script.succeed("erp")
        script.lose("mail")
        script.control(ControlCommand.RETRY, step="mail", resolved="not-done")
        script.lose("mail")
        script.return_unclaimed("mail", result, attempt=1)
        assert sorted(parks(script)) == [("EXCESS", "mail"), ("OUTCOME_UNKNOWN", "mail")]
        assert status(script, "mail") is EffectStatus.UNKNOWN


def test_beside_an_excess_an_open_question_can_be_answered_also_past_the_pivot(
    vendor: VendorOnboardingRequested,
) -> None:
    for command, details in ((ControlCommand.RESOLVE, {"resolved": "done"}), (ControlCommand.SKIP, {})):
        script = pivoted(vendor)
        script.lose("mail")
        script.control(ControlCommand.RETRY, step="mail", resolved="not-done")
        script.return_unclaimed("mail", attempt=1)
        script.lose("mail")
        output = sample(WelcomeEmailSent, full=True)
        script.control(command, step="mail", output=output, **details)
        assert script.refusals == []
        assert parks(script) == [("EXCESS", "mail")]
        script.control(ControlCommand.RETRY, step="mail")
        assert script.status is Status.COMPLETED
