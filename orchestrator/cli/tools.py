"""`saga tools`: what agents can ask for, as JSON Schema tools."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import typer

from orchestrator import bootstrap
from orchestrator.cli.systems_files import make_desk
from orchestrator.settings import Settings, load, load_attribute

if TYPE_CHECKING:
    from orchestrator.core.definition import Saga

__all__ = ["register"]

_tools = typer.Typer(help="What agents can ask for.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_tools, name="tools")


@_tools.callback()
def _group() -> None:
    """What agents can ask for."""


@_tools.command()
def export() -> None:
    """Print every saga and every action as one JSON array of tools.

    Annotations are hints for an agent's user interface; what an agent may do is decided elsewhere.
    """
    settings = load()
    found = [*_sagas(settings), *make_desk(settings).tools()]
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


def _sagas(settings: Settings) -> list[dict[str, Any]]:
    catalogue = bootstrap.load_catalogue(settings)
    definitions = load_attribute("SAGA_CATALOGUE", settings.catalogue)
    highest = {d.name: d for d in sorted(definitions, key=lambda definition: definition.version)}
    return [_saga(highest[name], highest[name].request.model_json_schema()) for name in sorted(catalogue.requests)]


def _saga(definition: Saga, parameters: dict[str, Any]) -> dict[str, Any]:
    from schemas.models import SagaEnded  # noqa: PLC0415 - models are loaded when first needed

    errors = {code: said for step in definition for code, said in step.contract.errors.items()}
    description = parameters.pop("description", definition.name)
    return {
        "name": definition.name,
        "description": description,
        "parameters": parameters,
        "returns": SagaEnded.model_json_schema(),
        "errors": errors,
        # A saga that fails is undone, and the same request is the same saga.
        "annotations": {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True},
        "compensation": None,
        "steps": [step.contract.action for step in definition],
        "verified": True,
    }
