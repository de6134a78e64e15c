"""Records to bytes and back: Confluent's wire format (0x00, 4 bytes schema id, Avro body), schemas cached by id."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar, get_args

from fastavro import schemaless_reader, schemaless_writer
from pydantic import ValidationError

from schemas.catalogue import parsed
from schemas.errors import InvalidRecord, Undecodable, UnknownRecord
from schemas.models import BY_NAME, Record
from schemas.registry import SchemaSource

__all__ = ["Codec", "from_json", "to_json"]

R = TypeVar("R", bound=Record)

_MAGIC = 0
_HEADER = struct.Struct(">bI")


@dataclass(frozen=True, slots=True)
class _Writer:
    header: bytes
    schema: Any
    plain: Callable[[Record], dict[str, Any]]
    checks: tuple[tuple[str, Callable[[Any], bool]], ...]


@dataclass(frozen=True, slots=True)
class _Reader:
    model: type[Record]
    written: Any
    expected: Any


class Codec:
    """Encodes and decodes records; asks its source for each schema once."""

    def __init__(self, source: SchemaSource) -> None:
        self._source = source
        self._writers: dict[str, _Writer] = {}
        self._readers: dict[int, _Reader] = {}

    def encode(self, record: Record) -> bytes:
        """The record in wire format.

        Raises:
            InvalidRecord: a value does not fit its Avro type (it was built without validation).
            RegistryUnavailable: its schema's id is not known here and the registry is away.

        """
        writer = self._writers.get(record.contract.name) or self._writer(record)
        buffer = BytesIO()
        buffer.write(writer.header)
        try:
            values = writer.plain(record)
            for name, fits in writer.checks:
                if not fits(values[name]):
                    msg = f"{name}: {values[name]!r} does not fit"
                    raise ValueError(msg)
            schemaless_writer(buffer, writer.schema, values)
        except (ValueError, TypeError, OverflowError, ArithmeticError, AttributeError, LookupError) as exc:
            msg = f"{record.contract.name}: {type(exc).__name__}: {exc}"
            raise InvalidRecord(msg) from exc
        return buffer.getvalue()

    def decode(self, data: bytes) -> Record:
        """The record in those bytes, read with our schema of the same name.

        Raises:
            Undecodable, UnknownSchemaId, UnknownRecord, InvalidRecord: it can never be read.
            RegistryUnavailable: its schema is not known here and the registry is away.

        """
        model, value = self.decode_fields(data)
        try:
            return model.model_validate(value)
        except ValidationError as exc:
            msg = f"{model.contract.name}: {_brief(exc)}"
            raise InvalidRecord(msg) from exc

    def decode_fields(self, data: bytes) -> tuple[type[Record], Any]:
        """The fields in those bytes and the model that they are meant for, unchecked: for whoever mends a record.

        Raises:
            Undecodable, UnknownSchemaId, UnknownRecord: it can never be read.
            RegistryUnavailable: its schema is not known here and the registry is away.

        """
        if len(data) < _HEADER.size or data[0] != _MAGIC:
            msg = f"not in Confluent's wire format: {data[:8].hex(' ')}…"
            raise Undecodable(msg)
        schema_id = _HEADER.unpack_from(data)[1]
        reader = self._readers.get(schema_id) or self._reader(schema_id)
        buffer = BytesIO(data)
        buffer.seek(_HEADER.size)
        try:
            value: Any = schemaless_reader(buffer, reader.written, reader.expected)
        except Exception as exc:
            msg = f"{reader.model.contract.name}: {type(exc).__name__}: {exc}"
            raise Undecodable(msg) from exc
        if buffer.tell() != len(data):
            msg = f"{reader.model.contract.name}: {len(data) - buffer.tell()} bytes left over"
            raise Undecodable(msg)
        return reader.model, value

    def _writer(self, record: Record) -> _Writer:
        name = record.contract.name
        header = _HEADER.pack(_MAGIC, self._source.id_of(name))
        schema = parsed(name)
        checks = tuple((f["name"], fits) for f in schema["fields"] if (fits := _check(f["type"])))
        writer = _Writer(header, schema, _plain(type(record)), checks)
        self._writers[name] = writer
        return writer

    def _reader(self, schema_id: int) -> _Reader:
        written = self._source.writer_schema(schema_id)
        name = str(written.get("name") if isinstance(written, dict) else written)
        model = BY_NAME.get(name)
        if model is None:
            msg = f"schema {schema_id} is {name!r}, which is none of ours"
            raise UnknownRecord(msg)
        ours = parsed(name)
        # Resolution costs; where writer and reader agree there is nothing to resolve.
        reader = _Reader(model, written, None if _fields(written) == _fields(ours) else ours)
        self._readers[schema_id] = reader
        return reader


def _fields(schema: Any) -> Any:
    return schema.get("fields")


def _plain(model: type[Record]) -> Callable[[Record], dict[str, Any]]:
    """How a record becomes what fastavro writes: its own dict where no record is nested in it."""
    flat = not any(_nests(field.annotation) for field in model.model_fields.values())
    return (lambda record: record.__dict__) if flat else (lambda record: record.model_dump())


def _check(kind: Any) -> Callable[[Any], bool] | None:
    """What fastavro does not check of a record that was built without validation, such as by `model_copy`.

    It takes a time without a zone for one in the machine's own, and counts the digits of 1E+12 as one.
    """
    if isinstance(kind, list):
        return next((check for branch in kind if (check := _check(branch))), None)
    logical = kind.get("logicalType", "") if isinstance(kind, dict) else ""
    if logical.startswith("timestamp"):
        return lambda value: value is None or value.tzinfo is not None
    if logical == "decimal":
        whole = kind["precision"] - kind.get("scale", 0)
        return lambda value: not value or value.adjusted() < whole
    return None


def _nests(annotation: Any) -> bool:
    """Whether a record is in it, also inside `… | None`, a list or a map."""
    if inner := get_args(annotation):
        return any(_nests(argument) for argument in inner)
    return isinstance(annotation, type) and issubclass(annotation, Record)


def _brief(exc: ValidationError) -> str:
    return "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in exc.errors()[:5])


def to_json(record: Record) -> str:
    """As JSON text from which `from_json` makes an equal record."""
    return record.model_dump_json()


def from_json(model: type[R], text: str) -> R:
    """Read what `to_json` wrote, here or by an older version of the model: unknown fields are dropped.

    Raises:
        InvalidRecord: it does not fit the model.

    """
    try:
        return model.model_validate_json(text, extra="ignore")
    except ValidationError as exc:
        msg = f"{model.contract.name}: {_brief(exc)}"
        raise InvalidRecord(msg) from exc
