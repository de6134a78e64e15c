"""Undos that are looked after, how effects end, and sagas that have to be over in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.definition import Saga, Step, Undo
from orchestrator.core.endings import Ending, endings
from orchestrator.core.errors import DefinitionError
from orchestrator.core.messages import Answer, ControlCommand, Direction, Failure, Outcome
from orchestrator.core.state import Status
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import SendApologyEmail, SendWelcomeEmail, VendorOnboardingRequested


@pytest.fixture
def going_back(verified: Saga, vendor: VendorOnboardingRequested) -> Script:
    """All done but the last step, which was rejected; what was done last is undone."""
    script = Script(verified)
    script.request(vendor)
    script.succeed("first")
    script.succeed("left")
    script.succeed("right")
    script.reject("last")
    script.undone("right")
    script.undone("left")
    return script


def _endings(script: Script) -> dict[str, Ending]:
    assert script.state is not None
    return dict(endings(script.definition, script.state))


def test_asks_after_the_undo_and_before_the_next(going_back: Script) -> None:
    assert going_back.sent[-3:] == ["undo left", "undo right", "probe left"]
    assert _endings(going_back) == {"right": Ending.OFFSET}
    going_back.gone("left")
    assert going_back.sent[-1] == "undo first"
    going_back.undone("first")
    going_back.gone("first")
    assert going_back.status is Status.COMPENSATED
    assert _endings(going_back) == {"left": Ending.CLEAN, "right": Ending.OFFSET, "first": Ending.CLEAN}
    assert going_back.outcomes[-1].residue == ()


def test_what_is_still_there_is_asked_again_and_then_waits_for_a_person(going_back: Script) -> None:
    for _ in range(8):  # as often as the undo that it verifies
        going_back.still_there("left")
        if going_back.status is Status.COMPENSATING:
            going_back.wait_until_due()
    assert going_back.status is Status.REVIEW
    assert going_back.state is not None
    (park,) = going_back.state.parks
    assert (park.code, park.step, park.direction) == ("RESIDUE", "left", Direction.PROBE)
    assert going_back.sent.count("probe left") == 8
    assert going_back.sent[-1] == "probe left", "the first step is not undone before"
    assert going_back.outcomes[-1].residue == ("first", "left")
    assert _endings(going_back)["left"] is Ending.RESIDUAL


@pytest.mark.parametrize("decision", ["retry", "resolve", "skip"])
def test_a_person_decides_about_residue(going_back: Script, decision: str) -> None:
    for _ in range(8):  # as often as the undo that it verifies
        going_back.still_there("left")
        if going_back.status is Status.COMPENSATING:
            going_back.wait_until_due()
    match decision:
        case "retry":
            going_back.control(ControlCommand.RETRY)
            assert going_back.sent[-1] == "probe left"
            going_back.gone("left")
        case "resolve":
            going_back.control(ControlCommand.RESOLVE, resolved="done")
        case "skip":
            going_back.control(ControlCommand.SKIP)
    going_back.undone("first")
    going_back.gone("first")
    assert going_back.status is Status.COMPENSATED
    left = Ending.RESIDUAL if decision == "skip" else Ending.CLEAN
    assert _endings(going_back)["left"] is left
    assert going_back.outcomes[-1].residue == (("left",) if decision == "skip" else ())


def test_a_system_that_cannot_be_asked_leaves_it_unknown(going_back: Script) -> None:
    going_back.deliver(Answer("left", Direction.PROBE, 1, 1, Failure(Outcome.REJECTED, "NO_PROBE")))
    assert going_back.status is Status.REVIEW
    assert _endings(going_back)["left"] is Ending.UNKNOWN


def test_silence_is_asked_again(going_back: Script) -> None:
    going_back.wait_until_due()
    going_back.wait_until_due()
    assert going_back.sent.count("probe left") == 2
    going_back.gone("left")
    assert going_back.sent[-1] == "undo first"


def test_endings_of_what_nobody_undid(vendor: VendorOnboardingRequested) -> None:
    script = Script(vendor_onboarding)
    script.request(vendor)
    script.succeed("erp-vendor")
    assert _endings(script) == {}
    script.reject("portal-account")
    assert _endings(script) == {}, "its undo is on its way"
    script.reject("erp-vendor", "LOCKED", undo=True)
    assert _endings(script) == {"erp-vendor": Ending.RESIDUAL}
    script.control(ControlCommand.SKIP)
    assert script.status is Status.COMPENSATED
    assert _endings(script) == {"erp-vendor": Ending.RESIDUAL}


def test_a_blind_action_cannot_be_verified() -> None:
    welcome = vendor_onboarding.step("welcome-email")
    assert welcome.action is SendWelcomeEmail
    assert welcome.undo is not None
    steps: list[Step] = [
        replace(s, undo=Undo(SendApologyEmail, welcome.undo.input, verify=True)) if s.name == "welcome-email" else s
        for s in vendor_onboarding
    ]
    with pytest.raises(DefinitionError, match="nobody can verify"):
        replace(vendor_onboarding, steps=steps)


def test_verifying_is_part_of_the_structure(verified: Saga) -> None:
    first = verified.step("first")
    assert first.undo is not None
    plain = replace(first, undo=replace(first.undo, verify=False))
    assert replace(verified, steps=[plain, *verified.steps[1:]]).fingerprint != verified.fingerprint


# -- in time -------------------------------------------------------------------------------------------------------


def _started(definition: Saga, vendor: VendorOnboardingRequested) -> Script:
    script = Script(definition)
    script.request(vendor)
    script.succeed("first")
    return script


def test_a_saga_that_is_not_over_in_time_is_undone(verified: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _started(verified, vendor)
    script.succeed("left")
    script.wait(599)
    assert script.status is Status.RUNNING
    assert script.state is not None
    assert script.state.wake_at is not None
    script.wait(1)
    assert script.status is Status.COMPENSATING
    assert (script.state.failed_step, script.state.code) == ("right", "DEADLINE")
    assert script.state.deadline is None


def test_the_timer_fires_at_the_deadline(verified: Saga, vendor: VendorOnboardingRequested) -> None:
    slow = replace(verified, deadline=5.0)
    script = _started(slow, vendor)
    assert script.state is not None
    script.wait_until_due()
    assert script.state.code == "DEADLINE"
    assert script.notes[-1] == "the saga was not over within 5 s"
    script.succeed("left")
    script.succeed("right")
    script.undone("left")
    script.undone("right")
    script.gone("left")
    script.undone("first")
    script.gone("first")
    assert script.status is Status.COMPENSATED
    assert [letter.code for letter in script.dead_letters] == ["DEADLINE"]


def test_not_on_completions_that_nobody_has_read(verified: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _started(replace(verified, deadline=5.0), vendor)
    script.wait(20, deaf=True)
    assert script.status is Status.RUNNING


def test_not_while_a_person_is_to_decide_nor_after(verified: Saga, vendor: VendorOnboardingRequested) -> None:
    script = _started(replace(verified, deadline=5.0), vendor)
    script.control(ControlCommand.PAUSE)
    script.wait(10)
    assert script.status is Status.RUNNING
    script.control(ControlCommand.RESUME)
    script.wait(10)
    assert script.status is Status.RUNNING
    assert "a person decided, so the saga's deadline no longer holds" in script.notes


def test_after_the_pivot_it_goes_on(pivoted: Saga, vendor: VendorOnboardingRequested) -> None:
    script = Script(replace(pivoted, deadline=5.0))
    script.request(vendor)
    script.succeed("before")
    script.succeed("pivot")
    script.wait(10)
    assert script.status is Status.RUNNING
    assert "the saga's deadline has passed; after the pivot it goes on" in script.notes
    script.succeed("after")
    assert script.status is Status.COMPLETED


@pytest.mark.parametrize("seconds", [0, -1, 1e12, float("nan")])
def test_a_deadline_is_a_time(verified: Saga, seconds: float) -> None:
    with pytest.raises(DefinitionError, match="deadline"):
        replace(verified, deadline=seconds)
