"""What going back would undo, said of sagas in every state, and held against what `decide` then sends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.cli.undo_plan import UndoState, undo_plan
from orchestrator.core.definition import Parallel, Saga, Step, Undo
from orchestrator.core.messages import ControlCommand
from orchestrator.core.policy import Retry
from orchestrator.core.sample import sample
from orchestrator.core.state import Effect, EffectStatus, SagaState, StepState
from orchestrator.core.payload import Payload
from orchestrator.core.state import Status
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import (
    ApproveSupplier,
    ClosePortalAccount,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    Record,
    RevokeSupplier,
    SendWelcomeEmail,
    VendorOnboardingRequested,
)

REQUEST = VendorOnboardingRequested.model_validate(
    {
        "vendor_name": "Müller & Söhne", "vendor_type": "SUPPLIER", "tax_id": "DE123456789", "payment_terms": "NET_30",
        "primary_contact_name": "Ada", "primary_contact_email": "ada@example.com", "category": "bearings",
    }
)  # fmt: skip


def _step(name: str, action: type[Record], undo: type[Record] | None = None, **more: object) -> Step:
    made = Undo(undo, lambda _, __: sample(undo, full=True), retry=Retry(attempts=1)) if undo else None
    return Step(name, action, lambda _, __: sample(action, full=True), made, retry=Retry(attempts=1), **more)  # type: ignore[arg-type]


WIDE = Saga(
    "wide",
    version=1,
    request=VendorOnboardingRequested,
    steps=[
        _step("vendor", CreateVendor, DeactivateVendor),
        Parallel(
            _step("portal", CreatePortalAccount, ClosePortalAccount),
            _step("mail", SendWelcomeEmail, irreversible=True, residue_accepted=True),
        ),
        _step("supplier", ApproveSupplier, RevokeSupplier),
    ],
)


def plan(script: Script) -> list[tuple[int, str, str, str | None]]:
    assert script.state is not None
    return [(row.turn, row.step, row.state.value, row.action) for row in undo_plan(script.definition, script.state)]


def test_it_goes_back_by_groups_and_names_the_compensations() -> None:
    script = Script(WIDE)
    script.request(REQUEST)
    assert plan(script) == [(1, "vendor", "in_flight", "erp.DeactivateVendor")]
    script.succeed("vendor")
    script.succeed("mail")
    script.succeed("portal")
    assert plan(script) == [
        (1, "supplier", "in_flight", "suppliers.RevokeSupplier"),
        (2, "portal", "possible", "portal.ClosePortalAccount"),
        (2, "mail", "irreversible", None),
        (3, "vendor", "possible", "erp.DeactivateVendor"),
    ]
    before = len(script.sent)
    script.reject("supplier")
    script.undone("portal")
    assert plan(script) == [
        (1, "portal", "undone", "portal.ClosePortalAccount"),
        (1, "mail", "irreversible", None),
        (2, "vendor", "undoing", "erp.DeactivateVendor"),
    ], "what was rejected was not done"
    script.reject("vendor", "LOCKED", undo=True)
    (last,) = [row for row in undo_plan(WIDE, script.state) if row.step == "vendor"]  # type: ignore[arg-type]
    assert (last.state, last.text) == (UndoState.FAILED, "its undo failed: LOCKED")
    assert script.sent[before:] == ["undo portal", "undo vendor"]


def test_what_nobody_knows_is_said_to_be_unknown_and_is_undone_all_the_same() -> None:
    script = Script(vendor_onboarding)
    script.request(REQUEST)
    script.succeed("erp-vendor")
    script.succeed("portal-account")
    script.lose("welcome-email")
    assert script.status is Status.REVIEW
    assert [row[1:3] for row in plan(script)] == [
        ("welcome-email", "unknown"), ("portal-account", "possible"), ("erp-vendor", "possible"),
    ]  # fmt: skip
    before = len(script.sent)
    script.control(ControlCommand.COMPENSATE)
    for step in ("welcome-email", "portal-account", "erp-vendor"):
        script.undone(step)
    assert [row[1:3] for row in plan(script)][-1] == ("erp-vendor", "undoing"), "it is not verified yet"
    script.gone("erp-vendor")
    assert script.sent[before:] == [
        "undo welcome-email", "undo portal-account", "undo erp-vendor", "probe erp-vendor",
    ]  # fmt: skip
    assert {row[2] for row in plan(script)} == {"undone"}


def test_after_the_pivot_nothing_is_undone() -> None:
    pivoted = Saga(
        "pivoted",
        version=1,
        request=VendorOnboardingRequested,
        steps=[
            _step("before", CreateVendor, DeactivateVendor),
            _step("pivot", ApproveSupplier, irreversible=True, pivot=True),
            _step("after", CreatePortalAccount),
        ],
    )
    script = Script(pivoted)
    script.request(REQUEST)
    script.succeed("before")
    assert [row[1:3] for row in plan(script)] == [("pivot", "irreversible"), ("before", "possible")]
    script.succeed("pivot")
    script.reject("after")
    assert [row[1:3] for row in plan(script)] == [("pivot", "irreversible"), ("before", "past_pivot")]
    script.control(ControlCommand.COMPENSATE)
    assert len(script.refusals) == 1


def test_nothing_started_is_no_row() -> None:
    state = SagaState("wide", 1, Payload.of(REQUEST), Status.RUNNING)
    assert undo_plan(WIDE, state) == []


@pytest.mark.parametrize(
    ("do", "undo", "doubtful", "state"),
    [
        ("waiting", None, False, None),
        ("waiting", None, True, "unknown"),
        ("not_done", None, False, None),
        ("unknown", None, True, "unknown"),
        ("skipped", None, False, "skipped"),
        ("done", "waiting", False, "undoing"),
        ("done", "in_flight", False, "undoing"),
        ("done", "unknown", False, "failed"),
        ("unknown", "skipped", False, "skipped"),
        ("not_done", "done", False, "undone"),
    ],
)
def test_each_pair_of_effects_has_its_word(do: str, undo: str | None, doubtful: bool, state: str | None) -> None:  # noqa: FBT001
    def effect(status: str) -> Effect:
        return Effect(EffectStatus(status), 1, datetime(2026, 1, 1, tzinfo=UTC), 1, doubtful=doubtful, code="C")

    steps = {"vendor": StepState(do=effect(do), undo=effect(undo) if undo else None)}
    rows = undo_plan(WIDE, SagaState("wide", 1, Payload.of(REQUEST), Status.REVIEW, steps=steps))
    assert [row.state.value for row in rows] == ([state] if state else [])


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ("in_flight", "undone; the system is being asked whether it is gone"),
        ("waiting", "undone; the system is being asked whether it is gone"),
        ("done", "undone already"),
        ("not_done", "undone, and the system still has it"),
        ("unknown", "undone, and nobody could verify it"),
        ("skipped", "undone already"),
    ],
)
def test_what_the_system_says_of_an_undo(probe: str, text: str) -> None:
    now = datetime.now(UTC)
    done = Effect(EffectStatus.DONE, 1, now, 1)
    step = StepState(done, done, Effect(EffectStatus(probe), 1, now, 3))
    state = SagaState("wide", 1, Payload.of(REQUEST), Status.COMPENSATING, steps={"vendor": step})
    assert [row.text for row in undo_plan(WIDE, state)] == [text]


def test_what_was_only_recorded_is_undone_in_the_same_way() -> None:
    script = Script(WIDE)
    script.request(REQUEST)
    script.shadow = True
    script.succeed("vendor")
    assert script.state is not None
    texts = {row.step: row.text for row in undo_plan(WIDE, script.state)}
    assert texts["vendor"] == "was only recorded, and so is its undo"
