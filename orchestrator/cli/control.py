"""What operators decide, about one saga or many: cancel, compensate, pause, resume, retry, resolve, skip, rerun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from orchestrator.cli.deciding import Order, carry_out
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format
from orchestrator.core.messages import ControlCommand

__all__ = ["register"]

Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Saga ids; or say which by --where.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="KEY=VALUE, repeated: status, definition, agent, key, error, step, since, paused."),
]
Reason = Annotated[str, typer.Option(help="Why; kept in the journal with who.")]
Actor = Annotated[str | None, typer.Option(help="Who decides; the user of this machine unless given.")]
Step = Annotated[str | None, typer.Option(help="The step that is meant, where several wait.")]
Undo = Annotated[bool, typer.Option("--undo", help="Its compensation is meant.")]
IfVersion = Annotated[int | None, typer.Option(help="Refuse where the saga's revision is another.")]
Result = Annotated[
    str | None, typer.Option(help="What the step answered, as JSON or @FILE, by the schema of its action.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and send nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rate = Annotated[float | None, typer.Option(min=0.001, help="So many a second at most.")]
Canary = Annotated[int, typer.Option(min=0, help="So many first; go on only if none of them waits for a person again.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="So many at most, oldest first.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait for the engine's answer.")]
Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command, text in _PLAIN.items():
        app.command(command.value, help=text)(_plain(command))
    app.command()(retry)
    app.command()(resolve)
    app.command()(skip)
    app.command()(rerun)


_PLAIN = {
    ControlCommand.CANCEL: "Cancel: undo what was done, in reverse order. Refused once the pivot is done.",
    ControlCommand.COMPENSATE: "Undo everything, also what nobody knows to have been done.",
    ControlCommand.PAUSE: "Send no more commands; what is in flight still lands.",
    ControlCommand.RESUME: "Go on after a pause.",
}


def _plain(command: ControlCommand) -> Callable[..., None]:
    def run(
        reason: Reason,
        ids: Ids = None,
        where: Where = None,
        actor: Actor = None,
        if_version: IfVersion = None,
        dry_run: DryRun = False,
        yes: Yes = False,
        rate: Rate = None,
        canary: Canary = 0,
        limit: Limit = 1000,
        timeout: Timeout = 30.0,
        output: Output = Format.TEXT,
    ) -> None:
        order = Order(
            command, reason, actor, if_version=if_version, dry_run=dry_run, yes=yes, rate=rate, canary=canary,
            timeout=timeout, output=output,
        )  # fmt: skip
        carry_out(order, ids or [], where or [], limit)

    return run


def retry(
    reason: Reason,
    ids: Ids = None,
    where: Where = None,
    step: Step = None,
    undo: Undo = False,
    not_done: Annotated[
        bool, typer.Option("--not-done", help="I know that it was not done; needed for a blind action.")
    ] = False,
    actor: Actor = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    rate: Rate = None,
    canary: Canary = 0,
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    output: Output = Format.TEXT,
) -> None:
    """Try again what waits for a person."""
    order = Order(
        ControlCommand.RETRY, reason, actor, step, undo, "not-done" if not_done else None, None, if_version, dry_run,
        yes, rate, canary, timeout, output,
    )  # fmt: skip
    carry_out(order, ids or [], where or [], limit)


def resolve(
    reason: Reason,
    ids: Ids = None,
    where: Where = None,
    done: Annotated[
        bool | None, typer.Option("--done/--not-done", help="What you found out about an unknown outcome.")
    ] = None,
    step: Step = None,
    undo: Undo = False,
    result: Result = None,
    actor: Actor = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    output: Output = Format.TEXT,
) -> None:
    """Say whether something that nobody knew was done, or not done. A step that was done needs its --result."""
    if done is None:
        raise CliError("USAGE", "say --done or --not-done", exit_code=Exit.USAGE)
    order = Order(
        ControlCommand.RESOLVE, reason, actor, step, undo, "done" if done else "not-done", result, if_version, dry_run,
        yes, timeout=timeout, output=output,
    )  # fmt: skip
    carry_out(order, ids or [], where or [], limit)


def skip(
    reason: Reason,
    ids: Ids = None,
    where: Where = None,
    step: Step = None,
    undo: Undo = False,
    result: Result = None,
    actor: Actor = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    output: Output = Format.TEXT,
) -> None:
    """Go on without what waits for a person. A step that later ones build on needs a --result in its place."""
    order = Order(
        ControlCommand.SKIP, reason, actor, step, undo, None, result, if_version, dry_run, yes, timeout=timeout,
        output=output,
    )  # fmt: skip
    carry_out(order, ids or [], where or [], limit)


def rerun(
    reason: Reason,
    step: Annotated[str, typer.Option(help="From which step on.")],
    ids: Ids = None,
    where: Where = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE of the request, as these steps are to see it; repeated."),
    ] = None,
    not_done: Annotated[bool, typer.Option("--not-done", help="I know that the step was not done.")] = False,
    actor: Actor = None,
    if_version: IfVersion = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    rate: Rate = None,
    canary: Canary = 0,
    limit: Limit = 1000,
    timeout: Timeout = 30.0,
    output: Output = Format.TEXT,
) -> None:
    """Do a step again: undo it and everything after it, and go forward from there in a new round.

    Refused where something of it would remain, and past the pivot.
    """
    order = Order(
        ControlCommand.RERUN, reason, actor, step, False, "not-done" if not_done else None, None, if_version, dry_run,
        yes, rate, canary, timeout, output, tuple(changes or ()),
    )  # fmt: skip
    carry_out(order, ids or [], where or [], limit)
