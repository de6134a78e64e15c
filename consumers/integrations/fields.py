"""Parameters and returns of an action, as an integration file declares them, and what they are in Avro."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

__all__ = ["Expression", "FieldSpec", "Identifier", "Scalar", "Seconds", "Strict", "Text", "pascal"]


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        msg = "should be an expression, a number or a boolean"
        raise ValueError(msg)
    return value


Text = Annotated[str, Field(min_length=1, max_length=2000)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Expression = Annotated[
    str, Field(min_length=1, max_length=2000), WithJsonSchema({"type": "string", "format": "jmespath"})
]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Seconds = Annotated[float, Field(gt=0, le=600)]

_SCALARS: Final[dict[str, Any]] = {
    "string": "string",
    "boolean": "boolean",
    "int": "int",
    "long": "long",
    "double": "double",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "timestamp-micros"},
    "uuid": {"type": "string", "logicalType": "uuid"},
}
_OPTIONS: Final = {
    "min": ("string",),
    "max": ("string",),
    "pattern": ("string",),
    "format": ("string",),
    "values": ("enum",),
    "name": ("enum",),
    "precision": ("decimal",),
    "scale": ("decimal",),
    "items": ("array", "map"),
}
_NEEDED: Final = {"enum": "values", "decimal": "precision", "array": "items", "map": "items"}


class Strict(BaseModel):
    """Refuses what it does not know. What was found is never shown: it may be a secret in the wrong place."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)


class FieldSpec(Strict):
    """One field. `min` and `max` are lengths of a string; an optional field may be null.

    A decimal is exact and travels as text; a timestamp has a time zone. `name` is the enum's in Avro, by default made
    of the system's and the field's.
    """

    description: Text
    type: Literal["string", "boolean", "int", "long", "double", "decimal", "date", "timestamp", "uuid", "enum",
                  "array", "map"]  # fmt: skip
    optional: bool = False
    min: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    max: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    pattern: Annotated[str, Field(max_length=500)] | None = None
    format: Literal["email"] | None = None
    values: Annotated[list[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]], Field(min_length=1)] | None = (
        None
    )
    name: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$")] | None = None
    precision: Annotated[int, Field(ge=1, le=38)] | None = None
    scale: Annotated[int, Field(ge=0, le=38)] | None = None
    items: Literal["string", "boolean", "int", "long", "double", "date", "timestamp", "uuid"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for option, types in _OPTIONS.items():
            if getattr(self, option) is not None and self.type not in types:
                msg = f"`{option}` is of no use with type {self.type}"
                raise ValueError(msg)
        needed = _NEEDED.get(self.type)
        if needed and getattr(self, needed) is None:
            msg = f"type {self.type} needs `{needed}`"
            raise ValueError(msg)
        if self.min is not None and self.max is not None and self.min > self.max:
            msg = "`min` is above `max`"
            raise ValueError(msg)
        if self.scale is not None and self.precision is not None and self.scale > self.precision:
            msg = "`scale` is above `precision`"
            raise ValueError(msg)
        if self.values and len(set(self.values)) != len(self.values):
            msg = "`values` has one of them twice"
            raise ValueError(msg)
        return self

    def avro(self, name: str, system: str, namespace: str) -> dict[str, Any]:
        """The field of an Avro record."""
        kind = self._avro_type(name, system, namespace)
        field: dict[str, Any] = {"name": name, "doc": self.description, "type": kind}
        for ours, theirs in (("min", "minLength"), ("max", "maxLength"), ("pattern", "pattern"), ("format", "format")):
            if (value := getattr(self, ours)) is not None:
                field[theirs] = value
        if self.optional:
            field |= {"type": ["null", kind], "default": None}
        return field

    def _avro_type(self, name: str, system: str, namespace: str) -> Any:
        if self.type == "enum":
            named = self.name or pascal(system) + pascal(name)
            return {"type": "enum", "name": named, "namespace": namespace, "symbols": self.values}
        if self.type == "decimal":
            return {
                "type": "bytes",
                "logicalType": "decimal",
                "precision": self.precision,
                "scale": self.scale or 0,
            }
        if self.type == "array":
            return {"type": "array", "items": _SCALARS[self.items or ""]}
        if self.type == "map":
            return {"type": "map", "values": _SCALARS[self.items or ""]}
        return _SCALARS[self.type]

    def json_schema(self) -> dict[str, Any]:
        """The same as JSON Schema, as a tool's caller writes it."""
        schema = _JSON[self.type].copy()
        if self.type == "array":
            schema["items"] = _JSON[self.items or ""]
        elif self.type == "map":
            schema["additionalProperties"] = _JSON[self.items or ""]
        elif self.type == "decimal":
            schema["description"] = f"{self.description} A decimal as text, {self.scale or 0} places."
        optional = {
            "enum": self.values,
            "minLength": self.min,
            "maxLength": self.max,
            "pattern": self.pattern,
            "format": self.format,
        }
        schema |= {key: value for key, value in optional.items() if value is not None}
        if self.optional:
            schema["type"] = [schema["type"], "null"]
            if self.values:
                schema["enum"] = [*self.values, None]
        return {"description": self.description, **schema}


_JSON: Final[dict[str, dict[str, Any]]] = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "long": {"type": "integer"},
    "double": {"type": "number"},
    "decimal": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"},
    "enum": {"type": "string"},
    "array": {"type": "array"},
    "map": {"type": "object"},
}


def pascal(name: str) -> str:
    """`vendor_type` as `VendorType`."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("-", "_").split("_"))
