"""Makes the contracts (`.avsc`) of the actions of integration files that declare their parameters.

    python -m consumers.integrations.contracts            write schemas/commands/ and schemas/completions/
    python -m consumers.integrations.contracts --check    exit 1 where they have drifted

Then `python -m schemas.generate --release` makes the models and gives changed contracts their ids, and
`python -m schemas.compatibility` refuses a change that running sagas could not read.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import schemas
from consumers.integrations.check import Mistake
from consumers.integrations.fields import FieldSpec
from consumers.integrations.spec import ActionSpec, IntegrationSpec
from schemas.catalogue import load

__all__ = ["drifted", "files", "main"]

_ROOT = Path(schemas.__file__).parent


def files(spec: IntegrationSpec) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The contracts of an integration file: name of the action, path below `schemas/`, and the Avro schema."""
    for name, action in spec.actions.items():
        if action.parameters is not None:
            yield name, f"commands/{_snake(action.command)}.avsc", _command(spec, name, action)
        if action.returns is not None:
            yield name, f"completions/{_snake(action.completion.name)}.avsc", _completion(spec, action)


def drifted(spec: IntegrationSpec) -> Iterator[Mistake]:
    """Contracts that are not in `schemas/` as the file says."""
    for name, path, schema in files(spec):
        known = load().get(f"{schema['namespace']}.{schema['name']}")
        if known == schema:
            continue
        what = f"is not in schemas/{path}" if known is None else f"is another than schemas/{path}"
        part = "command" if schema["kind"] == "command" else "completion"
        yield ("actions", name, part), f"{what}: python -m consumers.integrations.contracts"


def _command(spec: IntegrationSpec, name: str, action: ActionSpec) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "record",
        "name": action.command,
        "namespace": spec.namespace,
        "doc": action.description,
        "kind": "command",
        "system": spec.name,
        "action": name,
        "completion": spec.full_name(action.completion.name),
        "effect": action.effect,
    }
    if action.errors:
        schema["errors"] = dict(action.errors)
    return {**schema, "fields": _fields(spec, action.parameters or {})}


def _completion(spec: IntegrationSpec, action: ActionSpec) -> dict[str, Any]:
    completion = action.completion
    schema: dict[str, Any] = {
        "type": "record",
        "name": completion.name,
        "namespace": spec.namespace,
        "doc": completion.description,
        "kind": "completion",
        "system": spec.name,
    }
    if completion.event is not None:
        schema["ce_type"] = completion.event
    return {**schema, "fields": _fields(spec, action.returns or {})}


def _fields(spec: IntegrationSpec, declared: Mapping[str, FieldSpec]) -> list[dict[str, Any]]:
    """Avro defines a name once: a second field of the same enum only names it."""
    found, named = [], set()
    for name, declaration in declared.items():
        field = declaration.avro(name, spec.name, spec.namespace)
        kind = field["type"][1] if declaration.optional else field["type"]
        if declaration.type == "enum":
            if kind["name"] in named:
                field["type"] = ["null", kind["name"]] if declaration.optional else kind["name"]
            named.add(kind["name"])
        found.append(field)
    return found


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _all(specs: Iterable[IntegrationSpec]) -> dict[str, str]:
    found: dict[str, str] = {}
    for spec in specs:
        for _, path, schema in files(spec):
            if path in found:
                msg = f"two records would be schemas/{path}; rename one"
                raise ValueError(msg)
            found[path] = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return found


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    from consumers.catalogue import FILES, ready  # noqa: PLC0415 - reads every file

    wrong = 0
    for path, text in _all({**ready(), **FILES}.values()).items():
        file = _ROOT / path
        if file.exists() and json.loads(file.read_text(encoding="utf-8")) == json.loads(text):
            continue
        if "--check" in arguments:
            print(f"schemas/{path} is not as the integration file says")
            wrong = 1
        else:
            file.write_text(text, encoding="utf-8")
            print(f"wrote schemas/{path}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
