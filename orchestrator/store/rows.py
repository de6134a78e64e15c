"""The stored forms that all stores share: what goes into a saga's and a journal's columns, and comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.core.messages import Entry
from orchestrator.core.payload import Payload
from orchestrator.core.state import SagaState, Status, state_from_json, state_to_json

__all__ = ["entry_text", "request_text", "saga_from_row", "startable", "state_text"]


def saga_from_row(columns: Any) -> SagaState:
    """The state of a saga from its columns `definition … wake_at`, in the order of `sql.LOCK`."""
    definition, version, status, key, agent, request, state, revision, wake_at = columns
    ((name, value),) = request.items()
    fields = {
        "definition": definition,
        "version": version,
        "request": Payload(name, value=value),
        "status": Status(status),
        "business_key": key,
        "agent": agent,
        "revision": revision,
        "wake_at": wake_at,
    }
    return state_from_json(state, fields)


def request_text(state: SagaState) -> str:
    """The column `request`."""
    return _dump({state.request.name: state.request.json})


def state_text(state: SagaState) -> str:
    """The column `state`."""
    return _dump(state_to_json(state))


def entry_text(entry: Entry) -> str:
    """The journal's column `entry`."""
    stored: dict[str, Any] = {"kind": entry.kind, **entry.facts}
    if entry.notes:
        stored["notes"] = list(entry.notes)
    return _dump(stored)


def _dump(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def startable(ours: Mapping[str, Mapping[int, str]], live: Sequence[Mapping[str, Sequence[int]]]) -> dict[str, int]:
    """The highest version of each definition that every live replica carries; ours alone if they agree on none."""
    found = {}
    for name, versions in ours.items():
        carriers = [set(replica[name]) for replica in live if name in replica]
        shared = set(versions).intersection(*carriers)
        found[name] = max(shared or versions)
    return found
