"""Actions by IDocs. The answer is that of the status: done is what SAP has posted, not what it has received."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from consumers.connectors.http import Credentials
from consumers.connectors.idoc import IdocClient
from consumers.connectors.pending import Pending
from consumers.connectors.rest import Reply
from consumers.integrations.clients import codes_of, guard_of, http_of
from consumers.integrations.expressions import MappingError, Value
from consumers.integrations.mapping import Sent, fixed_headers
from consumers.integrations.over_http import Asking, HttpAction
from consumers.integrations.spec import ActionSpec, IntegrationSpec, LookSpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["IdocTransport"]


class IdocTransport:
    """One SAP system. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        idoc = spec.idoc
        assert idoc is not None
        self.spec = spec
        self._control = idoc.control
        self.client = IdocClient(
            http_of(spec, config, credentials),
            guard_of(spec),
            path=idoc.path,
            status_path=idoc.status_path,
            status_parameter=idoc.status_parameter,
            reference_field=idoc.reference_field,
            pending=Pending(idoc.status, idoc.outcomes, every=idoc.every, within=idoc.within),
            **codes_of(spec),
        )

    def action(self, action: ActionSpec, command: type[Record]) -> HttpAction:
        """What does it."""
        return HttpAction.of(self.spec, action, command, self._asking)

    def _asking(self, asked: ActionSpec | LookSpec) -> Asking:
        fixed = fixed_headers(self.spec)
        if isinstance(asked, LookSpec):
            return _Status(self.client, fixed)
        document = asked.document
        assert document is not None
        control = Value.of({**self._control, **document.control})
        return _Document(self.client, document.type, control, Value.of(document.segments), fixed)


@dataclass(frozen=True, slots=True)
class _Filled:
    control: Mapping[str, Any]
    segments: Sequence[Mapping[str, Any]]
    xml: str


@dataclass(frozen=True, slots=True)
class _Document:
    client: IdocClient
    type: str
    control: Value
    segments: Value
    fixed: Mapping[str, str]

    def fill(self, context: Mapping[str, Any]) -> _Filled:
        control = _fields(self.control.evaluate(context, nulls=False), "control")
        segments = [
            {name: fields}
            for one in self.segments.evaluate(context, nulls=False)
            for name, found in one.items()
            for fields in _each(name, found)
        ]
        try:
            xml = self.client.xml(self.type, control, segments, str(context["idempotency_key"]))
        except ValueError as exc:
            msg = f"{self.type}: {exc}"
            raise MappingError(msg) from exc
        return _Filled(control, segments, xml.decode())

    async def send(
        self, sent: _Filled, *, call: Call, errors: Mapping[str, str], missing_ok: bool = False, looks: bool = False
    ) -> Reply | None:
        del missing_ok, looks  # an IDoc changes something, and SAP does not say that there was nothing to change
        return Reply(await self.client.request(self.type, sent.control, sent.segments, call=call, errors=errors))

    def shown(self, sent: _Filled) -> Sent:
        headers = {**self.fixed, "content-type": "text/xml; charset=utf-8"}
        return Sent("POST", self.client.path, {}, headers, xml=sent.xml)


@dataclass(frozen=True, slots=True)
class _Status:
    client: IdocClient
    fixed: Mapping[str, str]

    def fill(self, context: Mapping[str, Any]) -> Mapping[str, str]:
        return self.client.question(str(context["idempotency_key"]))

    async def send(
        self,
        sent: Mapping[str, str],
        *,
        call: Call,
        errors: Mapping[str, str],
        missing_ok: bool = False,
        looks: bool = False,
    ) -> Reply | None:
        del sent, errors, missing_ok, looks  # the reference is the call's
        found = await self.client.posted(call=call)
        return None if found is None else Reply(found)

    def shown(self, sent: Mapping[str, str]) -> Sent:
        return Sent("GET", self.client.status_path, sent, self.fixed)


def _each(name: str, found: Any) -> Iterator[dict[str, Any]]:
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, Mapping):
            msg = f"{name}: gives no fields of a segment"
            raise MappingError(msg)
        if made := _fields(one, name):
            yield made


def _fields(found: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The fields of a segment, and the segments in it."""
    made: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, Mapping | list):
            if inner := list(_each(f"{place}.{name}", value)):
                made[name] = inner
        elif value is None:  # within what one expression gives
            continue
        elif isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            msg = f"{place}.{name}: gives no text (SAP's yes is `'X'`)"
            raise MappingError(msg)
        else:
            made[name] = value
    return made
