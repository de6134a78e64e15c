"""Actions as tools for agents: JSON Schema of what goes in and what comes out, and what a call may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.integrations.fields import FieldSpec
from consumers.integrations.spec import ActionSpec, IntegrationSpec

__all__ = ["describe", "tools"]


def tools(spec: IntegrationSpec) -> list[dict[str, Any]]:
    """Each action that declares its parameters as one tool.

    `annotations` are named as in the Model Context Protocol, which calls them hints: the gate is ours, not theirs.
    """
    undoes = {action.compensation for action in spec.actions.values() if action.compensation}
    return [
        {
            "name": f"{spec.name}.{name}",
            "description": action.description,
            "parameters": _schema(action.parameters),
            "returns": _schema(action.returns),
            "errors": {**spec.errors, **action.errors},
            "annotations": {
                "readOnlyHint": action.reads,
                "destructiveHint": not action.reads and (name in undoes or action.compensation is None),
                "idempotentHint": action.reads or action.effect == "idempotent",
            },
            "compensation": f"{spec.name}.{action.compensation}" if action.compensation else None,
            "verified": action.verified,
        }
        for name, action in spec.actions.items()
        if action.parameters is not None and action.returns is not None
    ]


def describe(spec: IntegrationSpec) -> dict[str, Any]:
    """One system for people and programs; nothing of it is secret."""
    return {
        "name": spec.name,
        "description": spec.description,
        "tier": spec.tier,
        "protocol": spec.protocol,
        "base_url": spec.base_url,
        "api_version": spec.api_version.value if spec.api_version else None,
        "auth": spec.auth.type if spec.auth else None,
        "rate": spec.rate,
        "concurrency": spec.concurrency,
        "timeouts": spec.timeouts.model_dump(),
        "errors": dict(spec.errors),
        "actions": [_action(name, action) for name, action in spec.actions.items()],
    }


def _action(name: str, action: ActionSpec) -> dict[str, Any]:
    return {
        "name": name,
        "description": action.description,
        "command": action.command,
        "completion": action.completion.name,
        "effect": action.effect,
        "asks": action.probe is not None,
        "compensation": action.compensation,
        "errors": dict(action.errors),
        "parameters": _names(action.parameters),
        "returns": _names(action.returns),
        "verified": action.verified,
        "source": action.source,
    }


def _names(fields: Mapping[str, FieldSpec] | None) -> list[str] | None:
    return None if fields is None else [f"{name}?" if field.optional else name for name, field in fields.items()]


def _schema(fields: Mapping[str, FieldSpec] | None) -> dict[str, Any]:
    known = fields or {}
    return {
        "type": "object",
        "properties": {name: field.json_schema() for name, field in known.items()},
        "required": [name for name, field in known.items() if not field.optional],
        "additionalProperties": False,
    }
