"""What holds for every ready file over REST and OData, whatever its system."""

from __future__ import annotations

import pytest

from consumers.catalogue import ready
from consumers.integrations.spec import IntegrationSpec

HTTP = {name: spec for name, spec in ready().items() if spec.protocol in ("rest", "form", "odata")}
FILES = pytest.mark.parametrize("spec", HTTP.values(), ids=list(HTTP))


@FILES
def test_at_least_three_actions_are_undone_and_what_changes_something_is_undone_or_undoes(
    spec: IntegrationSpec,
) -> None:
    undone = {name: action.compensation for name, action in spec.actions.items() if action.compensation}
    changing = {name for name, action in spec.actions.items() if not action.reads}
    assert len(undone) >= 3
    assert changing == undone.keys() | set(undone.values())


@FILES
def test_an_undo_may_come_twice_and_finds_nothing_the_second_time(spec: IntegrationSpec) -> None:
    undoing = {action.compensation for action in spec.actions.values()} - {None}
    for name in sorted(undoing - {"refund_payment"}):
        assert (spec.actions[name].effect, spec.actions[name].found) == ("idempotent", "found"), name


@FILES
def test_every_action_says_where_it_is_from(spec: IntegrationSpec) -> None:
    assert all(action.source for action in spec.actions.values())
    # An OData service has its version in its name or path.
    assert spec.api_version is not None or spec.protocol == "odata"
    assert spec.auth is not None
