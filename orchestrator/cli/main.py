"""The command `saga`. Each group of commands is a module; this one puts them together and reports errors."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer
from rich.markup import escape

from orchestrator.cli import (
    audit,
    bench,
    chaos,
    check_definition,
    control,
    dev,
    dlq,
    review,
    run,
    sagas,
    shadow,
    simulate,
    systems,
    tools,
)
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import say
from orchestrator.settings import BadSettings

__all__ = ["app", "main"]

app = typer.Typer(
    name="saga",
    help="Run, inspect and operate sagas. Settings come from SAGA_… environment variables; `saga doctor` checks them.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (
    review,
    sagas,
    control,
    dlq,
    systems,
    shadow,
    tools,
    audit,
    dev,
    bench,
    simulate,
    check_definition,
    chaos,
    run,
):
    module.register(app)


@app.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    """Without a command: what needs attention."""
    if context.invoked_subcommand is None:
        review.attention()


def main() -> None:
    """Entry point of the console script."""
    # SAGA_CATALOGUE and SAGA_SYSTEMS may name modules of the folder one stands in, as with `python -m`.
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        app(standalone_mode=True)
    except CliError as exc:
        _report(exc.code, exc.message, retryable=exc.retryable)
        sys.exit(exc.exit_code)
    except BadSettings as exc:
        _report("BAD_SETTING", str(exc), retryable=False)
        sys.exit(Exit.USAGE)
    except Exception as exc:
        retryable = _retryable(exc)
        if retryable is None:
            raise
        _report(type(exc).__name__, _chain(exc), retryable=retryable)
        sys.exit(Exit.FAILED)


def _retryable(exc: Exception) -> bool | None:
    """Whether one of our own errors may pass by itself; None for an error that nobody expected."""
    # Loaded only now: together they bring every driver, and `saga --help` shall not wait for those.
    from orchestrator.coordinator import Stopped  # noqa: PLC0415
    from orchestrator.database import StoreError, StoreUnavailable  # noqa: PLC0415
    from orchestrator.dev.errors import DevError  # noqa: PLC0415
    from orchestrator.letters.errors import LetterError  # noqa: PLC0415
    from orchestrator.messaging.errors import BrokerUnavailable, MessagingError  # noqa: PLC0415
    from schemas.errors import RegistryUnavailable, SchemaError  # noqa: PLC0415

    if not isinstance(exc, (StoreError, MessagingError, SchemaError, DevError, LetterError, Stopped)):
        return None
    return isinstance(exc, (StoreUnavailable, BrokerUnavailable, RegistryUnavailable))


def _chain(exc: BaseException) -> str:
    """The message and those of its causes, without repeating what is already said."""
    texts: list[str] = []
    current: BaseException | None = exc
    while current is not None:
        text = str(current).strip().splitlines()[0] if str(current).strip() else type(current).__name__
        if not any(text in said or said in text for said in texts):
            texts.append(text)
        current = current.__cause__
    return ": ".join(texts)


def _report(code: str, message: str, *, retryable: bool) -> None:
    arguments = sys.argv[1:]
    wants_json = "--json" in arguments or any(
        a in {"-ojson", "-ojsonl", "--output=json", "--output=jsonl"}
        or (a in {"-o", "--output"} and b in {"json", "jsonl"})
        for a, b in zip(arguments, [*arguments[1:], ""], strict=True)
    )
    if wants_json:
        sys.stderr.write(json.dumps({"code": code, "message": message, "retryable": retryable}) + "\n")
    else:
        say(f"[bold red]{code}[/]: {escape(message)}" + ("\n(it may work later)" if retryable else ""))


if __name__ == "__main__":
    main()
