"""Sagas of which steps are only recorded: what the coordinator keeps of that, and tells the systems and everybody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from orchestrator.core.definition import Parallel, Saga, Undo
from orchestrator.core.endings import endings
from orchestrator.core.errors import DefinitionError
from orchestrator.core.messages import ControlCommand, Direction
from orchestrator.core.mode import LIVE, Mode, careful
from orchestrator.core.payload import Outputs
from orchestrator.core.state import Status
from orchestrator.messaging.event import read_event
from orchestrator.messaging.writer import Context, Writer, effect_key
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.codec import Codec
from schemas.registry import FixedIds
from schemas.models import ClosePortalAccount, CreatePortalAccount, SupplierApproved, VendorOnboardingRequested

STEPS = ("erp-vendor", "portal-account", "welcome-email", "approved-supplier")


@pytest.mark.parametrize("text", ["live", "shadow", "canary 5 %", "canary 0.5 %", "canary 99.99 %"])
def test_a_mode_reads_as_it_is_written(text: str) -> None:
    assert str(Mode.of(text)) == text


@pytest.mark.parametrize("text", ["", "Live", "canary", "canary 0 %", "canary 100 %", "canary -5 %", "canary 1e1 %"])
def test_what_is_no_mode_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no mode"):
        Mode.of(text)


def test_the_most_careful_mode_wins() -> None:
    shadow, five = Mode.of("shadow"), Mode.of("canary 5 %")
    assert careful([LIVE, five, shadow]) == shadow
    assert careful([five, LIVE]) == five
    assert careful([]) == LIVE


@given(st.uuids(), st.floats(0.01, 99.99), st.floats(0.01, 99.99))
def test_who_is_live_under_a_small_share_is_live_under_a_larger_one(saga: UUID, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert Mode(large).shadows(saga) <= Mode(small).shadows(saga)
    assert Mode.of("shadow").shadows(saga)
    assert not LIVE.shadows(saga)


def test_a_canary_takes_about_its_share_of_sagas_that_begin_one_after_the_other() -> None:
    sagas = [UUID(int=(0x0198 << 112) | (7 << 76) | (2 << 62) | n) for n in range(4000)]
    live = sum(not Mode.of("canary 25 %").shadows(saga) for saga in sagas)
    assert 850 < live < 1150


def test_what_comes_after_a_step_that_was_recorded_is_not_done_for_real(script: Script) -> None:
    script.succeed("erp-vendor")
    script.shadow = True
    script.succeed("portal-account")
    assert [command.shadow for command in script.commands] == [False, False, True]
    # A system that says nothing of shadows changes nothing about it: the made-up id is still in the saga's data.
    script.shadow = False
    script.succeed("welcome-email")
    assert script.commands[-1].shadow
    script.succeed("approved-supplier")
    assert script.status is Status.COMPLETED
    assert script.state is not None
    assert script.state.shadow
    assert [script.state.steps[step].do.shadow for step in STEPS] == [False, True, False, False]  # type: ignore[union-attr]


def test_an_undo_says_whether_its_do_was_recorded_and_the_probe_after_it_does_too(script: Script) -> None:
    script.succeed("erp-vendor")
    script.shadow = True
    script.succeed("portal-account")
    script.reject("welcome-email")
    assert [(c.step, c.shadow) for c in script.commands[3:]] == [("portal-account", True)]
    script.undone("portal-account")
    # The ERP's vendor is real, whatever came after it.
    script.shadow = False
    assert [(c.step, c.shadow) for c in script.commands[4:]] == [("erp-vendor", False)]
    script.undone("erp-vendor")
    assert (script.commands[-1].direction, script.commands[-1].shadow) == (Direction.PROBE, False)
    script.gone("erp-vendor")
    assert script.status is Status.COMPENSATED


def test_the_probe_of_an_undo_that_was_recorded_is_not_asked_of_the_system(script: Script) -> None:
    script.shadow = True
    script.succeed("erp-vendor")
    script.control(ControlCommand.CANCEL)
    script.succeed("portal-account")
    script.undone("portal-account")
    script.undone("erp-vendor")
    assert script.commands[-1].direction is Direction.PROBE
    assert script.commands[-1].shadow
    script.gone("erp-vendor")
    assert script.status is Status.CANCELLED


def test_what_was_only_recorded_is_no_residue_and_has_no_ending(script: Script) -> None:
    script.shadow = True
    script.succeed("erp-vendor")
    script.succeed("portal-account")
    script.reject("welcome-email")
    script.reject("portal-account", "UNDO_BROKEN", undo=True)
    assert script.status is Status.REVIEW
    assert script.outcomes[-1].residue == ()
    assert script.state is not None
    assert endings(vendor_onboarding, script.state) == {}
    script.control(ControlCommand.SKIP)
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    assert script.outcomes[-1].residue == ()


def test_a_rerun_of_a_saga_that_was_in_shadow_stays_there(script: Script) -> None:
    script.shadow = True
    script.succeed("erp-vendor")
    script.control(ControlCommand.RERUN, step="erp-vendor")
    script.shadow = False
    script.succeed("portal-account")
    script.undone("portal-account")
    script.undone("erp-vendor")
    script.gone("erp-vendor")
    again = script.commands[-1]
    assert (again.step, again.direction, again.round, again.shadow) == ("erp-vendor", Direction.DO, 2, True)


def test_a_definitions_mode_goes_with_every_command(vendor: VendorOnboardingRequested) -> None:
    script = Script(replace(vendor_onboarding, mode="canary 20 %"))
    script.request(vendor)
    assert [(c.mode, c.shadow) for c in script.commands] == [("canary 20 %", False)]
    assert vendor_onboarding.fingerprint == script.definition.fingerprint


def test_a_definition_with_a_mode_that_is_none_is_refused() -> None:
    with pytest.raises(DefinitionError, match="is no mode"):
        replace(vendor_onboarding, mode="canary 200 %")


def _close(request: VendorOnboardingRequested, done: Outputs) -> ClosePortalAccount:
    approved = done.get(SupplierApproved)
    return ClosePortalAccount(vendor_id="V", account_id=approved.approval_id if approved else None)


def test_what_is_live_is_not_sent_what_was_made_up_beside_it(vendor: VendorOnboardingRequested, forked: Saga) -> None:
    first, fork, last = forked.steps
    left, right = fork.steps  # type: ignore[union-attr]

    def _open(request: VendorOnboardingRequested, done: Outputs) -> CreatePortalAccount:
        name = done[SupplierApproved].approval_id if done.get(SupplierApproved) else "nobody"
        email = request.primary_contact_email
        return CreatePortalAccount(vendor_id="V", vendor_name=name, primary_contact_email=email)

    left = replace(left, input=_open, undo=Undo(ClosePortalAccount, _close))
    script = Script(replace(forked, steps=[first, Parallel(left, right), last]))
    script.request(vendor)
    script.succeed("first")
    script.fail("left")
    script.shadow = True
    script.succeed("right", SupplierApproved(approval_id="shadow-1", approved_at=datetime(1970, 1, 1, tzinfo=UTC)))
    script.shadow = False
    script.wait_until_due()
    again = script.commands[-1]
    assert (again.step, again.attempt, again.record.vendor_name) == ("left", 2, "nobody")  # type: ignore[attr-defined]
    script.succeed("left")
    script.shadow = True
    script.reject("last")
    undos = {command.step: command.record for command in script.commands if command.direction is Direction.UNDO}
    assert undos["left"].account_id is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(("mode", "shadow"), [("", False), ("shadow", False), ("canary 20 %", True)])
def test_a_command_of_a_shadow_has_no_key_so_that_a_worker_of_before_refuses_it(
    script: Script, mode: str, shadow: bool
) -> None:
    assert script.state is not None
    context = Context(uuid7(), uuid7(), datetime(2026, 1, 1, tzinfo=UTC))
    (command,) = script.commands
    sent = Writer(Codec(FixedIds()), 900_000).command(
        context, script.state, msgspec.structs.replace(command, mode=mode, shadow=shadow)
    )
    event = read_event(sent.headers)
    assert (event.mode or "", event.shadow) == (mode, shadow)
    live = effect_key(context.saga, "erp-vendor", "do", 1)
    assert event.idempotency_key == (None if mode or shadow else live)


def test_an_outcome_says_that_steps_were_only_recorded(script: Script) -> None:
    script.shadow = True
    for step in STEPS:
        script.succeed(step)
    assert script.state is not None
    context = Context(uuid7(), uuid7(), datetime(2026, 1, 1, tzinfo=UTC))
    told = Writer(Codec(FixedIds()), 900_000).ended(context, script.state, script.outcomes[-1])
    assert read_event(told.headers).shadow
