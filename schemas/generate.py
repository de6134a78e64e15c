"""Makes `schemas/models/__init__.py` from the `.avsc` files.

    python -m schemas.generate            write the models
    python -m schemas.generate --check    exit 1 where they have drifted
    python -m schemas.generate --release  also add changed schemas to the history, with new ids

Our own and not datamodel-code-generator, which was tried: it drops decimal precision, patterns, lengths and formats,
and knows nothing of contracts, so most of its output would be rewritten.
"""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.catalogue import full_name, history, load

__all__ = ["main", "render"]

_ROOT = Path(__file__).parent
_MODELS = _ROOT / "models" / "__init__.py"

_PRIMITIVES = {"string": "str", "boolean": "bool", "bytes": "bytes", "float": "float", "double": "float"}
_INTEGERS = {"int": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}
_EMAIL = r"^[^@\s<>,;:\"]+@[^@\s<>,;:\".]+(\.[^@\s<>,;:\".]+)+$"
_LOGICAL = {
    "date": "date",
    "timestamp-micros": "AwareDatetime",
    "timestamp-millis": "AwareDatetime",
    "uuid": "UUID",
}

_HEAD = '''"""Generated from the .avsc files by `python -m schemas.generate`. Do not edit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from schemas.models._record import Contract, EffectClass, Record, Request
'''


def render() -> str:
    """The text of the models module."""
    schemas = list(load().values())
    # A command's contract names its completion, so completions come first.
    order = {"completion": 0, "engine": 1, "command": 2, "request": 3}
    schemas.sort(key=lambda schema: (order[schema["kind"]], full_name(schema)))
    names: dict[str, str] = {}
    parts = [_HEAD]
    for schema in schemas:
        parts.extend(_definitions(schema, names))
    records = sorted(full_name(s) for s in schemas)
    exported = sorted({*names.values(), "BY_NAME", "Contract", "EffectClass", "Record", "Request"})
    listed = "".join(f'    "{name}": {names[name]},\n' for name in records)
    parts.append(f"BY_NAME: Mapping[str, type[Record]] = MappingProxyType(\n    {{\n{_indent(listed)}    }}\n)\n")
    exports = "".join(f'    "{name}",\n' for name in exported)
    return "\n\n\n".join(part.strip("\n") for part in parts) + f"\n\n__all__ = [\n{exports}]\n"


