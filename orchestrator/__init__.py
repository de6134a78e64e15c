"""An event-driven saga orchestrator on Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.agent import Agent, SyncAgent

__all__ = ["Agent", "SyncAgent"]


def __getattr__(name: str) -> Any:
    """Load the agent's client when it is asked for: importing a part of the engine loads no driver."""
    if name in __all__:
        from orchestrator import agent  # noqa: PLC0415

        return getattr(agent, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
