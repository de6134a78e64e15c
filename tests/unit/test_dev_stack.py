"""What a stack of our own takes over from the user's environment, and what it does not."""

from __future__ import annotations

import pytest

from orchestrator.dev.stack import _environment


def test_a_system_that_the_sandbox_does_not_have_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAGA_SYSTEM_URLS__CRM", "SAGA_SYSTEM_URLS__ERP", "SAGA_DATABASE_URL", "SAGA_KAFKA_FILE", "CRM_KEY"):
        monkeypatch.setenv(name, "the user's")
    found = _environment({"SAGA_SYSTEM_URLS__ERP": "the sandbox's"})
    assert found["SAGA_SYSTEM_URLS__CRM"] == found["CRM_KEY"] == "the user's"
    assert found["SAGA_SYSTEM_URLS__ERP"] == "the sandbox's"
    assert not {"SAGA_DATABASE_URL", "SAGA_KAFKA_FILE"} & found.keys()
