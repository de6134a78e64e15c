"""A small integration file, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.integrations.load import BadIntegration, read
from consumers.integrations.spec import IntegrationSpec

SHOP = """\
name: shop
description: A shop.
tier: api
protocol: rest
base_url: https://shop.example/api
actions:
  create_order:
    description: Order something.
    command: ShopCreateOrder
    completion: {name: ShopOrderCreated, description: It is ordered.}
    effect: queryable
    parameters:
      article: {description: What., type: string}
      amount: {description: How much., type: decimal, precision: 8, scale: 2}
      note: {description: For the driver., type: string, optional: true}
    returns:
      order_id: {description: The shop's number., type: string}
    errors: {SOLD_OUT: rejected}
    request:
      method: POST
      path: /articles/{article}/orders
      body: {amount: amount, note: note, reference: saga_id, lines: [article, {"count": 1}]}
    response: {order_id: answer.order.id}
    probe:
      request: {path: /orders, query: {reference: saga_id}}
      found: answer.orders
      response: {order_id: item.id}
    compensation: cancel_order
  cancel_order:
    description: Undo ShopCreateOrder.
    command: ShopCancelOrder
    completion: {name: ShopOrderCancelled, description: It is cancelled.}
    effect: idempotent
    parameters:
      order_id: {description: The shop's number., type: string}
    returns:
      found: {description: False where there was nothing to undo., type: boolean}
    request: {method: DELETE, path: "/orders/{order_id}"}
    found: found
"""


@pytest.fixture
def shop() -> str:
    return SHOP


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[[str], IntegrationSpec]:
    def parse(text: str) -> IntegrationSpec:
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return read(path, name="shop.yaml")

    return parse


@pytest.fixture
def told(parsed: Callable[[str], IntegrationSpec]) -> Callable[[str], list[str]]:
    """What is wrong with a file, a line for each mistake."""

    def tell(text: str) -> list[str]:
        with pytest.raises(BadIntegration) as raised:
            parsed(text)
        return str(raised.value).splitlines()

    return tell
