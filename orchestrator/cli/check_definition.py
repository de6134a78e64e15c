"""`saga check-definition`: what can go wrong at each step of a definition, tried out, and what it leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.settings import load, load_attribute

if TYPE_CHECKING:
    from orchestrator.core.definition import Saga
    from orchestrator.testing.simulation.explore import Finding, Trial
    from schemas.models import Record

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="check-definition")(_check)


def _check(
    name: Annotated[str, typer.Argument(help="The definition; its highest version is taken.")],
    seeds: Annotated[
        int | None, typer.Option(min=1, help="How many runs; by default each trouble at each step four times.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Play this one again, and tell its story.")] = None,
    request: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The request as JSON; made up by default.")
    ] = None,
    output: Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")] = Format.TEXT,
) -> None:
    """Try every trouble at every step of a definition, and say what it leaves behind.

    The real engine runs it over simulated systems, which keep their actions' contracts (idempotent, queryable, blind).
    Fails where something remains, or is done twice, and nobody is told.
    """
    from orchestrator.testing.simulation.aim import Aim  # noqa: PLC0415 - loads the drivers
    from orchestrator.testing.simulation.explore import Ending, explore, try_seed  # noqa: PLC0415 - as above

    settings = load()
    kit = load_attribute("SAGA_SIMULATION", settings.simulation)
    definition = _definition(name, load_attribute("SAGA_CATALOGUE", settings.catalogue))
    asked = _request(definition, request)
    if seed is not None:
        trial = try_seed(definition, asked, kit, seed)
        if output is Format.TEXT:
            _tell(trial)
        else:
            emit([_as_json(trial, 1)], output)
        if trial.ending is Ending.UNNOTICED:
            raise typer.Exit(Exit.FAILED)
        return
    findings = explore(definition, asked, kit, range(seeds or 4 * Aim.count(definition)))
    if output is Format.TEXT:
        _print(definition, findings)
    else:
        emit([_as_json(finding.worst, finding.trials) | {"text": finding.text} for finding in findings], output)
    if any(finding.worst.ending is Ending.UNNOTICED for finding in findings):
        say("[bold red]Something can remain, or be done twice, and nobody is told.[/]")
        raise typer.Exit(Exit.FAILED)
    say("[green]Whatever went wrong, nothing remained that nobody is told of.[/]")


def _definition(name: str, catalogue: Any) -> Saga:
    versions: list[Saga] = [definition for definition in catalogue if definition.name == name]
    if not versions:
        known = ", ".join(sorted({definition.name for definition in catalogue}))
        raise CliError("NOT_FOUND", f"no definition {name!r}; there are {known}", exit_code=Exit.NOT_FOUND)
    return max(versions, key=lambda definition: definition.version)


def _request(definition: Saga, path: Path | None) -> Record:
    from orchestrator.core.errors import DefinitionError  # noqa: PLC0415 - as above
    from orchestrator.core.sample import fitting  # noqa: PLC0415 - as above
    from schemas.codec import from_json  # noqa: PLC0415 - as above
    from schemas.errors import InvalidRecord  # noqa: PLC0415 - as above

    try:
        return fitting(definition.request) if path is None else from_json(definition.request, path.read_text())
    except (DefinitionError, InvalidRecord) as exc:
        hint = "give one with --request" if path is None else str(path)
        raise CliError("INVALID_REQUEST", f"{exc} ({hint})", exit_code=Exit.USAGE) from exc


def _print(definition: Saga, findings: list[Finding]) -> None:
    for step in definition:
        contract = step.contract
        undo = step.undo.action.contract.action if step.undo else "nothing"
        title = f"{step.name} ({contract.effect}, undone by {undo})"
        rows = [
            [f"{f.worst.ending.name.lower()}", safe(f.worst.trouble.value), safe(_with_rejected(f)), f.worst.seed]
            for f in findings
            if f.worst.step == step.name
        ]
        console.print(table(safe(title), ["ends", "if", "then", "seed"], rows))
        console.print()


def _with_rejected(finding: Finding) -> str:
    later = finding.worst.rejected
    return f"{finding.text}, after {later} was rejected" if later else finding.text


def _tell(trial: Trial) -> None:
    later = f", and {trial.rejected} is rejected" if trial.rejected else ""
    console.print(f"seed {trial.seed}: {trial.step}: {trial.trouble.value}{later}", highlight=False)
    for line in trial.story:
        console.print(safe(line), highlight=False, soft_wrap=True)
    console.print(f"{trial.ending.name.lower()}; remains: {', '.join(trial.remains) or 'nothing'}", highlight=False)
    for what in trial.wrong:
        console.print(f"[bold red]wrong[/]: {safe(what)}", highlight=False, soft_wrap=True)


def _as_json(trial: Trial, trials: int) -> dict[str, object]:
    return {
        "step": trial.step,
        "trouble": trial.trouble.name.lower(),
        "then_rejected": trial.rejected,
        "ending": trial.ending.name.lower(),
        "status": trial.status.value if trial.status else None,
        "remains": list(trial.remains),
        "wrong": list(trial.wrong),
        "seed": trial.seed,
        "trials": trials,
        "story": list(trial.story),
    }
