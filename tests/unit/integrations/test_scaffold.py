"""A scaffold out of an OpenAPI document is a file that passes, and claims nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from consumers.integrations.scaffold import BadDocument, scaffold
from consumers.integrations.spec import IntegrationSpec

API: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Pets: the\nAPI", "version": "1"},
    "servers": [{"url": "https://pets.example/v1/"}],
    "components": {
        "schemas": {
            "Pet": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "petId": {"type": "string", "format": "uuid"},
                    "name": {"type": "string", "maxLength": 50, "description": "What it\nis called: 'x'"},
                    "kind": {"type": "string", "enum": ["cat", "dog"]},
                    "born": {"type": "string", "format": "date"},
                    "size": {"type": ["number", "null"]},
                    "status": {"type": "string", "enum": ["a-b", "c"]},
                    "owner": {"$ref": "#/components/schemas/Pet"},
                    "agent": {"type": "string"},
                },
            }
        }
    },
    "paths": {
        "/pets": {
            "post": {
                "operationId": "createPet",
                "summary": "Make a pet.",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}
                },
            },
            "get": {
                "parameters": [{"name": "pageSize", "in": "query", "schema": {"type": "integer"}}],
                "responses": {},
            },
        },
        "/pets/{petId}": {
            "parameters": [{"name": "petId", "in": "path", "required": True, "schema": {"type": "string"}}],
            "delete": {"operationId": "deletePet", "responses": {"204": {"description": "gone"}}},
        },
        "/odd/{nobody}": {"get": {"responses": {}}},
    },
}


@pytest.mark.parametrize("write", [json.dumps, lambda api: yaml.safe_dump(api)])
def test_a_scaffold_passes(write: Callable[[Any], str], parsed: Callable[[str], IntegrationSpec]) -> None:
    text = scaffold(write(API), "pets")
    spec = parsed(text)
    assert set(spec.actions) == {"create_pet", "get_pets", "delete_pet"}
    create, delete = spec.actions["create_pet"], spec.actions["delete_pet"]
    assert (create.command, create.effect, create.verified) == ("PetsCreatePet", "blind", False)
    assert create.parameters is not None
    assert create.parameters["name"].max == 50
    assert create.parameters["kind"].values == ["cat", "dog"]
    assert create.parameters["status"].type == "string"
    assert (create.parameters["name"].optional, create.parameters["born"].optional) == (False, True)
    assert create.request is not None
    assert create.request.body["agent"] == "agent_value"  # type: ignore[index, call-overload]
    assert create.response["pet_id"] == 'answer."petId"'
    assert delete.request is not None
    assert (delete.request.path, delete.found, delete.effect) == ("/pets/{pet_id}", "found", "idempotent")
    assert spec.actions["get_pets"].request.query == {"pageSize": "page_size"}  # type: ignore[union-attr]
    assert "# left out: GET /odd/{nobody}: its path says what no parameter does" in text
    assert "# left out: create_pet: owner, which is no simple value" in text


def test_a_form_is_a_form(parsed: Callable[[str], IntegrationSpec]) -> None:
    text = json.dumps(API).replace(
        '{"content": {"application/json"', '{"content": {"application/x-www-form-urlencoded"', 1
    )
    assert parsed(scaffold(text, "pets")).protocol == "form"


@pytest.mark.parametrize(
    "document",
    [
        "",
        "<html>",
        "{",
        "[1]",
        "a: [",
        '{"swagger": "2.0"}',
        '{"openapi": "3.0.0"}',
        '{"openapi": "3.0.0", "paths": {"/a": 1, "/b": {"get": []}}}',
        '{"openapi": "3.1.0", "paths": []}',
        "{" * 100_000,
        "a: &a [x]\nb: *a",
    ],
)
def test_what_is_no_openapi_document(document: str) -> None:
    with pytest.raises(BadDocument):
        scaffold(document, "pets")


def test_references_that_go_round_end(parsed: Callable[[str], IntegrationSpec]) -> None:
    api = json.loads(json.dumps(API))
    api["components"]["schemas"]["Pet"] = {"$ref": "#/components/schemas/Pet"}
    assert parsed(scaffold(json.dumps(api), "pets")).actions["create_pet"].parameters == {}
