"""Which fields the integration files have hidden. Reads nothing else of them: every worker starts with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from consumers.folders import folders, ready_folder
from orchestrator.redaction import How
from orchestrator.settings import BadSettings, load

__all__ = ["rules"]

_RULES = TypeAdapter(dict[str, How])


def rules() -> Mapping[str, Mapping[str, How]]:
    """The rules of each system that is run in this installation.

    Raises:
        BadSettings: a file cannot be read; what must be hidden is not known then.

    """
    ready = load().ready_systems
    files = [path for folder in folders() for path in _files(folder)]
    found = dict(map(_read, files))
    if ready:
        others = map(_read, _files(ready_folder()))
        found |= {name: fields for name, fields in others if name in ready}
    return found


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in {".yaml", ".yml"})
    except OSError as exc:
        msg = f"SAGA_SYSTEM_FOLDERS: {folder}: {exc.strerror}"
        raise BadSettings(msg) from exc


def _read(path: Path) -> tuple[str, Mapping[str, How]]:
    try:
        data: Any = yaml.load(path.read_bytes(), yaml.CSafeLoader)
        return str(data["name"]), _RULES.validate_python(data.get("redact") or {})
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError, ValidationError) as exc:
        msg = f"{path}: nobody knows which fields it hides; see: saga systems check"
        raise BadSettings(msg) from exc
