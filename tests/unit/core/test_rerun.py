"""An operator does one step again: undone as far as that, in a new round, perhaps with a changed request."""

from __future__ import annotations

from orchestrator.core.definition import Saga
from orchestrator.core.messages import Answer, ControlCommand, Direction, Failure, Outcome, Succeeded
from orchestrator.core.sample import sample
from orchestrator.core.state import EffectStatus, Status
from orchestrator.testing.script import Script
from schemas.models import (
    CreateVendor,
    DeactivateVendor,
    PortalAccountCreated,
    VendorCreated,
    VendorOnboardingRequested,
)

RERUN = ControlCommand.RERUN


def _begun(definition: Saga, vendor: VendorOnboardingRequested, *steps: str) -> Script:
    script = Script(definition)
    script.request(vendor)
    for step in steps:
        script.succeed(step)
    return script


def test_undoes_the_step_and_what_came_after_and_goes_forward_again(
    forked: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    script.control(RERUN, step="left")
    # `last` is in flight: no undo before it has landed.
    assert script.sent == ["do first", "do left", "do right", "do last"]
    assert script.status is Status.COMPENSATING
    script.succeed("last")
    script.undone("last")
    script.undone("left")
    assert script.sent[4:] == ["undo last", "undo left", "do left"]
    assert script.status is Status.RUNNING
    assert script.commands[-1].round == 2
    assert script.commands[-1].attempt == 1
    script.succeed("left")
    script.succeed("last")
    assert script.status is Status.COMPLETED
    assert script.sent[7:] == ["do last"]
    assert not script.dead_letters


def test_a_changed_request_is_seen_from_the_step_on_and_by_its_undo(
    forked: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    other = vendor.model_copy(update={"tax_id": "DE999999999"})
    script.control(RERUN, step="left", request=other)
    script.succeed("last")
    script.undone("last")
    script.undone("left")
    script.succeed("left")
    again = script.commands[-1].record
    assert isinstance(again, CreateVendor)
    assert again.tax_id == "DE999999999"
    script.reject("last", "NO")
    assert script.status is Status.COMPENSATING
    for step in ("left", "right", "first"):
        script.undone(step)
    undo = script.commands[-1].record
    assert script.sent[-1] == "undo first"
    assert isinstance(undo, DeactivateVendor)
    assert undo.tax_id == vendor.tax_id, "the first step saw the old request, and so does its undo"
    assert script.status is Status.COMPENSATED


def test_what_was_never_done_is_not_undone(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(pivoted, vendor, "before", "pivot")
    script.reject("after", "EMAIL_IN_USE")
    assert script.status is Status.REVIEW
    other = vendor.model_copy(update={"primary_contact_email": "other@example.com"})
    script.control(RERUN, step="after", request=other)
    assert script.sent == ["do before", "do pivot", "do after", "do after"]
    assert script.commands[-1].round == 2
    script.succeed("after")
    assert script.status is Status.COMPLETED


def test_never_past_the_pivot(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(pivoted, vendor, "before", "pivot")
    for step in ("before", "pivot"):
        script.control(RERUN, step=step)
    assert len(script.refusals) == 2
    assert all("the pivot pivot is done" in text for text in script.refusals)
    assert script.status is Status.RUNNING


def test_the_pivot_may_land_first(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(pivoted, vendor, "before")
    script.control(RERUN, step="before")
    assert script.refusals == ["pivot has no undo, and what it did, or may yet do, would be there twice"]


def test_what_cannot_be_undone_is_not_done_again(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(pivoted, vendor, "before", "pivot")
    script.lose("after")
    script.wait_until_due()
    script.lose("after")
    assert script.status is Status.REVIEW
    script.control(RERUN, step="after")
    assert "would be there twice" in script.refusals[0]
    script.control(RERUN, step="after", resolved="not-done")
    assert script.sent[-1] == "do after"
    assert script.commands[-1].round == 2


def test_a_silent_attempt_without_an_undo_is_retried_and_not_done_again(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    """Its command may still lie unread, and would be carried out beside that of the next round."""
    script = _begun(pivoted, vendor, "before", "pivot")
    for _ in range(4):
        if script.status is Status.RUNNING:
            script.wait_until_due()
    assert script.status is Status.REVIEW
    script.control(RERUN, step="after", resolved="not-done")
    assert "would be there twice" in script.refusals[0]
    script.control(ControlCommand.RETRY)
    assert script.commands[-1].round == 1


def test_late_answers_of_an_undone_round_are_over(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    script.control(RERUN, step="last")
    script.succeed("last")
    script.undone("last")
    late = Answer("last", Direction.DO, 1, 1, Succeeded(sample(VendorCreated, full=True)))
    script.deliver(late)
    assert script.status is Status.RUNNING
    assert script.notes[-1] == "answer of round 1, this is round 2"
    script.succeed("last")
    assert script.status is Status.COMPLETED


def test_a_late_success_of_a_round_that_was_refused_is_a_contradiction(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = _begun(pivoted, vendor, "before", "pivot")
    script.reject("after")
    script.control(RERUN, step="after")
    script.deliver(Answer("after", Direction.DO, 1, 1, Succeeded(sample(PortalAccountCreated, full=True))))
    script.succeed("after")
    assert script.status is Status.REVIEW
    script.control(RERUN, step="after")
    assert "decide about that first" in script.refusals[0]


def test_cancelled_on_the_way_back(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    script.control(RERUN, step="last")
    script.control(ControlCommand.CANCEL)
    script.succeed("last")
    script.undone("last")
    script.undone("left")
    script.undone("right")
    script.undone("first")
    assert script.status is Status.CANCELLED


def test_a_failing_undo_waits_for_a_person(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    script.control(RERUN, step="last")
    script.succeed("last")
    script.reject("last", "LOCKED", undo=True)
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, resolved="done")
    assert script.sent[-1] == "do last"
    assert script.status is Status.RUNNING


def test_a_step_whose_undo_is_skipped_is_left_as_it_is(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first", "left", "right")
    script.control(RERUN, step="right")
    script.succeed("last")
    script.reject("last", "LOCKED", undo=True)
    script.control(ControlCommand.SKIP)
    assert script.sent[-1] == "undo right"
    script.undone("right")
    assert script.sent[-1] == "do right"
    script.succeed("right")
    assert script.status is Status.COMPLETED
    assert script.sent.count("do last") == 1, "it is still there, so it is not done again"
    assert "last is left as it is, and is not done again" in script.notes


def test_refused_where_the_saga_goes_back_or_has_ended(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first")
    script.control(RERUN, step="last")
    script.control(RERUN)
    script.control(RERUN, step="nonsense")
    script.control(ControlCommand.CANCEL)
    script.control(RERUN, step="first")
    for step in ("left", "right"):
        script.deliver(Answer(step, Direction.DO, 1, 1, Failure(Outcome.REJECTED, "NO")))
    script.undone("first")
    script.control(RERUN, step="first")
    assert script.refusals == [
        "last has not been done yet",
        "say from which step on; there are first, left, right, last",
        "say from which step on; there are first, left, right, last",
        "the saga goes back; once it has ended, replay its dead letter",
        "the saga has ended: cancelled",
    ]


def test_a_refusal_changes_nothing_but_the_history(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(pivoted, vendor, "before", "pivot")
    script.lose("after")
    script.wait_until_due()
    script.lose("after")
    before = script.state
    assert before is not None
    script.control(RERUN, step="after", resolved="not-done", request=sample(VendorCreated, full=True))
    assert script.refusals == ["the request is a saga.vendor.VendorOnboardingRequested"]
    assert script.state is not None
    assert script.state.steps == before.steps
    assert script.state.steps["after"].do is not None
    assert script.state.steps["after"].do.status is EffectStatus.UNKNOWN


def test_a_saga_that_a_person_took_over_has_no_deadline(verified: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(verified, vendor, "first")
    script.control(RERUN, step="first")
    assert script.state is not None
    assert script.state.deadline is None


def test_a_sibling_that_lands_while_it_is_undone_is_done_again(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _begun(forked, vendor, "first")
    script.lose("right")
    script.succeed("left")
    script.control(RERUN, step="left")
    assert script.sent[3:] == ["undo left", "undo right"]
    # It had been done after all. Its undo is on the way, so it is not kept.
    script.succeed("right")
    script.undone("left")
    assert script.status is Status.COMPENSATING
    script.undone("right")
    assert script.sent[5:] == ["do left", "do right"]
    assert [command.round for command in script.commands[5:]] == [2, 2]
