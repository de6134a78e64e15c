"""What the tests of the contracts share: a record with every Avro type that a contract may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from orchestrator.core import payload
from schemas import codec, generate
from schemas.catalogue import parse
from schemas.models import BY_NAME, Record

EVERYTHING: Mapping[str, Any] = {
    "type": "record",
    "name": "Everything",
    "namespace": "saga.made_up",
    "kind": "completion",
    "system": "made-up",
    "fields": [
        {"name": "text", "doc": "t", "type": "string"},
        {"name": "raw", "doc": "b", "type": "bytes"},
        {"name": "maybe_raw", "doc": "b", "type": ["null", "bytes"], "default": None},
        {"name": "small", "doc": "i", "type": "int"},
        {"name": "large", "doc": "l", "type": "long"},
        {"name": "ratio", "doc": "d", "type": "double"},
        {
            "name": "amount",
            "doc": "m",
            "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
        },
        {"name": "day", "doc": "d", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "doc": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "token", "doc": "u", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "grade", "doc": "e", "type": {"type": "enum", "name": "Grade", "symbols": ["A", "B"]}},
        {"name": "tags", "doc": "a", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "labels", "doc": "m", "type": {"type": "map", "values": "string"}, "default": {}},
        {
            "name": "parts",
            "doc": "r",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Part",
                    "doc": "n",
                    "fields": [{"name": "x", "doc": "x", "type": "string"}],
                },
            },
            "default": [],
        },
    ],
}
NESTED: Mapping[str, Any] = {
    "type": "record",
    "name": "Wrapped",
    "namespace": "saga.made_up",
    "kind": "completion",
    "fields": [
        {
            "name": "inner",
            "doc": "r",
            "type": [
                "null",
                {
                    "type": "record",
                    "name": "Inner",
                    "doc": "n",
                    "fields": [{"name": "x", "doc": "x", "type": "string"}],
                },
            ],
            "default": None,
        },
    ],
}


def _model(schema: Mapping[str, Any]) -> type[Record]:
    """By our own generator."""
    text = "\n\n".join([generate._HEAD, *generate._definitions(schema, {})])
    module: dict[str, Any] = {"__name__": "made_up"}
    exec(compile(text, "made_up.py", "exec", dont_inherit=True), module)  # noqa: S102
    model: type[Record] = module[schema["name"]]
    model.model_rebuild(_types_namespace=module)
    return model


@pytest.fixture(scope="session")
def everything() -> type[Record]:
    """The model with every type."""
    return _model(EVERYTHING)


@pytest.fixture(scope="session")
def wrapped() -> type[Record]:
    """The model whose only field is a nullable record."""
    return _model(NESTED)


@pytest.fixture(scope="module")
def made_up_source(everything: type[Record], wrapped: type[Record]) -> Iterator[Any]:
    """Codec and payloads know both as if they stood in the catalogue, with ids 98 and 99."""
    schemas = {"saga.made_up.Everything": EVERYTHING, "saga.made_up.Wrapped": NESTED}
    ids = {"saga.made_up.Everything": 98, "saga.made_up.Wrapped": 99}

    class Source:
        def id_of(self, name: str) -> int:
            return ids[name]

        def writer_schema(self, schema_id: int) -> Any:
            return parse(next(schemas[name] for name, number in ids.items() if number == schema_id))

    with pytest.MonkeyPatch.context() as patch:
        known = {**BY_NAME, **{model.contract.name: model for model in (everything, wrapped)}}
        patch.setattr(codec, "BY_NAME", known)
        patch.setattr(payload, "BY_NAME", known)
        patch.setattr(codec, "parsed", lambda name: parse(schemas[name]))
        yield Source()
