"""Base classes of the generated models, and what the engine knows of each record: its contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PrivateAttr
from uuid_utils.compat import uuid7

Kind = Literal["request", "command", "completion", "engine"]
EffectClass = Literal["idempotent", "queryable", "blind"]


if TYPE_CHECKING:
    # `type` is a field of Contract, and hides the builtin inside it.
    _RecordType = type["Record"]


@dataclass(frozen=True, slots=True)
class Contract:
    """What an `.avsc` file says of a record beside its fields.

    `name` is the Avro full name and the registry's subject (RecordNameStrategy). `type` goes into `ce_type`.
    `definition` is set for requests; `system`, `action`, `completion` and `effect` for commands.
    """

    name: str
    type: str
    kind: Kind
    definition: str | None = None
    system: str | None = None
    action: str | None = None
    completion: _RecordType | None = None
    effect: EffectClass = "idempotent"
    errors: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Record(BaseModel):
    """One Avro record. Immutable; refuses unknown fields; bytes are base64 in JSON so that every value survives."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="strings",
    )

    contract: ClassVar[Contract]


class Request(Record):
    """A request carries its saga's id from construction: publishing the same object again is the same saga."""

    _saga_id: UUID = PrivateAttr(default_factory=uuid7)

    @property
    def saga_id(self) -> UUID:
        """The saga's id, a UUIDv7."""
        return self._saga_id
