"""The blocks of an integration file by which an action of protocol `odata` says what is sent."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, model_validator

from consumers.integrations.fields import Expression, Strict, Text

__all__ = ["ChangeSpec", "EntitiesSpec", "EntitySpec", "ODataSpec"]


def _typed(shape: Any) -> Any:
    """`{type: Edm.Guid, value: …}`: the type is a name, not an expression."""
    if isinstance(shape, dict):
        if set(shape) == {"type", "value"} and str(shape["type"]).startswith("Edm."):
            return {"type": f"'{shape['type']}'", "value": shape["value"]}
        return {name: _typed(part) for name, part in shape.items()}
    return [_typed(part) for part in shape] if isinstance(shape, list) else shape


Name = Annotated[str, Field(pattern=r"^[_A-Za-z]\w*([./][_A-Za-z]\w*)*$", max_length=256)]
# `parentcustomerid_account@odata.bind` is what an entity is bound to (OData JSON format §8.5).
Property = Annotated[str, Field(pattern=r"^[_A-Za-z]\w*([./][_A-Za-z]\w*)*(@odata\.bind)?$", max_length=256)]
# Expressions, and in places of values `{type: Edm.Guid, value: expression}` where a value does not tell its type.
Typed = Annotated[JsonValue, AfterValidator(_typed)]
Query = dict[Annotated[str, Field(pattern=r"^\$(select|expand)$")], Text]

_CHANGES = frozenset({"update", "upsert", "delete"})
_KEYLESS = frozenset({"create", "invoke", "batch"})


class ODataSpec(Strict):
    """What the service is: its version, and whether it wants a CSRF token with writes (SAP Gateway)."""

    version: Literal["v2", "v4"] = "v4"
    csrf: bool = False


class EntitiesSpec(Strict):
    """A question for the entities whose fields have these values; all pages are read."""

    set: Name
    where: Annotated[dict[Name, Typed], Field(min_length=1)]
    query: Query = Field(default_factory=dict)


class ChangeSpec(Strict):
    """One change of a batch."""

    do: Literal["create", "update", "delete"]
    set: Name
    key: Typed = None
    fields: dict[Property, Typed] = Field(default_factory=dict)
    etag: Expression | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_key(self.do, self.key)
        return self


class EntitySpec(Strict):
    """What is done with an entity.

    Attributes:
        do: update changes what is there, upsert creates it where it is not; batch does all `changes` or none.
        set: the entity set; of `invoke` the action or function import.
        key: one value, or the values of a key of several properties by their names.
        fields: entities may be nested (deep insert). What maps to null is left out, unless `nulls` says to send it.
        etag: what the entity was when the change was decided.
        fresh: read the ETag right before, for services that insist on one, and against writers in between.

    """

    do: Literal["create", "update", "upsert", "delete", "invoke", "read", "batch"]
    set: Name | None = None
    key: Typed = None
    fields: dict[Property, Typed] = Field(default_factory=dict)
    nulls: bool = False
    etag: Expression | None = None
    fresh: bool = False
    query: Query = Field(default_factory=dict)
    changes: list[ChangeSpec] = Field(default_factory=list)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.do == "batch") != bool(self.changes) or (self.do == "batch") == (self.set is not None):
            msg = "a batch has `changes`, and everything else has a `set`"
            raise ValueError(msg)
        _check_key(self.do, self.key)
        if self.fresh and (self.do not in _CHANGES or self.etag is not None):
            msg = "`fresh` is for update, upsert and delete without `etag`"
            raise ValueError(msg)
        if self.fresh and self.do == "upsert" and not _named(self.key):
            msg = "a fresh upsert needs its `key` by names: what is not there is created by them"
            raise ValueError(msg)
        if self.query and self.do != "read":
            msg = "`query` is for read"
            raise ValueError(msg)
        return self


def _named(key: Any) -> bool:
    return isinstance(key, dict) and set(key) != {"type", "value"}


def _check_key(do: str, key: Any) -> None:
    if (key is None) != (do in _KEYLESS):
        msg = f"{do} takes no `key`" if key is not None else f"{do} needs the `key` of the entity"
        raise ValueError(msg)
