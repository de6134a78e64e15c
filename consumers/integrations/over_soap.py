"""Actions by SOAP. The answer is the operation's output, by the names of the WSDL."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from lxml import etree

from consumers.connectors.auth.spec import AuthSpec, WsSecurity
from consumers.connectors.guard import Guard
from consumers.connectors.http import Credentials, HttpClient, Proof, UsernameToken
from consumers.connectors.rest import Reply
from consumers.connectors.soap import SoapClient
from consumers.connectors.soap_wsdl import BadRequest
from consumers.connectors.wsse import with_token
from consumers.errors import Rejected
from consumers.integrations.blocks import SoapPort
from consumers.integrations.clients import codes_of, guard_of, http_of
from consumers.integrations.expressions import Value
from consumers.integrations.mapping import Sent, fixed_headers, inside_of
from consumers.integrations.over_http import HttpAction
from consumers.integrations.spec import ActionSpec, IntegrationSpec, KeySpec, LookSpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["SoapPorts", "SoapTransport"]


class SoapPorts:
    """The ports of one system, by the names that its file has for them; one breaker for all."""

    def __init__(self, guard: Guard, ports: Mapping[str, SoapClient]) -> None:
        self.guard = guard
        self._ports = ports
        self._stack = AsyncExitStack()

    def port(self, name: str | None = None) -> SoapClient:
        """One of them; without a name the only one."""
        return next(iter(self._ports.values())) if name is None else self._ports[name]

    async def __aenter__(self) -> Self:
        """Read the WSDLs and open the pools; connections follow with the first calls.

        Raises:
            BadWsdl: one of them cannot be used.

        """
        async with AsyncExitStack() as stack:
            for port in self._ports.values():
                await stack.enter_async_context(port)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._stack.aclose()


class SoapTransport:
    """One system. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        assert spec.soap is not None
        guard = guard_of(spec)
        in_message = isinstance(spec.auth, WsSecurity)
        http = _InMessage(credentials) if credentials is not None and in_message else credentials
        options = {
            **codes_of(spec),
            "inside": inside_of(spec.error_body),
            "credentials": credentials if in_message else None,
        }
        self.spec = spec
        self.client = SoapPorts(
            guard,
            {name: _client(http_of(spec, config, http), guard, port, options) for name, port in spec.soap.items()},
        )

    def action(self, action: ActionSpec, command: type[Record]) -> HttpAction:
        """What does it."""
        return HttpAction.of(self.spec, action, command, self._asking)

    def _asking(self, asked: ActionSpec | LookSpec) -> _Operation:
        operation = asked.operation
        assert operation is not None
        return _Operation(
            client=self.client.port(operation.port),
            name=operation.name,
            message=Value.of(operation.message),
            blocks=Value.of(operation.headers),
            reads=operation.reads,
            key=self.spec.key_of(asked) if isinstance(asked, ActionSpec) and not asked.reads else None,
            fixed=fixed_headers(self.spec),
            auth=self.spec.auth,
        )


def _client(http: HttpClient, guard: Guard, port: SoapPort, options: Mapping[str, Any]) -> SoapClient:
    return SoapClient(
        http,
        guard,
        wsdl=port.wsdl,
        service=port.service,
        port=port.port,
        version=port.version,
        path=port.path,
        **options,
    )


@dataclass(frozen=True, slots=True)
class _InMessage:
    """Credentials that travel in the message: HTTP knows their name and nothing more, and has none to send anew."""

    own: Credentials

    @property
    def reference(self) -> str:
        return self.own.reference

    @property
    def verify(self) -> ssl.SSLContext | bool:
        return self.own.verify

    async def proof(self) -> Proof:
        return Proof()

    async def refused(self, sent: Proof) -> bool:
        del sent
        return False


@dataclass(frozen=True, slots=True)
class _Filled:
    fields: Mapping[str, Any]
    blocks: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Operation:
    client: SoapClient
    name: str
    message: Value
    blocks: Value
    reads: bool
    key: KeySpec | None
    fixed: Mapping[str, str]
    auth: AuthSpec | None

    def fill(self, context: Mapping[str, Any]) -> _Filled:
        fields = self.message.evaluate(context, nulls=False)
        blocks = self.blocks.evaluate(context, nulls=False)
        headers = {}
        if self.key is not None and self.key.body is not None:
            fields[self.key.body] = context["idempotency_key"]
        elif self.key is not None and self.key.header is not None:
            headers[self.key.header] = str(context["idempotency_key"])
        return _Filled(fields, blocks, headers)

    async def send(
        self, sent: _Filled, *, call: Call, errors: Mapping[str, str], missing_ok: bool = False, looks: bool = False
    ) -> Reply | None:
        value = await self.client.request(
            self.name,
            sent.fields,
            call=call,
            blocks=sent.blocks,
            headers=sent.headers,
            errors=errors,
            reads=self.reads or looks,
            keyed=True,
            missing_ok=missing_ok,
        )
        return None if value is None else Reply(value)

    def shown(self, sent: _Filled) -> Sent:
        operation = self.client.operation(self.name)
        try:
            envelope = operation.envelope(sent.fields, sent.blocks)
        except BadRequest as exc:
            raise Rejected("INVALID_REQUEST", str(exc)) from exc
        if isinstance(self.auth, WsSecurity):
            token = UsernameToken(str(self.auth.username), f"<{self.auth.password}>")
            envelope = with_token(envelope, token, self.client.now(), operation.namespace)
        xml = etree.tostring(envelope, pretty_print=True, encoding="unicode")
        return Sent("POST", self.client.path, {}, {**self.fixed, **sent.headers, **operation.headers}, xml=xml)
