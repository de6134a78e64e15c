"""What another team registered in the same registry is one unreadable message, never the end of a loop."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from schemas.codec import Codec
from schemas.errors import UnknownRecord
from schemas.registry import ConfluentRegistry


@pytest.mark.parametrize(
    "schema",
    [
        'syntax = "proto3"; message Vendor { string name = 1; }',
        '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}',
        '["null", "string"]',
        '"string"',
        '{"type": "array", "items": "string"}',
        '{"type": "record", "name": "Other", "fields": [{"name": "x", "type": "elsewhere.Referenced"}]}',
    ],
)
def test_a_schema_that_is_no_record_of_ours(schema: str) -> None:
    registry = ConfluentRegistry("http://127.0.0.1:9")
    registry._client = SimpleNamespace(get_schema=lambda _: SimpleNamespace(schema_str=schema))  # type: ignore[assignment]
    with pytest.raises(UnknownRecord):
        Codec(registry).decode(b"\x00\x00\x00\x00\x07\x00")
