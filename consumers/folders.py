"""Where integration files are."""

from __future__ import annotations

from pathlib import Path

from orchestrator.settings import load

__all__ = ["folders", "ready_folder"]

_SHIPPED = Path(__file__).parent / "systems"


def folders() -> list[Path]:
    """Those whose files are run: ours, and those that `SAGA_SYSTEM_FOLDERS` names."""
    return [_SHIPPED, *load().system_folders]


def ready_folder() -> Path:
    """Files for systems that many have; run where `SAGA_READY_SYSTEMS` names them."""
    return _SHIPPED / "ready"
