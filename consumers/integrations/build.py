"""From an integration file to a `System`.

`BUILDERS` is the one place where a protocol gets its transport. A further protocol is a line there, a block in
`spec.ActionSpec` by which an action says what is sent, and a line in `spec.PROTOCOLS`.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError

from consumers.connectors.auth.credentials import make_credentials
from consumers.connectors.auth.spec import AuthSpec, ClientCredentials, JwtBearer, TokenUrl
from consumers.connectors.http import Credentials
from consumers.connectors.secrets.cache import Secrets, default_sources
from consumers.integrations.over_graphql import GraphqlTransport
from consumers.integrations.over_http import HttpTransport
from consumers.integrations.over_idoc import IdocTransport
from consumers.integrations.over_odata import ODataTransport
from consumers.integrations.over_smtp import SmtpTransport
from consumers.integrations.spec import ActionSpec, IntegrationSpec
from consumers.limit import Limit
from consumers.system import Call, System, SystemConfig
from orchestrator.core.mode import Mode
from orchestrator.redaction import Redactor, Rules
from orchestrator.settings import BadSettings
from schemas.models import BY_NAME, Record

__all__ = ["BUILDERS", "Compiled", "ContractMissing", "Integration", "Transport", "handler_of", "record_of"]


class ContractMissing(Exception):
    """The contract is not in `schemas/`, or differs from what the file says."""


class Compiled(Protocol):
    """One action, ready to be called."""

    async def handle(self, command: Any, call: Call) -> Record: ...

    def requests_for(self, command: Any, call: Call) -> Sequence[Any]: ...

    @property
    def probe(self) -> Callable[[Any, Call], Awaitable[Record | None]] | None: ...


class Transport(Protocol):
    """One system over its protocol. `client` is an async context manager with a `guard`."""

    client: Any

    def action(self, action: ActionSpec, command: type[Record]) -> Compiled: ...


def _soap(spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> Transport:
    # What reads WSDLs takes a third of a second to load, and few systems need it.
    from consumers.integrations.over_soap import SoapTransport  # noqa: PLC0415

    return SoapTransport(spec, config, credentials)


BUILDERS: Final[Mapping[str, Callable[[IntegrationSpec, SystemConfig, Credentials | None], Transport]]] = {
    "rest": HttpTransport,
    "form": HttpTransport,
    "odata": ODataTransport,
    "smtp": SmtpTransport,
    "soap": _soap,
    "idoc": IdocTransport,
    "graphql": GraphqlTransport,
}


_TOKEN_URL: Final = TypeAdapter[str](TokenUrl)


@cache
def _secrets() -> Secrets:
    """Those of this process: systems that share a secret read it once."""
    return Secrets(default_sources())


def _credentials(auth: AuthSpec, system: str) -> Credentials:
    return make_credentials(auth, _secrets(), system=system)


@dataclass(frozen=True, slots=True)
class Integration:
    """A `SystemFactory`: the system of one integration file. `credentials` makes them of its `auth` and its name."""

    spec: IntegrationSpec
    credentials: Callable[[AuthSpec, str], Credentials] = _credentials

    @property
    def urls(self) -> str | Mapping[str, str] | None:
        """The file's base URLs; see `Settings.url_of`."""
        return self.spec.base_url

    def __call__(self, config: SystemConfig) -> System:
        """See `SystemFactory`.

        Raises:
            ContractMissing: of one of its actions.
            BadSettings: the option `token_url` is none.

        """
        auth = None if self.spec.auth is None else _moved(self.spec.auth, self.spec.name, config)
        credentials = None if auth is None else self.credentials(auth, self.spec.name)
        transport = BUILDERS[self.spec.protocol](self.spec, config, credentials)
        system = System(
            self.spec.name,
            concurrency=self.spec.concurrency,
            lifespan=lambda: transport.client,
            gate=transport.client.guard.wait,
            rate=self.spec.rate,
            credential=self._limit(),
            prove=None if credentials is None else credentials.proof,
        )
        for name, action in self.spec.actions.items():
            command = record_of(self.spec, name)
            if action.handler is not None:
                system.action(command, timeout=action.timeout)(handler_of(action.handler, transport.client))
            else:
                made = transport.action(action, command)
                system.action(command, timeout=action.timeout, reads=action.reads)(made.handle)
                entry = system.actions[command.contract.name]
                entry.requests = made.requests_for
                # Not every protocol can be asked what is there.
                entry.find, entry.known = getattr(made, "find", None), getattr(made, "known", None)
                if made.probe is not None:
                    system.probe(command)(made.probe)
            system.actions[command.contract.name].mode = Mode.of(action.mode or self.spec.mode)
        redactor = Redactor(Rules(self.spec.redact))
        for name, action in self.spec.actions.items():
            found = system.actions[record_of(self.spec, name).contract.name]
            found.redactor, found.keep = redactor, action.keep
        return system

    def plan(self, config: SystemConfig, action: str) -> Compiled:
        """One action, to see what it would send; who we are is left out, so no secret is read."""
        made = BUILDERS[self.spec.protocol](self.spec, config, None)
        return made.action(self.spec.actions[action], record_of(self.spec, action))

    def _limit(self) -> Limit | None:
        """Named by what the audit calls the credential: who proves himself by the same secret shares its limit."""
        auth = self.spec.auth
        if auth is None or auth.rate is None:
            return None
        return Limit(self.credentials(auth, self.spec.name).reference, auth.rate)


def _moved(auth: AuthSpec, system: str, config: SystemConfig) -> AuthSpec:
    """With the token URL of the option, where there is one: a tenant's or an account's stands in no ready file."""
    url = config.options.get("token_url")
    if url is None or not isinstance(auth, ClientCredentials | JwtBearer):
        return auth
    try:
        return auth.model_copy(update={"token_url": _TOKEN_URL.validate_python(url)})
    except ValidationError as exc:
        name = system.replace("-", "_").upper()
        msg = f"SAGA_SYSTEM_OPTIONS__{name}__TOKEN_URL: {exc.errors(include_input=False)[0]['msg']}"
        raise BadSettings(msg) from None


def record_of(spec: IntegrationSpec, name: str) -> type[Record]:
    """The command of that action.

    Raises:
        ContractMissing: see there.

    """
    action = spec.actions[name]
    record = BY_NAME.get(spec.full_name(action.command))
    completion = None if record is None else record.contract.completion
    if record is None or completion is None:
        msg = (
            f"{spec.full_name(action.command)} is not in schemas/: python -m consumers.integrations.contracts, then "
            "python -m schemas.generate --release"
        )
        raise ContractMissing(msg)
    contract = record.contract
    said = (spec.full_name(action.completion.name), action.effect, dict(action.errors), name)
    known = (completion.contract.name, contract.effect, dict(contract.errors), contract.action)
    if said != known:
        msg = f"{contract.name} is another in schemas/ than in the file: python -m consumers.integrations.contracts"
        raise ContractMissing(msg)
    return record


def handler_of(path: str, client: Any) -> Callable[[Any, Call], Awaitable[Record]]:
    """The function that `handler` names; it is called with the command, the call and the system's client.

    Raises:
        ValueError: it names nothing that can be called.

    """
    module, _, attribute = path.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as exc:
        msg = f"handler {path}: {exc}"
        raise ValueError(msg) from exc
    if not callable(found):
        msg = f"handler {path} is no function"
        raise ValueError(msg)
    return partial(found, client=client)
