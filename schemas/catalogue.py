"""The `.avsc` files: found as package data, parsed once, by full name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fastavro import parse_schema

__all__ = ["FOLDERS", "full_name", "history", "load", "parse", "parsed"]

FOLDERS = ("requests", "commands", "completions", "engine")


def full_name(schema: Mapping[str, Any]) -> str:
    """Avro's full name of a record."""
    return f"{schema['namespace']}.{schema['name']}"


@cache
def load() -> Mapping[str, Mapping[str, Any]]:
    """Every current schema as JSON, by full name, in the order of folder and file name."""
    found: dict[str, Mapping[str, Any]] = {}
    root = files("schemas")
    for folder in FOLDERS:
        for file in sorted((root / folder).iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".avsc"):
                schema = json.loads(file.read_text(encoding="utf-8"))
                if full_name(schema) in found:
                    msg = f"two files define {full_name(schema)}"
                    raise ValueError(msg)
                found[full_name(schema)] = schema
    return MappingProxyType(found)


@cache
def history() -> Mapping[str, Mapping[int, Mapping[str, Any]]]:
    """Every released version of every schema: full name → version → JSON."""
    found: dict[str, dict[int, Mapping[str, Any]]] = {}
    root = files("schemas") / "history"
    if not root.is_dir():
        return found
    for folder in root.iterdir():
        if folder.is_dir():
            versions = {int(f.name.split(".")[0]): json.loads(f.read_text(encoding="utf-8")) for f in folder.iterdir()}
            found[folder.name] = dict(sorted(versions.items()))
    return found


def parse(schema: Mapping[str, Any]) -> Any:
    """For fastavro, in a name space of its own."""
    return parse_schema(dict(schema), named_schemas={})


@cache
def parsed(name: str) -> Any:
    """The current schema of that name, for fastavro."""
    return parse(load()[name])
