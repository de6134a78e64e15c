"""The rules of design §6 as message scripts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.definition import Saga, Step
from orchestrator.core.messages import (
    Answer,
    Control,
    ControlCommand,
    DeadRequest,
    Direction,
    Parked,
    Succeeded,
    Wake,
)
from orchestrator.core.sample import sample
from orchestrator.core.state import EffectStatus, Status
from orchestrator.testing.script import Script
from schemas.models import (
    ApproveSupplier,
    PortalAccountClosed,
    PortalAccountCreated,
    SendWelcomeEmail,
    SupplierApproved,
    VendorCreated,
    VendorOnboardingRequested,
)
from datetime import UTC, datetime, timedelta


def _approve(request: VendorOnboardingRequested, _: object) -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V", vendor_name=request.vendor_name, tax_id=request.tax_id, category="x")


def run_to_mail(script: Script) -> None:
    script.succeed("erp-vendor", VendorCreated(vendor_id="V-1", created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    script.succeed("portal-account", PortalAccountCreated(account_id="P-1", login_url="https://portal.example/1"))


def test_every_step_succeeds(script: Script) -> None:
    run_to_mail(script)
    script.succeed("welcome-email")
    script.succeed("approved-supplier")
    assert script.sent == ["do erp-vendor", "do portal-account", "do welcome-email", "do approved-supplier"]
    assert script.status is Status.COMPLETED
    assert [o.status for o in script.outcomes] == ["completed"]
    assert script.dead_letters == []
    assert script.state is not None
    assert script.state.wake_at is None


def test_later_steps_are_mapped_from_earlier_outputs(script: Script) -> None:
    run_to_mail(script)
    mail = script.commands[-1].record
    assert isinstance(mail, SendWelcomeEmail)
    assert mail.login_url == "https://portal.example/1"
    assert mail.recipient_name == "Ada Müller"


def test_rejection_undoes_in_reverse_and_leaves_one_dead_letter(script: Script) -> None:
    run_to_mail(script)
    script.succeed("welcome-email")
    script.reject("approved-supplier", "SANCTIONED")
    script.undone("welcome-email")
    script.undone("portal-account")
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.sent[4:] == ["undo welcome-email", "undo portal-account", "undo erp-vendor", "probe erp-vendor"]
    assert script.status is Status.COMPENSATED
    assert [(o.status, o.step, o.code) for o in script.outcomes] == [("compensated", "approved-supplier", "SANCTIONED")]
    assert script.dead_letters == [DeadRequest("approved-supplier", "SANCTIONED", "")]


def test_a_transient_failure_is_tried_again_after_its_backoff(script: Script) -> None:
    script.fail("erp-vendor")
    assert script.sent == ["do erp-vendor"]
    script.wait_until_due()
    assert script.sent == ["do erp-vendor", "do erp-vendor"]
    assert [c.attempt for c in script.commands] == [1, 2]


def test_retry_after_is_waited_for(script: Script) -> None:
    script.fail("erp-vendor", retry_after=17)
    script.wait(16)
    assert len(script.sent) == 1
    script.wait(1)
    assert len(script.sent) == 2


def test_an_absurd_retry_after_is_cut(script: Script) -> None:
    script.fail("erp-vendor", retry_after=1e15)
    script.wait(3600)
    assert len(script.sent) == 2


def test_exhausted_retries_compensate(script: Script) -> None:
    script.succeed("erp-vendor")
    for _ in range(3):
        script.fail("portal-account")
        script.wait_until_due()
    script.fail("portal-account")
    assert script.sent[-1] == "undo erp-vendor"
    assert script.sent.count("do portal-account") == 4


def test_a_missing_completion_is_retried_then_undone_with_its_own_step(script: Script) -> None:
    for _ in range(4):
        script.wait(30)
        assert script.status is Status.RUNNING or script.sent[-1] == "undo erp-vendor"
        script.wait(5)
    assert script.sent == ["do erp-vendor"] * 4 + ["undo erp-vendor"]


def test_a_late_success_after_the_undo_has_begun_is_one_effect_and_is_undone(script: Script) -> None:
    for _ in range(4):
        script.wait(30)
        script.wait(5)
    script.succeed("erp-vendor", attempt=1)
    assert script.sent[-1] == "undo erp-vendor"
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED
    assert script.sent.count("undo erp-vendor") == 1


def test_success_of_an_older_attempt_counts(script: Script) -> None:
    script.wait(30)
    script.wait(5)
    assert script.commands[-1].attempt == 2
    script.succeed("erp-vendor", attempt=1)
    assert script.sent[-1] == "do portal-account"


def test_failure_of_an_older_attempt_does_not_count(script: Script) -> None:
    script.wait(30)
    script.wait(5)
    script.reject("erp-vendor", attempt=1)
    assert script.status is Status.RUNNING
    assert "no longer counts" in script.notes[-1]


def test_unknown_of_an_idempotent_action_is_asked_again_under_its_key_and_undone_when_given_up(script: Script) -> None:
    for _ in range(3):
        script.lose("erp-vendor")
        script.wait_until_due()
    commands = [(c.step, c.direction, c.round, c.attempt) for c in script.commands]
    assert commands == [("erp-vendor", Direction.DO, 1, attempt) for attempt in (1, 2, 3, 4)], (
        "one effect, and so one key"
    )
    script.lose("erp-vendor")
    assert script.sent[-1] == "undo erp-vendor"
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED


def test_rejected_after_unknown_proves_nothing(script: Script) -> None:
    script.lose("erp-vendor")
    script.wait_until_due()
    script.reject("erp-vendor", "DUPLICATE_TAX_ID")
    assert script.sent[-1] == "undo erp-vendor"


def test_rejected_after_a_timeout_is_the_consumers_word(script: Script) -> None:
    script.wait(30)
    script.wait(5)
    script.reject("erp-vendor", "DUPLICATE_TAX_ID")
    assert script.status is Status.COMPENSATED
    assert "undo erp-vendor" not in script.sent


def test_unknown_of_a_blind_action_waits_for_a_person(script: Script) -> None:
    run_to_mail(script)
    script.lose("welcome-email")
    assert script.status is Status.REVIEW
    assert script.dead_letters == [
        Parked("welcome-email", Direction.DO, "OUTCOME_UNKNOWN", "nobody can say whether it was done")
    ]
    assert [o.status for o in script.outcomes] == ["review"]
    script.wait(1000)
    assert script.sent[-1] == "do welcome-email"


def test_a_person_says_the_mail_was_sent(script: Script) -> None:
    run_to_mail(script)
    script.lose("welcome-email")
    from schemas.models import WelcomeEmailSent

    script.control(ControlCommand.RESOLVE, resolved="done", output=WelcomeEmailSent(message_id="<x@example>"))
    assert script.refusals == []
    assert script.sent[-1] == "do approved-supplier"


def test_a_person_says_the_mail_was_not_sent(script: Script) -> None:
    run_to_mail(script)
    script.lose("welcome-email")
    script.control(ControlCommand.RETRY)
    assert "only with resolved=not-done" in script.refusals[0]
    script.control(ControlCommand.RETRY, resolved="not-done")
    assert script.commands[-1].resolved == "not-done"
    assert script.commands[-1].by_operator
    assert script.commands[-1].attempt == 2
    assert script.status is Status.RUNNING


def test_a_failing_undo_parks_with_everything_visible_and_a_person_ends_it(script: Script) -> None:
    script.succeed("erp-vendor")
    script.reject("portal-account")
    for _ in range(7):
        script.fail("erp-vendor", undo=True)
        script.wait_until_due()
    script.fail("erp-vendor", undo=True)
    assert script.status is Status.REVIEW
    assert script.sent.count("undo erp-vendor") == 8
    assert script.outcomes[-1].residue == ("erp-vendor",)
    script.control(ControlCommand.RESOLVE, resolved="done")
    assert script.sent[-1] == "probe erp-vendor", "a person's word is verified, too"
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED
    assert script.outcomes[-1].residue == ()


def test_a_skipped_undo_stays_as_residue(script: Script) -> None:
    script.succeed("erp-vendor")
    script.reject("portal-account")
    script.reject("erp-vendor", undo=True)
    assert script.status is Status.REVIEW
    script.control(ControlCommand.SKIP)
    assert script.status is Status.COMPENSATED
    assert script.outcomes[-1].residue == ("erp-vendor",)


def test_cancel_during_a_slow_do_lets_it_land_then_undoes_everything(script: Script) -> None:
    script.succeed("erp-vendor")
    script.control(ControlCommand.CANCEL)
    assert script.sent[-1] == "do portal-account"
    assert script.status is Status.COMPENSATING
    script.succeed("portal-account")
    assert script.sent[-1] == "undo portal-account"
    script.undone("portal-account")
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.status is Status.CANCELLED
    assert script.dead_letters == []


def test_cancel_gives_up_an_attempt_that_waits(script: Script) -> None:
    script.succeed("erp-vendor")
    script.fail("portal-account")
    script.control(ControlCommand.CANCEL)
    assert script.sent[-1] == "undo erp-vendor"


def test_cancel_undoes_a_waiting_attempt_that_timed_out(script: Script) -> None:
    script.succeed("erp-vendor")
    script.wait(30)
    script.control(ControlCommand.CANCEL)
    assert script.sent[-1] == "undo portal-account"


def test_cancel_is_refused_after_the_end(script: Script) -> None:
    script.reject("erp-vendor")
    script.control(ControlCommand.CANCEL)
    assert script.refusals == ["the saga has ended: compensated"]


def test_pause_holds_commands_and_lets_answers_land(script: Script) -> None:
    script.control(ControlCommand.PAUSE)
    script.succeed("erp-vendor")
    assert script.sent == ["do erp-vendor"]
    script.control(ControlCommand.RESUME)
    assert script.sent == ["do erp-vendor", "do portal-account"]


def test_cancel_clears_a_pause(script: Script) -> None:
    script.succeed("erp-vendor")
    script.succeed("portal-account")
    script.control(ControlCommand.PAUSE)
    script.control(ControlCommand.CANCEL)
    script.reject("welcome-email")
    assert script.sent[-1] == "undo portal-account"


def test_a_decision_about_another_revision_is_refused(script: Script) -> None:
    script.control(ControlCommand.CANCEL, if_revision=7)
    assert script.refusals == ["the saga has moved on: revision 1, not 7"]
    assert script.status is Status.RUNNING


def test_the_branches_of_a_parallel_start_together_and_are_undone_together(
    forked: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(forked)
    script.request(vendor)
    script.succeed("first")
    assert script.sent[1:] == ["do left", "do right"]
    script.succeed("left")
    assert len(script.sent) == 3
    script.succeed("right")
    script.reject("last")
    assert script.sent[4:] == ["undo left", "undo right"]
    script.undone("right")
    assert len(script.sent) == 6
    script.undone("left")
    assert script.sent[6:] == ["undo first"]


def test_no_undo_starts_while_a_sibling_is_in_flight(forked: Saga, vendor: VendorOnboardingRequested) -> None:
    script = Script(forked)
    script.request(vendor)
    script.succeed("first")
    script.reject("left")
    assert script.sent[-1] == "do right"
    assert script.status is Status.COMPENSATING
    script.succeed("right")
    assert script.sent[-1] == "undo right"


def test_after_the_pivot_a_rejection_waits_for_a_person(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.succeed("pivot")
    script.reject("after")
    assert script.status is Status.REVIEW
    script.control(ControlCommand.CANCEL)
    assert "pivot" in script.refusals[0]
    script.control(ControlCommand.RETRY)
    script.succeed("after")
    assert script.status is Status.COMPLETED


def test_cancel_is_refused_when_the_pivot_lands_first(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.control(ControlCommand.CANCEL)
    script.succeed("pivot")
    assert "cancel refused: the pivot landed first" in script.notes
    assert script.sent[-1] == "do after"


def test_a_pivot_that_lands_after_the_end_does_not_start_a_cancelled_saga_again(
    vendor: VendorOnboardingRequested,
) -> None:
    pivot = Step("pivot", ApproveSupplier, _approve, irreversible=True, pivot=True)
    after = Step("after", ApproveSupplier, _approve)
    script = Script(Saga("begins-with-its-pivot", 1, VendorOnboardingRequested, [pivot, after]))
    script.request(vendor)
    script.fail("pivot")
    script.control(ControlCommand.CANCEL)
    assert script.status is Status.CANCELLED
    script.succeed("pivot", attempt=1)
    assert script.sent == ["do pivot"]
    assert script.status is Status.REVIEW
    assert script.dead_letters[-1].code == "CONTRADICTION"


def test_a_decision_to_compensate_is_refused_too_when_the_pivot_lands_first(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.control(ControlCommand.COMPENSATE)
    script.succeed("pivot")
    assert script.sent[-1] == "do after"
    assert script.status is Status.RUNNING


def test_what_a_person_resolved_is_no_doubt_any_more(script: Script) -> None:
    run_to_mail(script)
    script.lose("welcome-email")
    script.control(ControlCommand.RETRY, resolved="not-done")
    script.reject("welcome-email", "MAILBOX_UNAVAILABLE")
    assert script.sent[-1] == "undo portal-account"


def test_a_park_about_an_undo_that_does_not_exist_is_only_retried(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(pivoted)
    script.request(vendor)
    script.deliver(Control(ControlCommand.PARK, reason="x", step="pivot", direction=Direction.UNDO))
    for command in (ControlCommand.RESOLVE, ControlCommand.SKIP):
        script.control(command, resolved="not-done")
    assert len(script.refusals) == 2
    script.control(ControlCommand.RETRY)
    assert script.status is Status.RUNNING


def test_an_unknown_pivot_without_an_undo_waits_for_a_person(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.lose("pivot")
    script.wait_until_due()
    script.lose("pivot")
    assert script.status is Status.REVIEW
    script.succeed("pivot", attempt=1)
    assert script.status is Status.RUNNING
    assert script.sent[-1] == "do after"


def test_an_unknown_pivot_that_a_person_found_done_is_not_left_behind(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    """Found by `saga simulate --seed 1`: the saga ended as if it had been undone."""
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.control(ControlCommand.CANCEL)
    script.lose("pivot")
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, resolved="done", output=sample(SupplierApproved, full=True))
    assert script.status is Status.RUNNING
    assert script.sent[-1] == "do after"


def test_a_pivot_that_landed_after_all_is_not_left_behind_by_a_retry(
    pivoted: Saga, vendor: VendorOnboardingRequested
) -> None:
    """Found by `saga simulate --seed 10426`: the saga ended as if the pivot had been undone, and nobody had said so."""
    script = Script(pivoted)
    script.request(vendor)
    script.succeed("before")
    script.reject("pivot")
    script.succeed("pivot", attempt=1)
    script.undone("before")
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RETRY)
    assert "a retry would leave it behind" in script.refusals[0]
    assert script.status is Status.REVIEW
    script.control(ControlCommand.RESOLVE, resolved="done", output=sample(SupplierApproved, full=True))
    assert script.status is Status.COMPENSATED
    assert script.outcomes[-1].residue == ("pivot",)


def test_success_of_a_step_that_never_started_is_shown_to_a_person(script: Script) -> None:
    script.succeed("approved-supplier", attempt=1)
    assert script.status is Status.REVIEW
    assert script.dead_letters[0].code == "CONTRADICTION"


def test_success_of_a_step_held_as_not_done_is_undone_even_after_the_end(script: Script) -> None:
    script.succeed("erp-vendor")
    script.reject("portal-account")
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED
    script.succeed("portal-account", attempt=1)
    assert script.status is Status.COMPENSATING
    assert script.sent[-1] == "undo portal-account"
    script.undone("portal-account")
    assert script.status is Status.COMPENSATED
    assert len([d for d in script.dead_letters if isinstance(d, DeadRequest)]) == 1


def test_an_undo_nobody_asked_for_is_shown_to_a_person(script: Script) -> None:
    script.succeed("erp-vendor")
    script.undone("erp-vendor", attempt=1)
    assert script.status is Status.REVIEW


def test_an_answer_of_the_wrong_type_is_shown_to_a_person(script: Script) -> None:
    script.deliver(Answer("erp-vendor", Direction.DO, 1, 1, Succeeded(PortalAccountClosed(found=True))))
    assert script.status is Status.REVIEW
    assert script.dead_letters[0].code == "CONTRACT_VIOLATION"


def test_an_answer_for_an_unknown_step_is_shown_to_a_person(script: Script) -> None:
    script.deliver(Answer("nonsense", Direction.DO, 1, 1, Succeeded(PortalAccountClosed(found=True))))
    assert script.status is Status.REVIEW


def test_a_mapping_that_raises_parks_the_saga(vendor: VendorOnboardingRequested, pivoted: Saga) -> None:
    broken = pivoted.steps[0]

    def mapping(request: VendorOnboardingRequested, done: object) -> object:
        if request.vendor_name != "sample":
            msg = "no such luck"
            raise ValueError(msg)
        return broken.input(request, done)  # type: ignore[union-attr, arg-type]

    from dataclasses import replace

    definition = Saga("broken", 1, VendorOnboardingRequested, [replace(broken, input=mapping)])  # type: ignore[type-var]
    script = Script(definition)
    script.request(vendor)
    assert script.status is Status.REVIEW
    assert script.dead_letters[0].code == "MAPPING_FAILED"
    assert "no such luck" in script.dead_letters[0].message


def test_an_early_wake_changes_nothing_and_sets_the_true_deadline(script: Script) -> None:
    assert script.state is not None
    before = script.state
    transition = script.deliver(Wake())
    assert transition.entry is None
    assert script.state.revision == before.revision
    assert script.state.wake_at == before.steps["erp-vendor"].do.due  # type: ignore[union-attr]


def test_wake_at_is_a_lower_bound_that_a_later_deadline_leaves_alone(script: Script) -> None:
    assert script.state is not None
    first = script.state.wake_at
    script.now = script.now.replace(second=10)
    script.succeed("erp-vendor")
    assert script.state.wake_at == first


def test_a_duplicate_request_under_another_id_changes_nothing(
    script: Script, vendor: VendorOnboardingRequested
) -> None:
    script.request(vendor)
    assert script.sent == ["do erp-vendor"]


@pytest.mark.parametrize("direction", list(Direction))
def test_the_same_arguments_give_the_same_transition(script: Script, direction: Direction) -> None:
    from orchestrator.core.decide import decide

    message = Answer("erp-vendor", direction, 1, 1, Succeeded(PortalAccountClosed(found=True)))
    first = decide(script.definition, script.state, message, script.now, "x")
    assert decide(script.definition, script.state, message, script.now, "x") == first


def test_round_trips_of_an_effect_keep_every_field(script: Script) -> None:
    script.lose("erp-vendor", "CUT")
    assert script.state is not None
    do = script.state.steps["erp-vendor"].do
    assert do is not None
    assert (do.status, do.doubtful, do.code, do.attempt) == (EffectStatus.WAITING, True, "CUT", 1)


def test_silence_is_no_answer_while_answers_lie_unread(script: Script) -> None:
    """A coordinator that was away finds the deadline before the completion that came in time."""
    run_to_mail(script)
    script.wait(40, deaf=True)
    assert script.status is Status.RUNNING
    assert script.sent[-1] == "do welcome-email"
    assert script.state is not None
    assert script.state.wake_at is not None
    assert script.state.wake_at <= script.now  # so that the timer asks again
    script.succeed("welcome-email")
    script.succeed("approved-supplier")
    assert script.status is Status.COMPLETED


def test_the_silence_of_a_system_that_is_away_burns_no_attempt(script: Script) -> None:
    for _ in range(20):
        assert script.state is not None
        script.now += timedelta(seconds=60)
        script.deliver(Wake(away=frozenset({"erp"})))
    assert script.sent == ["do erp-vendor"]
    assert script.status is Status.RUNNING
    assert "do of erp-vendor: erp is away, so it gets more time" in script.notes
    # It is back, and from now on silence means what it says.
    script.deliver(Wake())
    assert script.sent == ["do erp-vendor"]
    script.wait(61)
    script.wait(5)
    assert script.sent == ["do erp-vendor", "do erp-vendor"]


def test_a_system_that_is_away_makes_nobody_elses_silence_good(script: Script) -> None:
    script.now += timedelta(seconds=31)
    script.deliver(Wake(away=frozenset({"portal", "mail"})))
    script.wait(5)
    assert script.sent == ["do erp-vendor", "do erp-vendor"]


def _through_third(script: Script, vendor: VendorOnboardingRequested) -> None:
    script.request(vendor)
    for name in ("first", "left", "right", "third"):
        script.succeed(name)
    script.reject("last", "NO")


def test_an_undo_that_is_given_up_does_not_hold_up_the_others(
    forgiving: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(forgiving)
    _through_third(script, vendor)
    script.undone("third")
    script.reject("left", "LOCKED", undo=True)
    # It is known, and shown, but the others come first.
    assert script.status is Status.COMPENSATING
    assert script.dead_letters == []
    script.undone("right")
    script.undone("first")
    assert script.status is Status.REVIEW
    assert script.sent[-4:] == ["undo third", "undo left", "undo right", "undo first"]
    (letter,) = script.dead_letters
    assert isinstance(letter, Parked)
    assert (letter.step, letter.direction, letter.code) == ("left", Direction.UNDO, "LOCKED")
    assert script.outcomes[-1].residue == ("left",)
    script.control(ControlCommand.RESOLVE, step="left", direction=Direction.UNDO, resolved="done")
    assert script.status is Status.COMPENSATED
    assert len(script.dead_letters) == 2  # and the request of the saga that was compensated


def test_a_retry_of_what_was_left_behind_that_fails_again_is_announced_again(
    forgiving: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(forgiving)
    _through_third(script, vendor)
    script.undone("third")
    script.reject("left", "LOCKED", undo=True)
    script.reject("right", "LOCKED TOO", undo=True)
    script.undone("first")
    assert [letter.step for letter in script.dead_letters] == ["left", "right"]
    script.control(ControlCommand.RETRY, step="left", direction=Direction.UNDO)
    assert script.status is Status.COMPENSATING
    script.reject("left", "STILL LOCKED", undo=True)
    assert script.status is Status.REVIEW
    assert [letter.code for letter in script.dead_letters] == ["LOCKED", "LOCKED TOO", "STILL LOCKED"]


def test_an_undo_that_cannot_even_be_asked_for_does_not_hold_up_the_others(
    forgiving: Saga, vendor: VendorOnboardingRequested
) -> None:
    script = Script(forgiving)
    _through_third(script, vendor.model_copy(update={"vendor_name": "Nobody"}))
    assert script.sent[-2:] == ["undo left", "undo right"]
    script.undone("left")
    script.undone("right")
    script.undone("first")
    assert script.status is Status.REVIEW
    assert [letter.code for letter in script.dead_letters] == ["MAPPING_FAILED"]


def test_an_undo_that_cannot_be_asked_for_holds_up_the_others_by_default(
    vendor: VendorOnboardingRequested, forgiving: Saga
) -> None:
    script = Script(replace(forgiving, on_compensation_failure="park"))
    _through_third(script, vendor.model_copy(update={"vendor_name": "Nobody"}))
    assert script.status is Status.REVIEW
    assert [sent for sent in script.sent if sent.startswith("undo")] == []
