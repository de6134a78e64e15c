"""A first integration file out of the `$metadata` of an OData service, v2 or v4: create, update and delete of each set.

It says what the document says, and no more: every action counts as blind until somebody knows better. What the service
says it does not let be created, updated or deleted (`sap:creatable` and the like) is left out, and so are complex
values; function imports and actions stand in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from consumers.connectors.xml import BadXml, local, read_xml
from consumers.integrations.fields import pascal
from consumers.integrations.scaffold import BadDocument, one_line, snake, unique
from consumers.integrations.spec import RESERVED

__all__ = ["scaffold_odata"]

_MOST_ACTIONS: Final = 200
_MOST_FIELDS: Final = 60
_MOST_DIGITS: Final = 38
_NAME: Final = re.compile(r"[_A-Za-z]\w*")
_SAP: Final = "{http://www.sap.com/Protocols/SAPData}"
_TYPES: Final = {
    "Edm.String": "string",
    "Edm.Boolean": "boolean",
    "Edm.Byte": "int",
    "Edm.SByte": "int",
    "Edm.Int16": "int",
    "Edm.Int32": "int",
    "Edm.Int64": "long",
    "Edm.Single": "double",
    "Edm.Double": "double",
    "Edm.Decimal": "decimal",
    "Edm.Date": "date",
    "Edm.DateTime": "timestamp",
    "Edm.DateTimeOffset": "timestamp",
    "Edm.Guid": "uuid",
}
# What a plain text or number does not say of itself.
_TOLD: Final = frozenset({"Edm.Int64", "Edm.Decimal", "Edm.Date", "Edm.DateTime", "Edm.DateTimeOffset", "Edm.Guid"})
_HEAD: Final = """\
# Made by `saga systems scaffold` from $metadata; nothing here has been tried. Before it is used:
#   effect        all are `blind`: `queryable` with a probe by a field that is ours, `idempotent` under a key of ours
#   compensation  which action undoes which
#   missing_codes codes by which a 404 says that there is no such entity; `fresh: true` where the service wants ETags
#   odata         `csrf: true` for SAP Gateway
#   auth          who we are, with secrets by reference
# then `saga systems check FILE`, and `verified: true` for what has been tried.
"""


def scaffold_odata(document: str, name: str) -> str:
    """The text of the file.

    Raises:
        BadDocument: it is no `$metadata`, or has no entity set of simple fields.

    """
    try:
        root = read_xml(document.encode())
    except BadXml as exc:
        raise BadDocument(str(exc)) from exc
    if local(root) != "Edmx":
        raise BadDocument("it is no $metadata of OData: its root is no Edmx")
    version = "v4" if str(root.get("Version")).startswith("4") else "v2"
    types = dict(_types(root))
    actions: dict[str, Any] = {}
    left_out = [f"{_called(one)}: {local(one)}" for one in _all(root, "FunctionImport", "ActionImport")]
    for entity_set in _all(root, "EntitySet"):
        made = _Set(name, entity_set, types)
        for action, spec in made.actions():
            if len(actions) < _MOST_ACTIONS:
                actions[unique(action, actions)] = spec
            else:
                left_out.append(f"{action}: {_MOST_ACTIONS} actions are enough for one file")
        left_out += [f"{made.name}: {what}" for what in made.left_out]
    if not actions:
        raise BadDocument("it has no entity sets of simple fields")
    spec = {
        "name": name,
        "description": name,
        "tier": "api",
        "protocol": "odata",
        "odata": {"version": version},
        "key": "none",
        "actions": actions,
    }
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=118)
    return _HEAD + "".join(f"# left out: {one_line(what)}\n" for what in left_out) + "\n" + text


@dataclass(frozen=True, slots=True)
class _Property:
    """A simple one: what it is called there and here, and what it is."""

    name: str
    field: str
    edm: str
    declared: Mapping[str, Any]
    needed: bool
    creatable: bool
    updatable: bool

    @property
    def value(self) -> Any:
        """As a request has it; one of its own each time, since YAML would make an alias of the same."""
        return {"type": self.edm, "value": self.field} if self.edm in _TOLD else self.field


class _Set:
    """One entity set on the way to its actions."""

    def __init__(self, system: str, entity_set: Any, types: Mapping[str, Any]) -> None:
        self.name = _called(entity_set)
        self.left_out: list[str] = []
        self._system, self._set = system, entity_set
        self._keys: list[str] = []
        self._known: dict[str, _Property] = {}
        kind = types.get(str(entity_set.get("EntityType")))
        bases = []
        while kind is not None and kind not in bases:
            bases.append(kind)
            kind = types.get(str(kind.get("BaseType")))
        for base in reversed(bases):
            self._keys += [str(one.get("Name")) for one in _all(base, "PropertyRef")]
            self._read(base)

    def actions(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each with its name."""
        if not _NAME.fullmatch(self.name) or not self._keys or not all(key in self._known for key in self._keys):
            self.left_out.append("it has no key of simple fields")
            return
        keys = [self._known[key] for key in self._keys]
        others = [one for name, one in self._known.items() if name not in self._keys]
        if _may(self._set, "creatable"):
            yield self._action("create", [], [one for one in (*keys, *others) if one.creatable], returns=keys)
        if _may(self._set, "updatable") and (changed := [one for one in others if one.updatable]):
            yield self._action("update", keys, changed)
        if _may(self._set, "deletable"):
            yield self._action("delete", keys, [])

    def _read(self, kind: Any) -> None:
        for raw in _all(kind, "Property"):
            name, edm = _called(raw), str(raw.get("Type"))
            declared = _declared(raw, edm)
            if declared is None or not _NAME.fullmatch(name):
                self.left_out.append(f"{name}, which is no simple value ({edm})")
            elif len(self._known) >= _MOST_FIELDS and name not in self._keys:
                self.left_out.append(f"{name}: {_MOST_FIELDS} fields are enough for one action")
            else:
                field = snake(name)
                field = f"{field}_value" if field in RESERVED else field
                field = unique(field, {one.field: one for one in self._known.values()})
                needed = raw.get("Nullable") == "false" and name not in self._keys
                creatable, updatable = _may(raw, "creatable"), _may(raw, "updatable")
                self._known[name] = _Property(name, field, edm, declared, needed, creatable, updatable)

    def _action(
        self, do: str, keys: list[_Property], fields: list[_Property], returns: list[_Property] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """`needed` is what a create may not leave out; a service may give the keys itself."""
        parameters = {one.field: dict(one.declared) for one in keys}
        for one in fields:
            must = one.needed and do == "create"
            parameters[one.field] = {**one.declared} if must else {**one.declared, "optional": True}
        entity: dict[str, Any] = {"do": do, "set": self.name}
        if keys:
            entity["key"] = keys[0].value if len(keys) == 1 else {one.name: one.value for one in keys}
        if fields:
            entity["fields"] = {one.name: one.value for one in fields}
        command = pascal(self._system) + pascal(do) + pascal(snake(self.name))
        answered: dict[str, Any] = {one.field: {**one.declared, "optional": True} for one in returns or ()}
        made = {
            "description": f"{do.capitalize()} an entity of {self.name}.",
            "command": command,
            "completion": {"name": f"{command}Done", "description": f"The answer to {command}."},
            "effect": "blind",
            "parameters": parameters,
            "returns": answered,
            "entity": entity,
            "response": {one.field: f'answer."{one.name}"' for one in returns or ()},
            "verified": False,
        }
        return f"{do}_{snake(self.name)}", made


def _declared(raw: Any, edm: str) -> dict[str, Any] | None:
    """The field's declaration; None for what is no simple value."""
    kind = _TYPES.get(edm)
    if kind is None:
        return None
    if edm == "Edm.DateTime" and raw.get(f"{_SAP}display-format") == "Date":
        kind = "date"
    made: dict[str, Any] = {"description": one_line(raw.get(f"{_SAP}label") or _called(raw))[:500], "type": kind}
    longest = _number(raw.get("MaxLength"))
    if kind == "string" and longest is not None and longest <= 1_000_000:
        made["max"] = longest
    if kind == "decimal":
        digits = min(_number(raw.get("Precision")) or _MOST_DIGITS, _MOST_DIGITS)
        # Left out, it is 0; `variable` is as many as there are.
        scale = digits // 2 if raw.get("Scale") in {"variable", "floating"} else _number(raw.get("Scale")) or 0
        made |= {"precision": digits, "scale": min(scale, digits)}
    return made


def _number(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and re.fullmatch(r"[1-9]\d{0,8}", text) else None


def _may(raw: Any, what: str) -> bool:
    return bool(raw.get(f"{_SAP}{what}") != "false")


def _types(root: Any) -> Iterator[tuple[str, Any]]:
    """Entity types by their full names, of the namespace and of its alias."""
    for schema in _all(root, "Schema"):
        for kind in _all(schema, "EntityType"):
            for space in {schema.get("Namespace"), schema.get("Alias")} - {None}:
                yield f"{space}.{_called(kind)}", kind


def _all(root: Any, *names: str) -> list[Any]:
    return [one for one in root.iter() if local(one) in names]


def _called(raw: Any) -> str:
    return str(raw.get("Name"))
