"""What comes late, after a person has decided: found by a random walk of truthful operators and the consumers' rules."""

from __future__ import annotations

import pytest

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.messages import ControlCommand, Direction
from orchestrator.core.policy import Retry
from orchestrator.core.state import EffectStatus, Status
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import (
    ApproveSupplier,
    CreateVendor,
    DeactivateVendor,
    ErpPaymentTerms,
    ErpVendorType,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
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
    if r.vendor_name == "Nobody":
        msg = "nobody cannot be undone"
        raise ValueError(msg)
    return DeactivateVendor(tax_id=r.tax_id)


def _mail(r: VendorOnboardingRequested, _: object) -> SendWelcomeEmail:
    return SendWelcomeEmail(
        recipient=r.primary_contact_email, recipient_name=r.primary_contact_name, login_url="https://x.example.com"
    )


def _sorry(r: VendorOnboardingRequested, _: object) -> SendApologyEmail:
    return SendApologyEmail(recipient=r.primary_contact_email, recipient_name=r.primary_contact_name)


def _approve(r: VendorOnboardingRequested, _: object) -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V", vendor_name=r.vendor_name, tax_id=r.tax_id, category="x")


def erp(name: str, **details: object) -> Step:
    """Idempotent."""
    options = {"undo": Undo(DeactivateVendor, _deactivate, retry=ONCE), "retry": ONCE, **details}
    return Step(name, CreateVendor, _create, **options)  # type: ignore[arg-type]


def mail(name: str, **details: object) -> Step:
    """Blind, and its undo, too."""
    options = {"undo": Undo(SendApologyEmail, _sorry, retry=ONCE), "retry": ONCE, **details}
    return Step(name, SendWelcomeEmail, _mail, **options)  # type: ignore[arg-type]


def final(name: str, **details: object) -> Step:
    """Nothing undoes it."""
    options = {"irreversible": True, "retry": ONCE, **details}
    return Step(name, ApproveSupplier, _approve, **options)  # type: ignore[arg-type]


def begun(vendor: VendorOnboardingRequested, *steps: Step) -> Script:
    script = Script(Saga("odd", version=1, request=VendorOnboardingRequested, steps=steps))
    script.request(vendor)
    return script


def test_a_rerun_past_the_pivot_can_be_told_that_its_step_was_not_done(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor, final("pivot", pivot=True), mail("after"))
    script.succeed("pivot")
    script.lose("after")  # blind: waits for a person
    script.control(ControlCommand.RETRY, step="after", resolved="not-done")
    script.control(ControlCommand.RERUN, step="after")
    script.lose("after")  # waits again, on the way back
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, step="after", resolved="not-done")
    assert script.state is not None
    assert script.status is Status.RUNNING
    assert script.state.steps["after"].round == 2


@pytest.mark.parametrize("command", [ControlCommand.CANCEL, ControlCommand.COMPENSATE])
def test_an_undo_that_a_rerun_began_is_ended_whatever_becomes_of_the_rerun(
    vendor: VendorOnboardingRequested, command: ControlCommand
) -> None:
    script = begun(vendor, mail("post"))
    script.wait(31)  # no answer: its command may still lie unread
    script.control(ControlCommand.RERUN, step="post", resolved="not-done")
    assert script.sent[-1] == "undo post"
    script.control(command)
    assert script.status is Status.COMPENSATING
    script.undone("post")
    assert script.state is not None
    assert script.state.terminal


@pytest.mark.parametrize("ends", [False, True])
def test_late_success_of_what_was_held_as_not_done_is_shown_where_it_stays(
    vendor: VendorOnboardingRequested, *, ends: bool
) -> None:
    steps = [erp("first"), final("stays", residue_accepted=True), erp("last")]
    script = begun(vendor, *steps)
    script.succeed("first")
    script.wait(31)
    script.control(ControlCommand.RESOLVE, step="stays", resolved="not-done")
    if ends:
        script.undone("first")
        assert script.status is Status.COMPENSATED
    script.succeed("stays")
    if not ends:
        script.undone("first")
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RETRY)
    assert script.status is Status.COMPENSATED
    assert script.outcomes[-1].residue == ("stays",)


def test_the_pivot_does_not_land_first_where_a_person_was_asked_to_undo(vendor: VendorOnboardingRequested) -> None:
    nobody = vendor.model_copy(update={"vendor_name": "Nobody"})
    script = begun(nobody, erp("first"), erp("pivot", pivot=True), erp("after", undo=None))
    script.succeed("first")
    script.control(ControlCommand.COMPENSATE)
    script.wait(31)  # the pivot is unknown; its undo cannot be made, so a person is asked
    assert script.status is Status.REVIEW
    script.succeed("pivot")
    for step in ("pivot", "first"):  # undone by hand
        script.control(ControlCommand.RESOLVE, step=step, direction=Direction.UNDO, resolved="done")
    assert "do after" not in script.sent
    assert script.status is Status.COMPENSATED


def test_the_retry_of_an_undo_waits_for_what_came_late(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor, erp("first"), mail("later"))
    script.succeed("first")
    script.wait(31)
    script.control(ControlCommand.RESOLVE, step="later", resolved="not-done")
    script.reject("first", undo=True)
    script.succeed("later")
    script.control(ControlCommand.RETRY, step="first")
    assert script.sent[-1] == "undo later"
    script.undone("later")
    assert script.sent[-1] == "undo first"
    assert script.commands[-1].by_operator


