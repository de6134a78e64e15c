"""What the commands about dead letters have in common: how letters are chosen, who acts, and how long reading takes."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from uuid import UUID

import typer
from rich.progress import Progress

from orchestrator import bootstrap
from orchestrator.cli.actor import user
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, say, stderr
from orchestrator.cli.times import moment
from orchestrator.letters.errors import NoSuchLetter
from orchestrator.letters.letter import OPEN_STATES, Place, State
from orchestrator.letters.wanted import By, Filter
from orchestrator.settings import load

if TYPE_CHECKING:
    from orchestrator.letters.desk import Desk
    from orchestrator.letters.letter import Letter

__all__ = [
    "Actor",
    "Output",
    "Reason",
    "Yes",
    "by",
    "chosen",
    "confirm",
    "desk",
    "filtered",
    "find",
    "place_of",
    "progress",
]

Output = Annotated[Format, typer.Option("-o", "--output", help="How data is printed.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with your name.")]
Actor = Annotated[str | None, typer.Option("--actor", help="Who; the user of the operating system, if not given.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_QUIET_SECONDS = 2.0
_SAMPLE = 5


def _filter(
    topic: Annotated[str | None, typer.Option(help="Only of this topic, the dead-letter one or the original.")] = None,
    system: Annotated[str | None, typer.Option(help="Only of this system.")] = None,
    reason_code: Annotated[
        str | None, typer.Option("--reason-code", help="Only with this reason, SANCTIONED for one.")
    ] = None,
    saga: Annotated[str | None, typer.Option(help="Only of this saga.")] = None,
    definition: Annotated[str | None, typer.Option(help="Only of sagas of this definition.")] = None,
    since: Annotated[str | None, typer.Option(help="Only younger ones: 30m, 12h, 7d, or an ISO time.")] = None,
    until: Annotated[str | None, typer.Option(help="Only older ones: 30m, 12h, 7d, or an ISO time.")] = None,
    offset: Annotated[int | None, typer.Option(min=0, help="Only at this offset.")] = None,
    header: Annotated[str | None, typer.Option(metavar="NAME=VALUE", help="Only with this header.")] = None,
    state: Annotated[list[State] | None, typer.Option(help="Only in these; open and edited, if not given.")] = None,
) -> Filter:
    name, separator, value = (header or "").partition("=")
    if header is not None and (not separator or not name):
        raise CliError("USAGE", f"--header {header!r} is not NAME=VALUE", exit_code=Exit.USAGE)
    try:
        saga_id = UUID(saga) if saga else None
    except ValueError as exc:
        raise CliError("USAGE", f"{saga!r} is no saga id", exit_code=Exit.USAGE) from exc
    return Filter(
        topic=topic,
        system=system,
        reason=reason_code,
        saga=saga_id,
        definition=definition,
        since=moment(since, "--since"),
        until=moment(until, "--until"),
        offset=offset,
        header=(name, value) if header else None,
        states=state or OPEN_STATES,
    )


def filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that choose letters; it gets them as `wanted`, a `Filter`."""
    options = inspect.signature(_filter).parameters
    own = inspect.signature(command).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:
        wanted = _filter(**{name: given.pop(name) for name in options})
        command(wanted=wanted, **given)

    hints = {**get_type_hints(_filter, include_extras=True), **get_type_hints(command, include_extras=True)}
    named = {name: p for name, p in own.items() if name != "wanted"} | dict(options)
    # Typer reads a command's options from its signature.
    kept = [p.replace(annotation=hints[n], kind=inspect.Parameter.KEYWORD_ONLY) for n, p in named.items()]
    run.__signature__ = inspect.Signature(kept)  # type: ignore[attr-defined]
    run.__annotations__ = {name: hints[name] for name in named}
    return run


def place_of(text: str) -> Place:
    """A place as `list` prints it.

    Raises:
        CliError: it is none.

    """
    try:
        return Place.parse(text)
    except ValueError as exc:
        raise CliError("USAGE", str(exc), exit_code=Exit.USAGE) from exc


def by(actor: str | None, reason: str) -> By:
    """Who acts, and why: both stand in the history for good.

    Raises:
        CliError: one of them says nothing.

    """
    name = (actor if actor is not None else user()).strip()
    if not name or not reason.strip():
        raise CliError("USAGE", "--reason and the actor must say something", exit_code=Exit.USAGE)
    if "\x00" in name + reason:
        raise CliError("USAGE", "--reason and the actor are text without NUL", exit_code=Exit.USAGE)
    return By(name, reason.strip())


def find(at: Desk, place: Place) -> Letter:
    """The letter at a place.

    Raises:
        CliError: there is none.

    """
    try:
        return at.letter(place)
    except NoSuchLetter as exc:
        raise CliError("NOT_FOUND", str(exc), exit_code=Exit.NOT_FOUND) from exc


def chosen(
    at: Desk, places: Sequence[str], wanted: Filter, *, everything: bool = False, limit: int | None = None
) -> list[Place]:
    """The letters that a command acts on: those named, or those that fit, in the order of their keys.

    Raises:
        CliError: nothing says which, or a place has no letter, or one that is settled.

    """
    if not places:
        if not wanted.chooses and not everything:
            text = "which letters? Name some, choose by an option, or say --all"
            raise CliError("USAGE", text, exit_code=Exit.USAGE)
        return at.store.in_order(wanted, limit)
    found = {letter.place: letter for letter in at.store.at([place_of(text) for text in places])}
    for place in (place_of(text) for text in places):
        if place not in found:
            raise CliError("NOT_FOUND", f"there is no dead letter at {place}", exit_code=Exit.NOT_FOUND)
        state = found[place].state
        if wanted.states and state not in wanted.states:
            text = f"{place} is {state.value} already; --state {state.value} acts on it all the same"
            raise CliError("SETTLED", text, exit_code=Exit.CONFLICT)
    return sorted(found, key=lambda place: (found[place].key or b"", place))[:limit]


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, for what takes longer than two seconds."""
    began = time.monotonic()
    bar = Progress(console=stderr, transient=True)
    task = bar.add_task(what, total=None)
    shown = False

    def advance(done: int, total: int) -> None:
        nonlocal shown
        bar.update(task, completed=done, total=total)
        if not shown and done < total and time.monotonic() - began > _QUIET_SECONDS:
            bar.start()
            shown = True

    try:
        yield advance
    finally:
        if shown:
            bar.stop()


@contextmanager
def desk(*, rebuild: bool = False) -> Iterator[Desk]:
    """The parts that a command works with, after the letters have been read up to now."""
    settings = load()
    bootstrap.configure_logs(settings)
    with bootstrap.make_desk(settings) as made:
        with progress("reading the dead letters") as advance:
            made.refresh(
                rebuild=rebuild,
                progress=advance,
                on_wait=lambda: say("another command is reading the dead letters; waiting for it"),
            )
        yield made


def confirm(question: str, lines: Sequence[str], count: int, *, yes: bool) -> None:
    """Show how many and some of them, and ask.

    Raises:
        CliError: the answer is no, or nobody is there to answer.

    """
    if yes:
        return
    for line in lines[:_SAMPLE]:
        say(f"  {line}")
    if count > _SAMPLE:
        say(f"  … {count - _SAMPLE} more")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise CliError("UNCONFIRMED", "nothing was done; --yes does it without asking", exit_code=Exit.UNCONFIRMED)
