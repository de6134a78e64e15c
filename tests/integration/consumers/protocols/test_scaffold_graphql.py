"""A scaffold out of what Apollo Server says of itself is a file that passes, and that Apollo understands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import get_introspection_query

from consumers.integrations.load import read
from consumers.integrations.over_graphql import GraphqlTransport
from consumers.integrations.scaffold import BadDocument
from consumers.integrations.scaffold_graphql import scaffold_graphql
from consumers.integrations.spec import IntegrationSpec
from consumers.system import Call, SystemConfig

SDL = '''
"""When it is due."""
scalar Date
enum Kind { SMALL LARGE }
input Line { sku: String!, count: Int = 1, tags: [String!] }
input Order { "Who\\nbuys." customer: ID!, kind: Kind, line: Line!, due: Date, agent: String, more: Order }
type Placed { id: ID!, total: Float, open: Boolean, kind: Kind, lines: [Int], owner: Placed, named(by: String!): String }
union Any = Placed
type Query { order(id: ID!): Placed, orders: [Placed!] }
type Mutation {
  placeOrder(order: Order!, note: String): Placed!
  tagAll(tags: [String!]!): Boolean
  cancel(id: ID!): Boolean!
  anything: Any
}
'''


def scaffolded(document: str, folder: Path) -> tuple[str, IntegrationSpec]:
    text = scaffold_graphql(document, "shop")
    path = folder / "shop.yaml"
    path.write_text(text)
    return text, read(path)


def test_simple_fields_are_taken_and_the_rest_is_named(tmp_path: Path) -> None:
    text, spec = scaffolded(SDL, tmp_path)
    assert list(spec.actions) == ["place_order", "cancel", "order"]
    assert {name: action.effect for name, action in spec.actions.items()} == {
        "place_order": "blind",
        "cancel": "blind",
        "order": "idempotent",
    }
    assert not any(action.verified for action in spec.actions.values())
    place = spec.actions["place_order"]
    assert place.query is not None
    assert place.query.text == (
        "mutation PlaceOrder($order: Order!, $note: String) "
        "{ placeOrder(order: $order, note: $note) { id total open kind } }"
    )
    assert place.query.variables["order"] == {
        "customer": "customer",
        "kind": "kind",
        "line": {"sku": "sku", "count": "count"},
        "due": "due",
        "agent": "agent_value",  # `agent` is a name that expressions have for something else
        "more": place.query.variables["order"]["more"],
    }
    assert place.parameters is not None
    needed = [name for name, field in place.parameters.items() if not field.optional]
    assert needed == ["customer", "sku"]
    assert place.parameters["customer"].description == "Who buys."
    for left in (
        "tagAll: it wants tags: it is a list",
        "orders: it answers with a list",
        "anything: it answers with Any",
    ):
        assert f"# left out: {left}" in text
    assert "# left out: placeOrder: line.tags: it is a list" in text


async def test_what_apollo_says_of_itself_is_understood_by_apollo(graphql_url: str, tmp_path: Path, call: Call) -> None:
    document = httpx2.post(graphql_url, json={"query": get_introspection_query()}).text
    text, _ = scaffolded(document, tmp_path)
    # What nobody may see of a vendor there is for a person to take out.
    (tmp_path / "shop.yaml").write_text(text.replace(" bankAccount rating", ""))
    spec = read(tmp_path / "shop.yaml")
    assert {"create_vendor", "delete_vendor", "vendor", "count"} <= spec.actions.keys()
    spec = spec.model_copy(update={"graphql": spec.graphql.model_copy(update={"path": "/"})})
    transport = GraphqlTransport(spec, SystemConfig(graphql_url), None)
    call = replace(call, keyed=False)

    async def run(action: str, **values: Any) -> Any:
        asking = transport._asking(spec.actions[action])
        reply = await asking.send(asking.fill({**values}), call=call, errors={})
        assert reply is not None
        return reply.value

    async with transport.client:
        made = (await run("create_vendor", name="A", tax_id="S-1", key=None))["createVendor"]
        assert made["taxId"] == "S-1"
        assert (await run("vendor", tax_id="S-1"))["vendor"]["id"] == made["id"]
        assert await run("delete_vendor", tax_id="S-1") == {"deleteVendor": True}


@pytest.mark.parametrize(
    "document",
    ["", "{}", "[]", "type Query {", "type Query { a: Nothing }", "{" * 5000, json.dumps({"data": {"__schema": 1}}),
     "type Query { a: [Int] }"],
)  # fmt: skip
def test_what_is_no_schema_is_told(document: str) -> None:
    with pytest.raises(BadDocument):
        scaffold_graphql(document, "shop")
