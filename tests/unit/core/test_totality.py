"""`decide` has an answer for every message in every state, and the same one each time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.decide import decide
from orchestrator.core.definition import Saga
from orchestrator.core.messages import (
    Answer,
    Control,
    ControlCommand,
    Direction,
    Failure,
    Message,
    Outcome,
    Requested,
    Succeeded,
    Wake,
)
from orchestrator.core.sample import sample
from orchestrator.core.state import TERMINAL, EffectStatus, Status
from orchestrator.testing.script import Script
from schemas.models import (
    PortalAccountCreated,
    SupplierApproved,
    SupplierRevoked,
    VendorCreated,
    VendorDeactivated,
    VendorOnboardingRequested,
)

RECORDS = [
    sample(kind, full=True)
    for kind in (VendorCreated, PortalAccountCreated, SupplierApproved, SupplierRevoked, VendorDeactivated)
]


def messages(definition: Saga, vendor: VendorOnboardingRequested) -> st.SearchStrategy[Message]:
    steps = st.sampled_from([step.name for step in definition] + ["nonsense"])
    results = st.one_of(
        st.sampled_from(RECORDS).map(Succeeded),
        st.builds(
            Failure, st.sampled_from(Outcome), st.just("CODE"), st.just("text"), st.sampled_from([None, 0.0, 9e9])
        ),
    )
    answers = st.builds(Answer, steps, st.sampled_from(Direction), st.integers(0, 2), st.integers(0, 3), results)
    controls = st.builds(
        Control,
        st.sampled_from(ControlCommand),
        st.just("ops"),
        st.just("why"),
        st.none() | steps,
        st.none() | st.sampled_from(Direction),
        st.none(),
        st.sampled_from([None, "done", "not-done"]),
        st.none() | st.sampled_from(RECORDS),
        st.none() | st.sampled_from([vendor, RECORDS[0]]),
    )
    return st.one_of(answers, answers, controls, st.just(Wake()), st.just(Requested(vendor)))


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("name", ["forked", "pivoted", "forgiving", "verified"])
def test_any_message_in_any_state(
    request: pytest.FixtureRequest, vendor: VendorOnboardingRequested, name: str, data: Any
) -> None:
    definition = request.getfixturevalue(name)
    script = Script(definition)
    script.request(vendor)
    for message in data.draw(st.lists(messages(definition, vendor), max_size=25)):
        if data.draw(st.booleans()):
            script.wait(data.draw(st.sampled_from([0.0, 1.0, 40.0])))
        before = script.state
        transition = script.deliver(message)
        assert transition == decide(definition, before, message, script.now, "script")
        check(script)


def check(script: Script) -> None:
    """It waits for something, and says for what."""
    state = script.state
    assert state is not None
    effects = [(e, name) for name, s in state.steps.items() for e in s.effects]
    in_flight = [e for e, _ in effects if e.status is EffectStatus.IN_FLIGHT]
    assert all(e.due is not None for e in in_flight)
    if state.status in TERMINAL:
        assert state.wake_at is None
        assert not in_flight
        assert not state.parks
    elif in_flight:
        assert state.wake_at is not None
        assert state.wake_at <= min(e.due for e in in_flight if e.due is not None)
    elif not state.paused and state.status is not Status.REVIEW:
        assert state.wake_at is not None, "nothing will ever happen again"
