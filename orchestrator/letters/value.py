"""A letter's value as a person reads and mends it: fields of a record, checked or with what is wrong."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.codec import Codec
from schemas.errors import SchemaError
from schemas.models import Record

__all__ = ["Value", "read_value"]


@dataclass(frozen=True, slots=True)
class Value:
    """`fields` are JSON; None where the bytes are no record. `problem` says why it is no valid record."""

    record: str | None
    fields: Mapping[str, Any] | None
    problem: str | None
    model: type[Record] | None = None


def read_value(codec: Codec, data: bytes | None) -> Value:
    """What stands in those bytes.

    Raises:
        RegistryUnavailable: the schema registry is away.

    """
    if data is None:
        return Value(None, None, "no value")
    try:
        record = codec.decode(data)
    except SchemaError as exc:
        return _unchecked(codec, data, str(exc))
    return Value(record.contract.name, record.model_dump(mode="json"), None, type(record))


def _unchecked(codec: Codec, data: bytes, problem: str) -> Value:
    try:
        model, fields = codec.decode_fields(data)
    except SchemaError:
        return Value(None, None, problem)
    return Value(model.contract.name, _json(fields), problem, model)


def _json(value: Any) -> Any:
    """As the models write it, for values that no model has accepted."""
    match value:
        case dict():
            return {str(name): _json(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_json(inner) for inner in value]
        case bytes():
            return base64.b64encode(value).decode()
        case datetime() | date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return value
