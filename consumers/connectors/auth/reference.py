"""A reference to a secret: where it is kept, never what it is.

    env:NAME                        a variable of this process
    file:/run/secrets/erp           a file, as container platforms mount them; read again when its lease ends
    aws-sm:prod/erp                 AWS Secrets Manager, by name or ARN
    vault:kv/prod/erp               HashiCorp Vault or OpenBao, key-value engine version 2: mount, then path
    azure-kv:my-vault/erp           Azure Key Vault: the vault's name, then the secret's

`#key` takes one field of a secret that is a JSON object (Vault's always is one). `@previous` at the end says that the
value before this one is tried as well when a system refuses the present one: for rotations in which both are valid for
a while, and which reach the system before or after they reach the store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["SOURCES", "Reference", "is_reference"]

_PREVIOUS: Final = "@previous"
_NAMES: Final = {
    "env": r"[A-Za-z_][A-Za-z0-9_]*",
    "file": r"/[^#@\s][^#\s]*",
    "aws-sm": r"[A-Za-z0-9/_+=.@:-]+",
    "vault": r"[^/#\s@]+/[^#\s@]+",
    "azure-kv": r"[A-Za-z0-9-]+/[A-Za-z0-9-]+",
}
SOURCES: Final = tuple(_NAMES)

# Says nothing of what was found: a value that was written by mistake must not travel into a log.
_NO_REFERENCE: Final = (
    "is no reference to a secret. Name where the secret is kept, never the secret itself: env:NAME, "
    "file:/run/secrets/name, aws-sm:name#key, vault:mount/path#key or azure-kv:vault/name"
)
_PATTERN: Final = "|".join(rf"{source}:{name}" for source, name in _NAMES.items())
_WHOLE: Final = rf"^({_PATTERN})(#[^#@\s]+)?(@previous)?$"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where one secret is kept.

    Attributes:
        source: one of `SOURCES`.
        name: in that source.
        key: of the JSON object that the secret is; None where it is the value itself.
        previous: the value before this one is tried as well.

    """

    source: str
    name: str
    key: str | None = None
    previous: bool = False

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read `source:name#key@previous`.

        Raises:
            ValueError: the text is none; the message does not repeat it.

        """
        rest = text.removesuffix(_PREVIOUS)
        name, hash_, key = rest.partition("#")
        source, _, name = name.partition(":")
        pattern = _NAMES.get(source)
        wrong = pattern is None or re.fullmatch(pattern, name) is None or (hash_ and not re.fullmatch(r"[^#@\s]+", key))
        if wrong:
            raise ValueError(_NO_REFERENCE)
        if source == "vault" and not key:
            msg = "names no field: a Vault secret is a set of fields, so write vault:mount/path#key"
            raise ValueError(msg)
        return cls(source, name, key or None, previous=rest != text)

    def __str__(self) -> str:
        """As it is written in a file."""
        key = f"#{self.key}" if self.key else ""
        return f"{self.source}:{self.name}{key}{_PREVIOUS if self.previous else ''}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A string in files, a `Reference` in Python."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """For the published schema of integration files."""
        del schema, handler
        return {"type": "string", "format": "secret-reference", "pattern": _WHOLE}


def is_reference(text: str) -> bool:
    """Whether the text starts as a reference does."""
    return text.partition(":")[0] in _NAMES and ":" in text


def _validated(value: object) -> Reference:
    if isinstance(value, Reference):
        return value
    try:
        return Reference.parse(value if isinstance(value, str) else "")
    except ValueError as exc:
        raise PydanticCustomError("secret_reference", "{why}", {"why": str(exc)}) from None
