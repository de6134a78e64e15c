"""Scenarios are data: the shipped one can be read, and one that says two things at once cannot."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.dev.scenario import Move, Scenario
from sagas.data import scenario


def test_the_shipped_one_can_be_read() -> None:
    assert [act.name for act in Scenario.model_validate(scenario("failures")).acts][0] == "a compensation"
    with pytest.raises(KeyError):
        scenario("nonsense")


@pytest.mark.parametrize("move", [{}, {"code": [4]}, {"publish": True, "rest": "completed"}, {"reset": "completed"}])
def test_a_move_is_one_thing(move: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Move.model_validate(move)
