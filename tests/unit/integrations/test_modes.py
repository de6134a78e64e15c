"""How much of a file's actions is done for real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumers.integrations.build import Integration
from consumers.integrations.load import files_in, read
from consumers.folders import ready_folder
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig
from schemas.models import StripeCreateCustomer
from uuid import UUID


def test_a_systems_mode_holds_for_its_actions_unless_they_have_one(
    shop: str, parsed: Callable[[str], IntegrationSpec]
) -> None:
    spec = parsed(shop + "mode: canary 5%\n")
    assert (spec.mode, spec.actions["create_order"].mode) == ("canary 5 %", None)


def test_what_is_no_mode_is_a_mistake_in_its_place(shop: str, told: Callable[[str], list[str]]) -> None:
    (line,) = told(shop + "mode: sometimes\n")
    assert "mode: " in line
    assert "is no mode" in line


@pytest.fixture
def stripe() -> IntegrationSpec:
    (path,) = [path for path in files_in(ready_folder()) if path.stem == "stripe"]
    return read(path)


class _Proofs:
    """Credentials that count how often they were asked."""

    reference, verify = "env:STRIPE_API_KEY", True

    def __init__(self) -> None:
        self.asked = 0

    async def proof(self) -> None:
        self.asked += 1


async def test_a_file_gives_its_actions_their_modes_their_requests_and_what_proves_who_we_are(
    stripe: IntegrationSpec,
) -> None:
    actions = {name: action.model_copy() for name, action in stripe.actions.items()}
    actions["create_customer"] = actions["create_customer"].model_copy(update={"mode": "live"})
    spec = stripe.model_copy(update={"mode": "shadow", "actions": actions})
    proofs = _Proofs()
    system = Integration(spec, lambda auth, name: proofs)(SystemConfig("https://stripe.example"))  # type: ignore[arg-type,return-value]
    modes = {action.contract.action: str(action.mode) for action in system.actions.values()}
    assert modes.pop("create_customer") == "live"
    assert set(modes.values()) == {"shadow"}
    assert str(system.mode) == "shadow"
    assert system.prove is not None
    await system.prove()
    assert proofs.asked == 1

    async def renew() -> None:
        raise AssertionError("nothing is called")

    command: Any = StripeCreateCustomer(email="ada@example.com", customer_name="Ada")
    requests = system.actions[command.contract.name].requests
    assert requests is not None
    (sent,) = requests(command, replace(Call(UUID(int=1), "s", "do", 1, "key", renew)))
    assert (sent.method, sent.path, sent.form["name"]) == ("POST", "/v1/customers", "Ada")
