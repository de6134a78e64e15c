"""stripe.yaml against stripe-mock, which checks requests by Stripe's own OpenAPI document and answers by its fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from consumers.catalogue import ready
from consumers.errors import Rejected
from consumers.integrations.build import Integration
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, System, SystemConfig
from orchestrator.dev.golang import has_go, program
from orchestrator.dev.process import Command, free_port, port_open, spawn_ready
from schemas.models import (
    StripeAuthorizePayment,
    StripeCancelPayment,
    StripeCancelSubscription,
    StripeCapturePayment,
    StripeCreateCustomer,
    StripeCreateSubscription,
    StripeDeleteCustomer,
    StripeRefundPayment,
)

STRIPE = ready()["stripe"]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not has_go():
        pytest.skip("Go is missing")
    folder: Path = tmp_path_factory.mktemp("stripe")
    port = free_port()
    argv = [str(program("github.com/stripe/stripe-mock", "v0.203.0")), "-http-addr", f"127.0.0.1:{port}"]
    child = spawn_ready(Command("stripe-mock", argv, log=folder / "stripe.log"), lambda _: port_open(port), 60)
    yield f"http://127.0.0.1:{port}"
    child.stop()


def built(url: str, spec: IntegrationSpec = STRIPE) -> System:
    return Integration(spec)(SystemConfig(url))


@pytest.fixture
async def stripe(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[System]:
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_123")
    system = built(url)
    async with system.lifespan():
        yield system


async def renew() -> None:
    """The claim is ours."""


@pytest.fixture
def call() -> Call:
    saga = uuid4()
    return Call(saga, "charge", "do", 1, f"{saga}/charge", renew)


Do = Callable[[Any], Any]


@pytest.fixture
def do(stripe: System, call: Call) -> Do:
    async def do(command: Any) -> Any:
        return await stripe.actions[command.contract.name].handler(command, call)

    return do


async def test_a_customer_is_created_and_deleted(do: Do) -> None:
    created = await do(StripeCreateCustomer(email="ada@example.com", customer_name="Ä & Co", description="[x]=1&y"))
    assert created.customer_id.startswith("cus_")
    assert (await do(StripeDeleteCustomer(customer_id=created.customer_id))).found is True


async def test_a_payment_is_authorized_captured_and_refunded_or_cancelled(do: Do) -> None:
    authorized = await do(
        StripeAuthorizePayment(customer_id="cus_1", payment_method_id="pm_1", amount_minor=1250, currency="eur")
    )
    intent = authorized.payment_intent_id
    assert intent.startswith("pi_")
    assert (await do(StripeCancelPayment(payment_intent_id=intent))).found is True
    assert (await do(StripeCapturePayment(payment_intent_id=intent))).status
    assert (await do(StripeRefundPayment(payment_intent_id=intent, amount_minor=100))).refund_id.startswith("re_")


async def test_a_subscription_is_made_and_ended(do: Do) -> None:
    made = await do(StripeCreateSubscription(customer_id="cus_1", price_id="price_1", quantity=2))
    assert made.subscription_id.startswith("sub_")
    assert (await do(StripeCancelSubscription(subscription_id=made.subscription_id))).found is True


def test_every_action_is_tried_here() -> None:
    tried = {name for name in globals() if name.startswith("Stripe")}
    assert {action.command for action in STRIPE.actions.values()} == tried


async def test_a_request_that_stripe_does_not_know_is_rejected(url: str, call: Call, monkeypatch: Any) -> None:
    """What makes the tests above mean something: a wrong field is refused."""
    monkeypatch.setenv("STRIPE_API_KEY", "sk_test_123")
    data = STRIPE.model_dump(mode="json", exclude_unset=True)
    data["actions"]["create_customer"]["request"]["body"] = {"e_mail": "email"}
    system = built(url, IntegrationSpec.model_validate(data))
    command = StripeCreateCustomer(email="ada@example.com", customer_name="Ada")
    async with system.lifespan():
        with pytest.raises(Rejected, match="INVALID_REQUEST_ERROR"):
            await system.actions[command.contract.name].handler(command, call)