def _indent(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _definitions(schema: Mapping[str, Any], names: dict[str, str]) -> Iterator[str]:
    """The classes of one record: its enums and nested records first."""
    for field in schema["fields"]:
        yield from _nested(field["type"], schema["namespace"], names)
    name = full_name(schema)
    _claim(name, schema["name"], names)
    fields = "".join(_field(field, schema["namespace"], names) for field in schema["fields"])
    base = "Request" if schema.get("kind") == "request" else "Record"
    contract = _contract(schema, names) if "kind" in schema else ""
    doc = schema.get("doc", name).replace('"', "'")
    yield f'class {schema["name"]}({base}):\n    """{doc}"""\n\n{contract}{fields}'


def _nested(kind: Any, namespace: str, names: dict[str, str]) -> Iterator[str]:
    if isinstance(kind, list):
        for branch in kind:
            yield from _nested(branch, namespace, names)
    elif isinstance(kind, dict):
        inner = {"namespace": namespace, **kind}
        if kind["type"] == "enum":
            _claim(full_name(inner), kind["name"], names)
            symbols = "".join(f'    {symbol} = "{symbol}"\n' for symbol in kind["symbols"])
            yield f'class {kind["name"]}(StrEnum):\n    """{full_name(inner)}."""\n\n{symbols}'
        elif kind["type"] == "record":
            yield from _definitions(inner, names)
        else:
            for part in ("items", "values"):
                if part in kind:
                    yield from _nested(kind[part], namespace, names)


def _claim(name: str, python: str, names: dict[str, str]) -> None:
    if python in names.values():
        msg = f"{name}: two types would be the class {python}; rename one"
        raise ValueError(msg)
    names[name] = python


def _field(field: Mapping[str, Any], namespace: str, names: Mapping[str, str]) -> str:
    kind = field["type"]
    nullable = isinstance(kind, list)
    if nullable:
        branches = [branch for branch in kind if branch != "null"]
        if len(branches) != 1 or len(kind) != 2:
            msg = f"{field['name']}: a union is null and one type; others map to no single Python type"
            raise ValueError(msg)
        kind = branches[0]
    python, constraints = _type(kind, namespace, names)
    constraints += [
        f"{ours}={field[theirs]!r}".replace("'", '"')
        for theirs, ours in (("minLength", "min_length"), ("maxLength", "max_length"))
        if theirs in field
    ]
    if "pattern" in field:
        constraints.append(f"pattern={json.dumps(field['pattern'])}")
    if field.get("format") == "email":
        # Not EmailStr: its validator takes 50 µs, on every hop. The mail server has the last word anyway.
        constraints += ["max_length=254", f"pattern={json.dumps(_EMAIL)}"]
    if nullable:
        python += " | None"
    constraints.append(f"description={json.dumps(field['doc'], ensure_ascii=False)}")
    default = f" = {_default(field, kind)}" if "default" in field else ""
    lines = "".join(f"            {constraint},\n" for constraint in constraints)
    return f"    {field['name']}: Annotated[\n        {python},\n        Field(\n{lines}        ),\n    ]{default}\n"


def _default(field: Mapping[str, Any], kind: Any) -> str:
    default = field["default"]
    if default in ([], {}):
        return f"Field(default_factory={type(default).__name__})"
    if isinstance(default, str) and isinstance(kind, str):
        return json.dumps(default)
    return repr(default)


def _type(kind: Any, namespace: str, names: Mapping[str, str]) -> tuple[str, list[str]]:
    if isinstance(kind, str):
        if kind in _INTEGERS:
            low, high = _INTEGERS[kind]
            return "int", [f"ge={low}", f"le={high}"]
        return (_PRIMITIVES[kind], []) if kind in _PRIMITIVES else (names[_absolute(kind, namespace)], [])
    logical = kind.get("logicalType")
    if logical == "decimal":
        return "Decimal", [f"max_digits={kind['precision']}", f"decimal_places={kind.get('scale', 0)}"]
    if logical:
        return _LOGICAL[logical], []
    if kind["type"] == "array":
        return f"list[{_type(kind['items'], namespace, names)[0]}]", []
    if kind["type"] == "map":
        return f"dict[str, {_type(kind['values'], namespace, names)[0]}]", []
    return kind["name"], []


def _absolute(name: str, namespace: str) -> str:
    return name if "." in name else f"{namespace}.{name}"


def _contract(schema: Mapping[str, Any], names: Mapping[str, str]) -> str:
    name = full_name(schema)
    facts = [("name", json.dumps(name)), ("type", json.dumps(schema.get("ce_type", name)))]
    facts += [(key, json.dumps(schema[key])) for key in ("kind", "definition", "system", "action") if key in schema]
    if "completion" in schema:
        facts.append(("completion", names[schema["completion"]]))
    if "effect" in schema:
        facts.append(("effect", json.dumps(schema["effect"])))
    if schema.get("errors"):
        pairs = "".join(f"                {json.dumps(k)}: {json.dumps(v)},\n" for k, v in schema["errors"].items())
        facts.append(("errors", f"MappingProxyType(\n            {{\n{pairs}            }}\n        )"))
    lines = "".join(f"        {key}={value},\n" for key, value in facts)
    return f"    contract: ClassVar[Contract] = Contract(\n{lines}    )\n"


def release() -> list[str]:
    """Add changed schemas to the history and give them ids. Returns what was released."""
    ids_file = _ROOT / "ids.json"
    ids: dict[str, dict[str, int]] = json.loads(ids_file.read_text(encoding="utf-8")) if ids_file.exists() else {}
    highest = max((number for versions in ids.values() for number in versions.values()), default=0)
    released = []
    for name, schema in load().items():
        versions = history().get(name, {})
        if versions and versions[max(versions)] == schema:
            continue
        version = max(versions, default=0) + 1
        path = _ROOT / "history" / name / f"{version}.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        highest += 1
        ids.setdefault(name, {})[str(version)] = highest
        released.append(f"{name} version {version}, id {highest}")
    # Of a merge of two releases one side's versions may be left without ids.
    for name, lost in unnumbered(ids):
        highest += 1
        ids.setdefault(name, {})[lost] = highest
        released.append(f"{name} version {lost}, id {highest}")
    ids_file.write_text(json.dumps(ids, indent=2) + "\n", encoding="utf-8")
    return released


def unnumbered(ids: Mapping[str, Mapping[str, int]]) -> list[tuple[str, str]]:
    """Released versions without an id: nobody can write them."""
    released = ((path.parent.name, path.stem) for path in sorted((_ROOT / "history").glob("*/*.avsc")))
    return [(name, version) for name, version in released if version not in ids.get(name, {})]


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    text = render()
    if "--check" in arguments:
        current = _MODELS.read_text(encoding="utf-8") if _MODELS.exists() else ""
        diff = list(
            difflib.unified_diff(current.splitlines(), text.splitlines(), "committed", "generated", lineterm="")
        )
        ids = json.loads((_ROOT / "ids.json").read_text(encoding="utf-8"))
        missing = [f"{name} version {version} has no id: --release" for name, version in unnumbered(ids)]
        print("\n".join([*diff, *missing]))
        return 1 if diff or missing else 0
    _MODELS.write_text(text, encoding="utf-8")
    if "--release" in arguments:
        print("\n".join(release()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
