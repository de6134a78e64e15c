"""`saga systems show, check, call, scaffold`: the systems as integration files say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape

from orchestrator import bootstrap
from orchestrator.cli.actor import actor_name
from orchestrator.cli.dlq_options import Actor, Output, Yes, confirm
from orchestrator.cli.errors import CliError, Exit
from orchestrator.cli.output import Format, console, emit, safe, say, table
from orchestrator.cli.privacy import Unredacted, View, viewing
from orchestrator.settings import BadSettings, Settings, load, load_attribute

__all__ = ["make_desk", "register"]

_LARGEST = 20 << 20


def register(group: typer.Typer) -> None:
    """Add the commands to the group `systems`."""
    group.command()(show)
    group.command()(check)
    group.command()(call)
    group.command()(scaffold)


def make_desk(settings: Settings) -> Any:
    """What the consumers know of their integrations (`SAGA_CONSUMERS`)."""
    make = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:make_desk")
    # The catalogue reads every file; it is loaded here so that a wrong one is told as a wrong setting.
    load_attribute("SAGA_SYSTEMS", settings.systems)
    return make(settings)


def show(
    name: Annotated[str, typer.Argument(help="The system.")],
    output: Output = Format.TEXT,
) -> None:
    """Show one system: where it is, its limits, its actions, and which of them nobody has tried."""
    desk = make_desk(load())
    found = desk.show(_known(desk, name))
    if output is not Format.TEXT:
        emit([found], output)
        return
    console.print(f"[bold]{safe(found['name'])}[/] {safe(found['description'])}", highlight=False, soft_wrap=True)
    for key in ("tier", "protocol", "base_url", "api_version", "auth", "rate", "concurrency"):
        if found[key] is not None:
            console.print(f"{key}: {safe(found[key])}", highlight=False, soft_wrap=True)
    if not found["active"]:
        console.print("not run here: SAGA_READY_SYSTEMS does not name it", highlight=False)
    rows = [
        [
            safe(action["name"]),
            safe(", ".join(action["parameters"] or [])),
            action["effect"] + (", can be asked" if action["asks"] else ""),
            safe(action["compensation"] or ""),
            "" if action["mode"] == "live" else action["mode"],
            "" if action["verified"] else "not verified",
        ]
        for action in found["actions"]
    ]
    console.print(table("", ["action", "parameters", "effect", "undone by", "mode", ""], rows))


def check(
    targets: Annotated[list[str] | None, typer.Argument(help="Systems or files; all, if none is given.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Also ask each system's base URL.")] = False,
    output: Output = Format.TEXT,
) -> None:
    """Check integration files: shape, names, expressions, and whether the contracts are as they say.

    Fails with a line `file:line: field: what is wrong` for each mistake.
    """
    settings = load()
    checker = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:check_integrations")
    try:
        checked, problems = checker(targets or [])
    except KeyError as exc:
        raise CliError(
            "NOT_FOUND", f"{exc.args[0]!r} is neither a system nor a file", exit_code=Exit.NOT_FOUND
        ) from exc
    said = _ask_live(settings, checked, problems) if live and not problems else {}
    if output is not Format.TEXT:
        emit(problems, output)
    else:
        for problem in problems:
            print(_line(problem))
    for name, file in checked.items():
        if not any(problem["file"] == file for problem in problems):
            say(f"[green]ok[/] {escape(name)}" + (f": {escape(said[name])}" if name in said else ""))
    if problems:
        raise typer.Exit(Exit.FAILED)


def _ask_live(settings: Settings, checked: Mapping[str, str], problems: list[dict[str, Any]]) -> dict[str, str]:
    desk, said = make_desk(settings), {}
    for name, file in checked.items():
        if name not in desk.names:
            problems.append(_problem(file, "a file that is not among this installation's systems has no URL to ask"))
            continue
        try:
            said[name] = desk.live(name)
        except (ValueError, BadSettings) as exc:
            problems.append(_problem(file, str(exc)))
    return said


def _problem(file: str, message: str) -> dict[str, Any]:
    return {"file": file, "line": 1, "field": "base_url", "message": message}


def _line(problem: Mapping[str, Any]) -> str:
    where = f"{problem['field']}: " if problem["field"] else ""
    return f"{problem['file']}:{problem['line']}: {where}{problem['message']}"


def call(
    name: Annotated[str, typer.Argument(help="The system.")],
    action: Annotated[str, typer.Argument(help="One of its actions.")],
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of the command; lists as JSON.")
    ] = None,
    saga: Annotated[UUID | None, typer.Option(help="The saga in whose name; a new id, if not given.")] = None,
    key: Annotated[str | None, typer.Option(help="The idempotency key; of this call alone, if not given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the request, and send nothing.")] = False,
    unredacted: Unredacted = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; logged with your name.")] = None,
    actor: Actor = None,
    yes: Yes = False,
    output: Output = Format.TEXT,
) -> None:
    """Run one action of a system now, beside any saga: nothing is kept of it, and nothing will undo it.

    Fails where the outcome is not `succeeded`; an `unknown` one may have been done.
    """
    from uuid_utils.compat import uuid7  # noqa: PLC0415 - only needed here

    settings = load()
    desk = make_desk(settings)
    _known(desk, name)
    saga_id = saga or UUID(str(uuid7()))
    own_key = key or f"by-hand/{saga_id}"
    try:
        command = desk.command(name, action, _values(values or []))
        requests = desk.request(name, action, command, saga_id, own_key)
    except KeyError as exc:
        text = f"system {name!r} has no action {action!r}"
        raise CliError("NOT_FOUND", text, exit_code=Exit.NOT_FOUND) from exc
    except ValueError as exc:
        raise CliError("INVALID_COMMAND", str(exc), exit_code=Exit.USAGE) from exc
    view = View(None)
    if dry_run or not unredacted:
        view = viewing(settings, f"saga systems call {name} {action}", unredacted=unredacted, reason=reason)
    view = view.knowing(command.model_dump(mode="json"))
    requests = [_readable(view, request) for request in requests]
    if dry_run:
        _show_requests(requests, output)
        return
    if not (reason or "").strip():
        raise CliError("USAGE", "--reason is needed: this changes a system beside any saga", exit_code=Exit.USAGE)
    who = actor_name(actor)
    sample = [safe(f"{request['method']} {request['url']}") for request in requests]
    confirm(f"Call {name}.{action}?", sample, len(sample), yes=yes)
    import structlog  # noqa: PLC0415 - as above

    bootstrap.configure_logs(settings)
    log = structlog.get_logger(__name__)
    facts = {"system": name, "action": action, "saga_id": str(saga_id), "actor": who, "reason": reason}
    log.info("system.called_by_hand", **facts)
    result = asyncio.run(desk.call(name, action, command, saga_id, own_key, actor=who, reason=reason or ""))
    log.info("system.answered_by_hand", outcome=result["outcome"], code=result.get("code"), **facts)
    _show_result(view.value(result), output)
    if result["outcome"] != "succeeded":
        raise typer.Exit(Exit.FAILED)


def _readable(view: View, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """As it may be read. Of headers their texts alone: credentials stand in them as where they are kept."""
    texts = [view.value(text) for text in request["headers"].values()]
    return {**view.value(request), "headers": dict(zip(request["headers"], texts, strict=True))}


def _show_requests(requests: Sequence[Mapping[str, Any]], output: Format) -> None:
    if output is not Format.TEXT:
        emit(requests, output)
        return
    for request in requests:
        console.print(safe(f"{request['method']} {request['url']}"), highlight=False, soft_wrap=True)
        for header, value in request["headers"].items():
            console.print(safe(f"{header}: {value}"), highlight=False, soft_wrap=True)
        if request["body"] is not None:
            body = request["body"]
            text = body if request.get("xml") else json.dumps(body, indent=2, ensure_ascii=False)
            console.print("\n" + safe(text), highlight=False, soft_wrap=True)


def _show_result(result: Mapping[str, Any], output: Format) -> None:
    if output is not Format.TEXT:
        emit([result], output)
        return
    colour = "green" if result["outcome"] == "succeeded" else "bold red"
    console.print(f"[{colour}]{result['outcome']}[/]", highlight=False)
    for field, value in (result.get("output") or {k: result[k] for k in ("code", "message")}).items():
        console.print(safe(f"{field}: {value}"), highlight=False, soft_wrap=True)


def scaffold(
    name: Annotated[str, typer.Option("--name", help="What the system is called here.")],
    openapi: Annotated[str | None, typer.Option("--openapi", metavar="FILE|URL", help="An OpenAPI 3 document.")] = None,
    wsdl: Annotated[
        str | None, typer.Option("--wsdl", metavar="FILE|URL", help="A WSDL; from a URL, save it as NAME.wsdl as well.")
    ] = None,
    odata: Annotated[str | None, typer.Option("--odata", metavar="FILE|URL", help="The $metadata of OData.")] = None,
    graphql: Annotated[
        str | None,
        typer.Option("--graphql", metavar="FILE|URL", help="A GraphQL schema: SDL, or introspection as JSON."),
    ] = None,
) -> None:
    """Print a first integration file for a system that has an OpenAPI 3 document, a WSDL, $metadata or a schema."""
    given = [one for one in (openapi, wsdl, odata, graphql) if one]
    if len(given) != 1:
        raise CliError("USAGE", "name one of --openapi, --wsdl, --odata and --graphql", exit_code=Exit.USAGE)
    (place,) = given
    consumers = load().consumers
    try:
        if wsdl:
            text = _from_wsdl(load_attribute("SAGA_CONSUMERS", f"{consumers}:scaffold_wsdl"), place, name)
        else:
            made = "scaffold_integration" if openapi else "scaffold_odata" if odata else "scaffold_graphql"
            text = load_attribute("SAGA_CONSUMERS", f"{consumers}:{made}")(_document(place), name)
    except ValueError as exc:
        raise CliError("BAD_DOCUMENT", f"{place}: {exc}") from exc
    print(text, end="")


def _from_wsdl(make: Any, place: str, name: str) -> str:
    """What a WSDL imports stands beside it, so that a file is read where it is."""
    if not place.startswith(("http://", "https://")):
        if not Path(place).is_file():
            raise CliError("NOT_FOUND", f"there is no file {place}", exit_code=Exit.NOT_FOUND)
        return str(make(Path(place), name))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.wsdl"
        path.write_text(_document(place), encoding="utf-8")
        return str(make(path, name, path.name))


def _document(place: str) -> str:
    import httpx2  # noqa: PLC0415 - only needed here

    try:
        if not place.startswith(("http://", "https://")):
            return Path(place).read_text(encoding="utf-8")
        with httpx2.stream("GET", place, timeout=10, follow_redirects=False, trust_env=False) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    raise CliError("BAD_DOCUMENT", f"{place}: it is larger than {_LARGEST} bytes")
            if response.status_code != 200:
                raise CliError("BAD_DOCUMENT", f"{place}: HTTP {response.status_code}")
            return content.decode()
    except FileNotFoundError as exc:
        raise CliError("NOT_FOUND", f"there is no file {place}", exit_code=Exit.NOT_FOUND) from exc
    except (OSError, UnicodeDecodeError, httpx2.HTTPError) as exc:
        raise CliError("BAD_DOCUMENT", f"{place}: {exc}") from exc


def _known(desk: Any, name: str) -> str:
    if name not in desk.names:
        text = f"no integration file of a system {name!r}; there are {', '.join(desk.names)}"
        raise CliError("NOT_FOUND", text, exit_code=Exit.NOT_FOUND)
    return name


def _values(pairs: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name or name in found:
            raise CliError("USAGE", f"--set {pair!r} is not FIELD=VALUE, or is there twice", exit_code=Exit.USAGE)
        found[name] = _value(text)
    return found


def _value(text: str) -> Any:
    if text[:1] in {"[", "{"}:
        try:
            return json.loads(text)
        except ValueError as exc:
            raise CliError("USAGE", f"--set: {text!r} is no JSON", exit_code=Exit.USAGE) from exc
    return text