def test_success_after_an_undo_by_hand_that_was_never_sent_is_shown(vendor: VendorOnboardingRequested) -> None:
    nobody = vendor.model_copy(update={"vendor_name": "Nobody"})
    script = begun(nobody, erp("only"), erp("last"))
    script.wait(31)  # unknown; its undo cannot be made
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, step="only", direction=Direction.UNDO, resolved="done")
    assert script.status is Status.COMPENSATED
    script.succeed("only")  # the command lay unread, and no undo of ours kept it back
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, step="only", direction=Direction.UNDO, resolved="done")
    assert script.status is Status.COMPENSATED


def test_what_came_after_an_undo_by_hand_is_verified_again(vendor: VendorOnboardingRequested) -> None:
    sure = Undo(DeactivateVendor, _deactivate, retry=ONCE, verify=True)
    script = begun(vendor, erp("only", undo=sure), erp("last"))
    script.wait(31)  # the do is unknown, and may lie unread
    script.wait(31)  # so may its undo
    script.control(ControlCommand.RESOLVE, step="only", direction=Direction.UNDO, resolved="done")
    script.gone("only")
    assert script.status is Status.COMPENSATED
    script.succeed("only")
    assert script.status is Status.REVIEW
    script.undone("only")
    assert script.sent == ["do only", "undo only", "probe only", "probe only"]
    script.gone("only")
    assert script.status is Status.COMPENSATED


def test_a_round_does_not_rise_on_an_undo_by_hand_while_the_do_may_still_come(
    vendor: VendorOnboardingRequested,
) -> None:
    nobody = vendor.model_copy(update={"vendor_name": "Nobody"})
    script = begun(nobody, erp("only"), erp("last"))
    script.control(ControlCommand.RERUN, step="only")
    script.wait(31)
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, step="only", direction=Direction.UNDO, resolved="done")
    assert "may still be done" in script.refusals[-1]
    assert script.sent == ["do only"]
    script.succeed("only")  # now it is known to be there
    script.control(ControlCommand.RESOLVE, step="only", direction=Direction.UNDO, resolved="done")
    assert script.sent == ["do only", "do only"]
    assert script.commands[-1].round == 2


def test_an_unknown_that_is_heard_after_a_person_said_not_done_counts(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor, mail("post"))
    script.wait(31)
    script.control(ControlCommand.RESOLVE, step="post", resolved="not-done")
    assert script.status is Status.COMPENSATED
    script.lose("post")  # a worker was at it only after the person had looked
    assert script.state is not None
    assert script.status is Status.REVIEW
    assert script.state.steps["post"].do is not None
    assert script.state.steps["post"].do.status is EffectStatus.UNKNOWN
    script.lose("post")  # once heard, it is decided for good
    script.control(ControlCommand.RESOLVE, step="post", resolved="not-done")
    script.lose("post")
    assert script.status is Status.COMPENSATED


def test_nobody_is_woken_for_an_undo_that_waits_for_a_person(vendor: VendorOnboardingRequested) -> None:
    undo = Undo(DeactivateVendor, _deactivate)
    steps = [erp("first", undo=undo), erp("last")]
    script = Script(
        Saga("odd", version=1, request=VendorOnboardingRequested, steps=steps, on_compensation_failure="continue")
    )
    script.request(vendor)
    script.succeed("first")
    script.reject("last")
    script.control(ControlCommand.PARK, step="first", direction=Direction.UNDO)  # the engine: it could not be sent
    script.wait(31)  # its time-out
    script.wait(60)
    assert script.status is Status.REVIEW
    assert script.state is not None
    assert script.state.wake_at is None
    script.control(ControlCommand.RETRY)
    assert script.sent[-2:] == ["undo first", "undo first"]


def test_an_undo_that_could_not_be_sent_holds_back_no_late_success(vendor: VendorOnboardingRequested) -> None:
    """A person undid by hand what had not been done yet, and then it was."""
    script = Script(vendor_onboarding)
    script.request(vendor)
    script.wait(30)
    script.control(ControlCommand.COMPENSATE)
    assert script.sent[-1] == "undo erp-vendor"
    script.control(ControlCommand.PARK, step="erp-vendor", direction=Direction.UNDO)
    script.control(ControlCommand.RESOLVE, step="erp-vendor", direction=Direction.UNDO, resolved="done")
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED
    script.succeed("erp-vendor", attempt=1)
    assert script.status is Status.REVIEW
    assert script.state is not None
    assert [park.code for park in script.state.parks] == ["CONTRADICTION"]


def test_to_skip_what_was_done_late_does_not_hide_it(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor, final("first", residue_accepted=True), erp("second"), final("third"))
    script.control(ControlCommand.CANCEL)
    script.reject("first")
    assert script.status is Status.CANCELLED
    script.succeed("first")  # it had been held as not done
    assert script.status is Status.REVIEW
    script.control(ControlCommand.SKIP, step="first")
    assert script.status is Status.CANCELLED
    assert script.outcomes[-1].residue == ("first",)


def test_what_was_done_unasked_and_skipped_is_undone_with_the_rest(vendor: VendorOnboardingRequested) -> None:
    script = begun(vendor, erp("first"), erp("second"), final("third"))
    script.succeed("second")  # nobody had asked for it
    script.control(ControlCommand.SKIP, step="second")
    script.succeed("first")
    script.reject("third")
    script.undone("second")
    script.undone("first")
    assert script.status is Status.COMPENSATED
    assert script.outcomes[-1].residue == ()
