"""Where schemas and their ids come from: a committed file, or a schema registry."""

from __future__ import annotations

import json
import weakref
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Protocol

from fastavro.schema import SchemaParseException, UnknownType

from schemas.catalogue import history, load, parse
from schemas.errors import RegistryUnavailable, SchemaRefused, UnknownRecord, UnknownSchemaId

__all__ = ["ConfluentRegistry", "FixedIds", "SchemaSource", "compatibility_level"]

# Confluent's codes for no such subject, version and schema. Another 404 comes from something that is no registry.
_NOT_FOUND = frozenset({40401, 40402, 40403})
_REFUSED = frozenset({409, 422})
_SECONDS = 10


class SchemaSource(Protocol):
    """Schemas by id. The subject of a record is its full name (RecordNameStrategy)."""

    def id_of(self, name: str) -> int:
        """The id under which our current schema of that name is written."""
        ...

    def writer_schema(self, schema_id: int) -> Any:
        """The schema of that id, parsed for fastavro. Raises `UnknownSchemaId` or `UnknownRecord`."""
        ...


class FixedIds:
    """Ids from `ids.json`: for the embedded stack and for tests, without a server. Ids are never given twice."""

    def __init__(self) -> None:
        ids: Mapping[str, Mapping[str, int]] = json.loads((files("schemas") / "ids.json").read_text(encoding="utf-8"))
        self._newest = {name: versions[max(versions, key=int)] for name, versions in ids.items()}
        self._places = {number: (name, int(v)) for name, versions in ids.items() for v, number in versions.items()}

    def id_of(self, name: str) -> int:
        """See `SchemaSource.id_of`."""
        try:
            return self._newest[name]
        except KeyError:
            msg = f"no id for {name!r}; run python -m schemas.generate --release"
            raise UnknownRecord(msg) from None

    def writer_schema(self, schema_id: int) -> Any:
        """See `SchemaSource.writer_schema`."""
        try:
            name, version = self._places[schema_id]
        except KeyError:
            msg = f"no schema has id {schema_id}"
            raise UnknownSchemaId(msg) from None
        return parse(history()[name][version])


def compatibility_level(kind: str) -> str:
    """Long sagas read old events, so commands and completions keep both directions (design §4)."""
    return "BACKWARD_TRANSITIVE" if kind == "request" else "FULL_TRANSITIVE"


class ConfluentRegistry:
    """A registry that speaks Confluent's API (Confluent, Apicurio's ccompat, Redpanda, Karapace)."""

    def __init__(self, url: str, settings: Mapping[str, Any] | None = None) -> None:
        # Imported here: the driver costs 0.2 s, and the embedded stack does without it.
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415

        # No retries in there, which would block for seconds: whoever gets `RegistryUnavailable` waits and asks again.
        self._client = SchemaRegistryClient({"url": url, "timeout": _SECONDS, "max.retries": 0, **(settings or {})})
        self._closing = weakref.finalize(self, self._client.__exit__, None, None, None)

    def close(self) -> None:
        """Let go of the connections. Dropping the last reference to it does the same."""
        self._closing()

    def id_of(self, name: str) -> int:
        """See `SchemaSource.id_of`. The schema must have been registered."""
        schema = self._schema(name)
        found = self._ask(lambda: self._client.lookup_schema(name, schema), f"{name} is not registered as it is here")
        return int(found.schema_id)

    def writer_schema(self, schema_id: int) -> Any:
        """See `SchemaSource.writer_schema`."""
        found = self._ask(lambda: self._client.get_schema(schema_id), f"no schema has id {schema_id}")
        try:
            return parse(json.loads(found.schema_str))
        except (ValueError, TypeError, KeyError, SchemaParseException, UnknownType) as exc:
            # JSON Schema, Protobuf, or Avro that refers to other subjects: none of ours.
            msg = f"schema {schema_id} is no Avro record of its own: {type(exc).__name__}: {exc}"
            raise UnknownRecord(msg) from exc

    def register_all(self) -> dict[str, int]:
        """Register every current schema under its full name, with its compatibility level. May run again.

        Raises:
            RegistryUnavailable: the registry did not answer.
            SchemaRefused: the registry does not take a schema; the message says why.

        """
        ids = {}
        for name, schema in load().items():
            level = compatibility_level(schema["kind"])
            # The level first: it holds for this registration too.
            self._ask(lambda n=name, v=level: self._client.set_compatibility(n, v), f"{name}: {level}")
            ids[name] = self._ask(lambda n=name: self._client.register_schema(n, self._schema(n)), f"{name} refused")
        return ids

    @staticmethod
    def _schema(name: str) -> Any:
        from confluent_kafka.schema_registry import Schema  # noqa: PLC0415

        return Schema(json.dumps(load()[name]), "AVRO")

    @staticmethod
    def _ask(call: Any, refused: str) -> Any:
        from confluent_kafka.schema_registry import SchemaRegistryError  # noqa: PLC0415

        try:
            return call()
        except SchemaRegistryError as exc:
            # 401, 403 and 429 are about us and not about the schema: waiting or an operator mends them.
            if exc.error_code in _NOT_FOUND:
                msg = f"{refused}: {exc.error_message}"
                raise UnknownSchemaId(msg) from exc
            if exc.http_status_code in _REFUSED:
                msg = f"{refused}: {exc.error_message}"
                raise SchemaRefused(msg) from exc
            raise RegistryUnavailable(str(exc)) from exc
        except Exception as exc:
            # The client's HTTP library: nothing it raises says anything about the schema.
            msg = f"{type(exc).__name__}: {exc}"
            raise RegistryUnavailable(msg) from exc
