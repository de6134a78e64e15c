"""The contracts that a file makes are those that are released, and what it changes is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from consumers.catalogue import FILES as RUN
from consumers.catalogue import ready
from consumers.integrations import contracts
from consumers.integrations.spec import IntegrationSpec
from schemas.catalogue import load, parse
from schemas.compatibility import check


FILES = {**ready(), **RUN}


def test_the_contracts_of_the_files_that_ship_are_those_in_schemas_to_the_byte() -> None:
    made = contracts._all(FILES.values())
    assert len(made) >= 20
    for path, text in made.items():
        assert (contracts._ROOT / path).read_text() == text
    assert [mistake for spec in FILES.values() for mistake in contracts.drifted(spec)] == []


def test_every_command_of_these_systems_is_declared() -> None:
    made = {
        f"{schema['namespace']}.{schema['name']}" for spec in FILES.values() for _, _, schema in contracts.files(spec)
    }
    assert made == {name for name, schema in load().items() if schema["kind"] in {"command", "completion"}}


def test_each_type_of_field_is_an_avro_schema(shop: str, parsed: Callable[[str], IntegrationSpec]) -> None:
    kinds = """\
      a: {description: a, type: boolean}
      b: {description: b, type: int, optional: true}
      c: {description: c, type: long}
      d: {description: d, type: double}
      e: {description: e, type: date}
      f: {description: f, type: timestamp, optional: true}
      g: {description: g, type: uuid}
      h: {description: h, type: enum, values: [X, Y], optional: true}
      h2: {description: h, type: enum, name: ShopH, values: [X, Y]}
      i: {description: i, type: array, items: date}
      j: {description: j, type: map, items: string}
"""
    spec = parsed(shop.replace("    parameters:\n      article", f"    parameters:\n{kinds}      article", 1))
    for _, _, schema in contracts.files(spec):
        parse(schema)
    command = next(schema for _, _, schema in contracts.files(spec))
    types = {field["name"]: field["type"] for field in command["fields"]}
    assert types["f"] == ["null", {"type": "long", "logicalType": "timestamp-micros"}]
    assert types["h"][1] == {"type": "enum", "name": "ShopH", "namespace": "saga.shop", "symbols": ["X", "Y"]}
    assert types["h2"] == "ShopH"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda data: data["actions"]["create_vendor"]["parameters"]["tax_id"].update(max=20), "command"),
        (lambda data: data["actions"]["create_vendor"].update(effect="queryable"), "command"),
        (lambda data: data["actions"]["create_vendor"]["returns"].pop("created_at"), "completion"),
    ],
)
def test_a_file_that_moved_on_from_its_contract_is_seen(change: Callable[[Any], object], place: str) -> None:
    data = json.loads(FILES["erp"].model_dump_json(exclude_unset=True))
    change(data)
    ((where, what),) = contracts.drifted(IntegrationSpec.model_validate(data))
    assert where == ("actions", "create_vendor", place)
    assert "is another than schemas/" in what


def test_a_change_that_running_sagas_could_not_read_is_refused() -> None:
    data = json.loads(FILES["erp"].model_dump_json(exclude_unset=True))
    data["actions"]["create_vendor"]["parameters"]["legal_form"] = {"description": "GmbH.", "type": "string"}
    made = {f"{s['namespace']}.{s['name']}": s for _, _, s in contracts.files(IntegrationSpec.model_validate(data))}
    problems = [problem for problem in check({**load(), **made}) if problem.version is not None]
    assert [problem.record for problem in problems] == ["saga.erp.CreateVendor"]
    assert "cannot read version 1" in problems[0].message
    data["actions"]["create_vendor"]["parameters"]["legal_form"]["optional"] = True
    made = {f"{s['namespace']}.{s['name']}": s for _, _, s in contracts.files(IntegrationSpec.model_validate(data))}
    assert [problem for problem in check({**load(), **made}) if problem.version is not None] == []
