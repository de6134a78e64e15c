"""What `saga systems` and `saga tools` ask of the consumers: plain data in and out, so that the CLI knows no types.

`SAGA_CONSUMERS` names the module that offers it.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
from pydantic import ValidationError

from consumers.audit.entry import AuditRow, Exchange, summary
from consumers.audit.reads import READS
from consumers.audit.store import PostgresAudit
from consumers.connectors.auth.spec import ApiKey, AuthSpec, Basic, WsSecurity
from consumers.errors import ActionError
from consumers.folders import folders, ready_folder
from consumers.integrations.build import ContractMissing, Integration, handler_of, record_of
from consumers.integrations.contracts import drifted
from consumers.integrations.document import Problem
from consumers.integrations.load import BadIntegration, files_in, read_placed
from consumers.integrations.mapping import Sent
from consumers.integrations.spec import IntegrationSpec
from consumers.integrations.tools import describe, tools
from consumers.system import Call, SystemConfig
from orchestrator.database import connect
from orchestrator.messaging.kafka import directly
from orchestrator.redaction import using
from orchestrator.settings import Settings
from schemas.models import Record

__all__ = ["Desk", "check"]

_LIVE_SECONDS = 5.0


class Desk:
    """The integrations of this installation."""

    def __init__(self, settings: Settings) -> None:
        # Loaded here and not above: the catalogue reads every file, and one that is wrong shall not hide the command.
        from consumers.catalogue import FILES, SYSTEMS, ready  # noqa: PLC0415

        self._settings = settings
        self._files = {**ready(), **FILES}
        self._systems = SYSTEMS

    @property
    def names(self) -> Sequence[str]:
        """Of all systems that are a file."""
        return sorted(self._files)

    def show(self, name: str) -> dict[str, Any]:
        """One system and its actions.

        Raises:
            KeyError: there is no such file.

        """
        spec = self._files[name]
        found = describe(spec) | {"active": name in self._systems}
        for action in found["actions"]:
            own = spec.actions[action["name"]].mode or spec.mode
            action["mode"] = str(self._settings.mode_of(name, action["name"]) or own)
        return found

    def tools(self) -> list[dict[str, Any]]:
        """Every action of the systems that are run."""
        return [tool for name, spec in self._files.items() if name in self._systems for tool in tools(spec)]

    # -- one call ----------------------------------------------------------------------------------------------------

    def command(self, name: str, action: str, values: Mapping[str, Any]) -> Record:
        """The command of that action.

        Raises:
            KeyError: there is no such system or action.
            ValueError: the values make none.

        """
        record = record_of(self._files[name], _known(self._files[name], action))
        try:
            return record.model_validate(values)
        except ValidationError as exc:
            told = [f"{'.'.join(map(str, e['loc'])) or 'command'}: {e['msg']}" for e in exc.errors(include_url=False)]
            raise ValueError("; ".join(told)) from None

    def request(self, name: str, action: str, command: Record, saga: UUID, key: str) -> list[dict[str, Any]]:
        """What `call` would send, one after the other; secrets stand as where they are kept.

        Raises:
            ValueError: the command cannot be sent, or the action is code.

        """
        spec = self._files[name]
        found = spec.actions[action]
        if found.handler is not None:
            msg = f"{action} is code ({found.handler}): only a call shows what it sends"
            raise ValueError(msg)
        url = self._settings.url_of(name, spec.base_url)
        made = Integration(spec).plan(SystemConfig(url, self._settings.options_of(name)), action)
        try:
            steps = made.requests_for(command, _call(saga, key))
        except ActionError as exc:
            raise ValueError(str(exc)) from exc
        return [_shown(step, url, spec.auth) for step in steps]

    async def call(
        self, name: str, action: str, command: Record, saga: UUID, key: str, *, actor: str, reason: str
    ) -> dict[str, Any]:
        """Do it, now, beside any saga. Who and why is in the audit before, and what was sent after it.

        Returns:
            `outcome` (succeeded | rejected | failed | unknown) with `output`, or with `code` and `message`.

        Raises:
            StoreError: the audit cannot be written; where it names the first row, nothing was called.

        """
        factory = self._systems.get(name) or Integration(self._files[name])
        spec = self._files[name]
        config = SystemConfig(self._settings.url_of(name, spec.base_url), self._settings.options_of(name))
        system = factory(config)
        made = system.actions[command.contract.name]
        sends: list[tuple[datetime, Exchange]] = []
        keyed = spec.actions[action].effect == "idempotent"
        by_hand = _call(saga, key, actor, keyed=keyed, told=lambda send: sends.append((datetime.now(UTC), send)))
        engine = connect(self._settings.effects_url)
        audit = PostgresAudit(engine, directly)
        try:
            announced = Exchange("BY HAND", 0.0, request=summary({"reason": reason}))
            await audit.add(_rows(name, action, by_hand, [(datetime.now(UTC), announced)]))
            try:
                with using(partial(made.hiding, command)):
                    async with system.lifespan():
                        output = await made.handler(command, by_hand)
            except ActionError as exc:
                return {"outcome": type(exc).__name__.lower(), "code": exc.code, "message": exc.message}
            finally:
                if sends:
                    await audit.add(_rows(name, action, by_hand, sends))
                await READS.write(audit)
        finally:
            engine.dispose()
        return {"outcome": "succeeded", "output": output.model_dump(mode="json")}

    # -- checks ------------------------------------------------------------------------------------------------------

    def live(self, name: str) -> str:
        """Ask the base URL of that system for anything; what it said.

        Raises:
            ValueError: it cannot be reached, or answers with a server's error.

        """
        return _alive(self._settings.url_of(name, self._files[name].base_url))


def check(targets: Sequence[str]) -> tuple[Mapping[str, str], list[dict[str, Any]]]:
    """Check those files, or systems by name, or all.

    Returns:
        The files by the system's name (or the file's, where it has none), and every mistake.

    Raises:
        KeyError: a target is neither a file nor a system.

    """
    problems: list[Problem] = []
    known: dict[str, Path] = {}
    for folder in [*folders(), ready_folder()]:
        try:
            known |= {path.stem: path for path in files_in(folder)}
        except BadIntegration as exc:
            problems += exc.problems
    paths = [_target(target, known) for target in targets] or list(known.values())
    checked = {}
    for path in paths:
        name = path.stem
        try:
            document, spec = read_placed(path)
            name = spec.name
            problems += [document.at(place, message) for place, message in drifted(spec)]
            problems += [document.at(place, message) for place, message in _runs(spec)]
            if spec.soap is not None:
                from consumers.integrations.check_wsdl import check_wsdl  # noqa: PLC0415 - slow to load, see `build`

                problems += [document.at(place, message) for place, message in check_wsdl(spec)]
        except BadIntegration as exc:
            problems += exc.problems
        checked[name] = str(path)
    return checked, [problem.as_json() for problem in sorted(set(problems))]


def _runs(spec: IntegrationSpec) -> list[tuple[tuple[str, ...], str]]:
    """Actions whose code is not there, or whose model in `schemas.models` is another."""
    wrong: list[tuple[tuple[str, ...], str]] = []
    stale = {place[1] for place, _ in drifted(spec)}
    for name, action in spec.actions.items():
        try:
            if action.handler is not None:
                handler_of(action.handler, None)
            if name not in stale:
                record_of(spec, name)
        except ValueError as exc:
            wrong.append((("actions", name, "handler"), str(exc)))
        except ContractMissing as exc:
            wrong.append((("actions", name), str(exc)))
    return wrong


def _target(target: str, known: Mapping[str, Path]) -> Path:
    if target in known:
        return known[target]
    if target.endswith((".yaml", ".yml")):
        return Path(target)
    raise KeyError(target)


def _known(spec: IntegrationSpec, action: str) -> str:
    if action not in spec.actions:
        raise KeyError(action)
    return action


def _rows(system: str, action: str, call: Call, sends: Sequence[tuple[datetime, Exchange]]) -> list[AuditRow]:
    return [
        AuditRow(
            system, 0, at, call.agent, call.saga_id, call.step, call.direction, call.attempt, action, place, exchange
        )
        for place, (at, exchange) in enumerate(sends, start=1)
    ]


def _call(
    saga: UUID,
    key: str,
    agent: str = "",
    *,
    keyed: bool = True,
    told: Callable[[Exchange], None] = lambda _: None,
) -> Call:
    async def renew() -> None:
        """A call by hand has no claim."""

    return Call(saga, "by-hand", "do", 1, key, renew, agent=agent, keyed=keyed, told=told)


def _shown(step: Any, url: str, auth: AuthSpec | None) -> dict[str, Any]:
    if not isinstance(step, Sent):
        mail = {"to": step.recipient, "subject": step.subject, "text": step.text, "in_reply_to": step.in_reply_to}
        return {
            "method": "MAIL",
            "url": _bare(url),
            "headers": {f"X-{n}": v for n, v in step.tags.items()},
            "body": mail,
        }
    query = str(httpx2.QueryParams(dict(step.query)))
    headers, extra = _proof(auth)
    target = "&".join(part for part in (query, extra) if part)
    return {
        "method": step.method,
        "url": _bare(url).rstrip("/") + step.path + (f"?{target}" if target else ""),
        "headers": {**step.headers, **headers},
        "body": next((body for body in (step.form, step.xml) if body is not None), step.json),
        **({"form": True} if step.form is not None else {}),
        **({"xml": True} if step.xml is not None else {}),
    }


def _proof(auth: AuthSpec | None) -> tuple[dict[str, str], str]:
    """Headers and query by which we say who we are, without what is secret in them."""
    if auth is None or isinstance(auth, WsSecurity):  # that is in the message itself
        return {}, ""
    if isinstance(auth, ApiKey):
        if auth.query is not None:
            return {}, f"{auth.query}=<{auth.key}>"
        return {auth.header or "": f"{auth.prefix} <{auth.key}>".strip()}, ""
    if isinstance(auth, Basic):
        return {"Authorization": f"Basic <{auth.username}:{auth.password}>"}, ""
    return {"Authorization": f"<{auth.type}>"}, ""


def _bare(url: str) -> str:
    """The URL without a user or password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=host).geturl()


def _alive(url: str) -> str:
    parts = urlsplit(url)
    try:
        if parts.scheme.startswith("smtp"):
            smtps = parts.scheme == "smtps"
            port = parts.port or {"smtp": 25, "smtp+starttls": 587}.get(parts.scheme, 465)
            kind: type[smtplib.SMTP] = smtplib.SMTP_SSL if smtps else smtplib.SMTP
            with kind(parts.hostname or "", port, "localhost", timeout=_LIVE_SECONDS) as smtp:
                return f"SMTP {smtp.noop()[0]}"
        with httpx2.Client(timeout=_LIVE_SECONDS, trust_env=False, follow_redirects=False) as client:
            status = client.get(url).status_code
    except (OSError, smtplib.SMTPException, httpx2.HTTPError) as exc:
        msg = f"{_bare(url)}: {type(exc).__name__}: {exc}"
        raise ValueError(msg) from exc
    if status >= 500:
        msg = f"{_bare(url)}: HTTP {status}"
        raise ValueError(msg)
    return f"HTTP {status}"
