"""Commands that run or prepare a part of the system."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestrator import bootstrap
from orchestrator.cli.doctor import diagnose
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import STYLES, Format, console, emit, say
from orchestrator.settings import load

__all__ = ["register"]

Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(coordinator)
    app.command()(consumer)
    app.command()(doctor)
    for name, group in (("db", _db), ("topics", _topics), ("schemas", _schemas)):
        app.add_typer(group, name=name)


def coordinator() -> None:
    """Run one replica of the coordinator, until SIGTERM."""
    settings = load()
    bootstrap.configure_logs(settings)
    bootstrap.run_coordinator(settings)


def consumer(names: Annotated[list[str], typer.Argument(metavar="SYSTEM…", help="Systems to work for.")]) -> None:
    """Run the consumers of one or more systems in this process, until SIGTERM."""
    settings = load()
    bootstrap.configure_logs(settings)
    bootstrap.run_consumers(settings, names)


def doctor(output: Output = Format.TEXT) -> None:
    """Check every setting and dependency, and say what to do about what is wrong."""
    findings = list(diagnose())
    if output is Format.TEXT:
        marks = {"ok": "[green]ok  [/]", "warning": "[yellow]warn[/]", "error": "[bold red]FAIL[/]"}
        for finding in findings:
            console.print(f"{marks[finding.level]} {finding.what}: {finding.text}", highlight=False, soft_wrap=True)
            if finding.remedy:
                console.print(f"     → {finding.remedy}", style=STYLES["cancelled"], highlight=False, soft_wrap=True)
    else:
        emit([finding.as_json() for finding in findings], output)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(Exit.FAILED)


_db = typer.Typer(help="The databases.", no_args_is_help=True)
_topics = typer.Typer(help="Kafka's topics.", no_args_is_help=True)
_schemas = typer.Typer(help="The contracts.", no_args_is_help=True)


@_db.command("migrate")
def db_migrate() -> None:
    """Bring the coordinator's and the consumers' tables to their newest form. May be run again."""
    bootstrap.migrate(load())
    say("both databases are at their newest migration")


@_topics.command("create")
def topics_create() -> None:
    """Make every topic that the catalogue and the systems need. May be run again."""
    from orchestrator.messaging.admin import create_topics  # noqa: PLC0415 - loads the driver

    settings = load()
    names = bootstrap.topic_names(settings)
    made = create_topics(settings.kafka_settings(), names, settings.partitions, settings.replication)
    say(f"{len(made)} topics made, {len(names) - len(made)} were there")


@_schemas.command("check")
def schemas_check(output: Output = Format.TEXT) -> None:
    """Check the contracts against their history, offline."""
    from schemas.compatibility import check  # noqa: PLC0415 - loads Apache Avro

    problems = check()
    if output is not Format.TEXT:
        emit([problem.as_json() for problem in problems], output)
    for problem in problems if output is Format.TEXT else ():
        console.print(f"{problem.record}: {problem.message}", highlight=False, soft_wrap=True)
    if problems:
        raise CliError("INCOMPATIBLE", f"{len(problems)} problems", exit_code=Exit.CONFLICT)
    say("every contract is compatible with its history")


@_schemas.command("register")
def schemas_register() -> None:
    """Register every contract, with its compatibility level. May be run again."""
    registry = bootstrap.make_registry(load())
    if registry is None:
        raise CliError("BAD_SETTING", "SAGA_SCHEMA_REGISTRY_URL is not set", exit_code=Exit.USAGE)
    ids = registry.register_all()
    say(f"{len(ids)} contracts are registered")
