"""The systems of this company. `SAGA_SYSTEMS` names this mapping; the key is the system's name in the contracts.

Each file in `consumers/systems/`, and in the folders that `SAGA_SYSTEM_FOLDERS` names, is one; those in
`consumers/systems/ready/` are where `SAGA_READY_SYSTEMS` names them. A system that no file can describe is a module
with a `build(config) -> System`; add it to `PYTHON`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from consumers.folders import folders, ready_folder
from consumers.integrations.build import Integration
from consumers.integrations.load import files_in, read_all
from consumers.integrations.spec import IntegrationSpec
from consumers.system import SystemFactory
from orchestrator.settings import BadSettings, load

__all__ = ["FILES", "PYTHON", "SYSTEMS", "ready"]

PYTHON: Mapping[str, SystemFactory] = {}


@cache
def ready() -> Mapping[str, IntegrationSpec]:
    """All that are ready, also those that are not run here. A worker never asks: they are many, and slow to read."""
    return read_all(files_in(ready_folder()))


def _wanted() -> Mapping[str, IntegrationSpec]:
    files = {path.stem: path for path in files_in(ready_folder())}
    wanted = load().ready_systems
    if unknown := sorted(set(wanted) - files.keys()):
        msg = f"SAGA_READY_SYSTEMS: there is no {', '.join(unknown)}; there are {', '.join(sorted(files))}"
        raise BadSettings(msg)
    return read_all([files[name] for name in wanted])


FILES: Mapping[str, IntegrationSpec] = {
    **_wanted(),
    **read_all([file for folder in folders() for file in files_in(folder)]),
}

SYSTEMS: Mapping[str, SystemFactory] = MappingProxyType(
    {**{name: Integration(spec) for name, spec in FILES.items()}, **PYTHON}
)
