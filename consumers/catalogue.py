"""The systems of this company. `SAGA_SYSTEMS` names this mapping; the key is the system's name in the contracts.

Each file in `consumers/systems/`, and in the folders that `SAGA_SYSTEM_FOLDERS` names, is one. A system that no file
can describe is a module with a `build(config) -> System`; add it to `PYTHON`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from consumers.integrations.build import Integration
from consumers.integrations.load import files_in, read_all
from consumers.integrations.spec import IntegrationSpec
from consumers.system import SystemFactory
from orchestrator.settings import load

__all__ = ["FILES", "PYTHON", "SYSTEMS"]

PYTHON: Mapping[str, SystemFactory] = {}

_FOLDERS = [Path(__file__).parent / "systems", *load().system_folders]
FILES: Mapping[str, IntegrationSpec] = read_all([file for folder in _FOLDERS for file in files_in(folder)])

SYSTEMS: Mapping[str, SystemFactory] = MappingProxyType(
    {**{name: Integration(spec) for name, spec in FILES.items()}, **PYTHON}
)
