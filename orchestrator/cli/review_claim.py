"""`saga review claim`, `release` and `decide`: one person at a time at what waits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from orchestrator.cli import control
from orchestrator.cli.actor import actor_name
from orchestrator.cli.claims import claim_json, claimed, open_claims
from orchestrator.cli.deciding import choose
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, emit, safe, say
from orchestrator.cli.sagas import open_queries
from orchestrator.core.messages import ControlCommand
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.store.claims import Claim

__all__ = ["register"]

Id = Annotated[str, typer.Argument(metavar="ID")]
Actor = Annotated[str | None, typer.Option(help="Who; the user of this machine unless given.")]
TakeOver = Annotated[bool, typer.Option("--take-over", help="Also where somebody else has claimed it.")]
Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]

_LONGEST_NOTE = 500
_DECISIONS = (
    ControlCommand.RETRY, ControlCommand.RESOLVE, ControlCommand.SKIP, ControlCommand.COMPENSATE,
    ControlCommand.CANCEL, ControlCommand.RESUME, ControlCommand.RERUN,
)  # fmt: skip
# What the commands about many sagas have for their number.
_MANY = frozenset({"ids", "where", "limit", "rate", "canary"})


def register(review: typer.Typer) -> None:
    """Add the commands."""
    review.command()(claim)
    review.command()(release)
    review.add_typer(_decide_group(), name="decide")


def claim(
    saga_id: Id,
    note: Annotated[str, typer.Option(help="What others should know.")] = "",
    actor: Actor = None,
    take_over: TakeOver = False,
    output: Output = Format.TEXT,
) -> None:
    """Say that you are at it. It holds until the saga moves on; your own again is fine, somebody else's is refused."""
    if not note.isprintable() or len(note) > _LONGEST_NOTE:
        raise CliError("USAGE", f"--note: at most {_LONGEST_NOTE} printable characters", exit_code=Exit.USAGE)
    settings, who = load(), actor_name(actor)
    (row,) = choose(open_queries(settings), [saga_id], (), 1)
    if row.state.terminal:
        raise CliError("ENDED", f"{row.id} is {row.state.status.value}; nothing waits", exit_code=Exit.CONFLICT)
    claims = open_claims(settings)
    before = claims.held([row.id]).get(row.id)
    made = claims.take(row.id, who, note, before if take_over else None)
    if made is None:
        raise _lost(claims.held([row.id]).get(row.id))
    if output is not Format.TEXT:
        emit([{"id": row.id, "revision": made.revision, "claim": claim_json(made)}], output)
    elif before is not None and before.actor != who:
        say(f"yours now, and no longer {safe(before.actor)}'s")
    else:
        say(f"yours, as long as the saga stays at revision {made.revision}")


def release(saga_id: Id, actor: Actor = None, take_over: TakeOver = False) -> None:
    """Give up a claim, so that others may take it."""
    settings, who = load(), actor_name(actor)
    (row,) = choose(open_queries(settings), [saga_id], (), 1)
    claims = open_claims(settings)
    before = claims.held([row.id]).get(row.id)
    if before is not None and before.actor != who and not take_over:
        raise claimed(before)
    if not claims.release(row.id, who, before) and before is not None:
        raise _lost(claims.held([row.id]).get(row.id))
    say("released" if before is not None else "nobody has claimed it")


def _lost(now: Claim | None) -> CliError:
    """Somebody else was faster; they may be done with it already."""
    return claimed(now) if now else CliError("CLAIMED", "somebody else was at it; try again", exit_code=Exit.CONFLICT)


# -- decide --------------------------------------------------------------------------------------------------------


def _decide_group() -> typer.Typer:
    """The commands of `control`, each about one saga, and refused where somebody else has claimed that."""
    plain = typer.Typer()
    control.register(plain)
    group = typer.Typer(help="Decide about one saga, unless somebody else has claimed it.", no_args_is_help=True)
    group.callback()(_about)
    for command in plain.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__
        if name in _DECISIONS:
            group.command(name, help=command.help)(_about_one(command.callback))
    return group


def _about(context: typer.Context, saga_id: Id) -> None:
    context.obj = saga_id


def _about_one(command: Callable[..., None]) -> Callable[..., None]:
    """The same command with the same options, but about the saga that the group names."""

    @functools.wraps(command)
    def run(context: typer.Context, take_over: bool, **given: Any) -> None:
        _check_claim(context.obj, given["actor"], take_over=take_over, only_look=given["dry_run"])
        command(ids=[context.obj], **given)

    hints = get_type_hints(command, include_extras=True)
    own = {name: hints[name] for name in inspect.signature(command).parameters if name not in _MANY}
    given = inspect.signature(command).parameters
    keyword = inspect.Parameter.KEYWORD_ONLY
    # Typer reads a command's options from its signature.
    made = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *(given[name].replace(annotation=hint, kind=keyword) for name, hint in own.items()),
        inspect.Parameter("take_over", keyword, annotation=TakeOver, default=False),
    ]
    run.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in made}
    return run


def _check_claim(saga_id: str, actor: str | None, *, take_over: bool, only_look: bool) -> None:
    """Refuse what somebody else is at. Taking over makes it one's own first, so that others see who decides."""
    settings, who = load(), actor_name(actor)
    (row,) = choose(open_queries(settings), [saga_id], (), 1)
    claims = open_claims(settings)
    other = claims.held([row.id]).get(row.id)
    if other is None or other.actor == who:
        return
    if not take_over:
        raise claimed(other)
    if not only_look and claims.take(row.id, who, over=other) is None:
        raise _lost(claims.held([row.id]).get(row.id))
