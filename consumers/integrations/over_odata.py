"""Actions over OData v2 and v4, by `ODataClient`. A file's values are text: `{type: Edm.…, value: …}` says more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.connectors.breaker import Breaker
from consumers.connectors.guard import Guard
from consumers.connectors.http import Credentials, HttpClient
from consumers.connectors.odata import ODataClient
from consumers.connectors.odata_requests import ODataRequest, ODataRequests
from consumers.connectors.rest import Reply
from consumers.integrations.expressions import MappingError, Value, compiled, value_of
from consumers.integrations.mapping import Sent
from consumers.integrations.over_http import Asking, HttpAction
from consumers.integrations.spec import ActionSpec, IntegrationSpec, KeySpec, LookSpec
from consumers.integrations.spec_odata import EntitiesSpec, EntitySpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["ODataTransport"]

_METHODS: Final = {"create": "POST", "delete": "DELETE"}


class ODataTransport:
    """One service over OData. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        self.spec = spec
        http = HttpClient(
            config.base_url,
            timeouts=spec.timeouts.made(),
            connections=spec.concurrency,
            credentials=credentials,
        )
        self.client = ODataClient(
            http,
            Guard(Breaker(spec.breaker.made()), spec.retries.made()),
            version=spec.odata.version,
            csrf=spec.odata.csrf,
            errors=spec.errors,
            missing_codes=spec.missing_codes,
            key_header=None,  # each action says where its key goes
        )
        self._fixed = dict(spec.headers)
        if spec.api_version is not None and spec.api_version.header:
            self._fixed[spec.api_version.header] = spec.api_version.value

    def action(self, action: ActionSpec, command: type[Record]) -> HttpAction:
        """What does it."""
        return HttpAction.of(self.spec, action, command, self._asking)

    def _asking(self, asked: ActionSpec | LookSpec) -> Asking:
        if isinstance(asked, LookSpec):
            assert asked.entities is not None
            return _Question(asked.entities, Value.of(asked.entities.where), self._fixed, self.client)
        assert asked.entity is not None
        key = None if asked.reads else self.spec.key_of(asked)
        return _Change.of(asked.entity, key, self._fixed, self.client)


class _Shows:
    """How a request is shown to people."""

    def shown(self, sent: ODataRequest) -> Sent:
        """Its body as data, not as bytes."""
        return Sent(sent.method, sent.path, {}, sent.headers, json=sent.fields)


@dataclass(frozen=True, slots=True)
class _Change(_Shows):
    """What is done with an entity, compiled."""

    entity: EntitySpec
    key: KeySpec | None
    fixed: Mapping[str, str]
    client: ODataClient
    ids: Value
    fields: Value
    etags: Sequence[Any]
    inner: Sequence[tuple[Value, Value]]

    @classmethod
    def of(cls, entity: EntitySpec, key: KeySpec | None, fixed: Mapping[str, str], client: ODataClient) -> _Change:
        """Compile it."""
        etags = [None if e is None else compiled(e) for e in (entity.etag, *(c.etag for c in entity.changes))]
        inner = [(Value.of({"key": change.key}), Value.of(change.fields)) for change in entity.changes]
        return cls(entity, key, fixed, client, Value.of({"key": entity.key}), Value.of(entity.fields), etags, inner)

    def fill(self, context: Mapping[str, Any]) -> ODataRequest:
        fields = _there(self.fields.evaluate(context, nulls=True), nulls=self.entity.nulls)
        headers = dict(self.fixed)
        if self.key is not None and self.key.header is not None:
            headers[self.key.header] = str(context["idempotency_key"])
        elif self.key is not None and self.key.body is not None:
            fields = {**fields, self.key.body: context["idempotency_key"]}
        try:
            return self._made(fields, context).plus(headers)
        except (ValueError, TypeError, KeyError) as exc:
            msg = f"no OData: {exc}"
            raise MappingError(msg) from exc

    async def send(
        self,
        sent: ODataRequest,
        *,
        call: Call,
        errors: Mapping[str, str],
        missing_ok: bool = False,
        looks: bool = False,  # noqa: ARG002 - only entities are looked for
    ) -> Reply | None:
        # Whether it may be sent again after a doubt is for the action's class to say: `call.keyed`.
        answer = await self.client.run(sent, call=call, errors=errors, keyed=True, missing_ok=missing_ok)
        return None if answer is None else Reply(answer)

    def _made(self, fields: Mapping[str, Any], context: Mapping[str, Any]) -> ODataRequest:
        requests, entity = self.client.requests, self.entity
        if entity.do == "batch":
            return requests.batch(self._changes(requests, context))
        assert entity.set is not None
        if entity.do == "create":
            return requests.create(entity.set, fields)
        if entity.do == "invoke":
            return requests.invoke(entity.set, fields)
        key = _needed(self.ids, context)
        if entity.do == "read":
            return requests.read(entity.set, key, entity.query)
        etag = _etag(self.etags[0], context)
        if entity.do == "delete":
            return requests.delete(entity.set, key, etag=etag, fresh=entity.fresh)
        upsert = entity.do == "upsert"
        return requests.update(entity.set, key, fields, etag=etag, fresh=entity.fresh, upsert=upsert)

    def _changes(self, requests: ODataRequests, context: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        made = []
        for change, (key, fields), etag in zip(self.entity.changes, self.inner, self.etags[1:], strict=True):
            one: dict[str, Any] = {
                "method": _METHODS.get(change.do, requests.update_method),
                "entity_set": change.set,
                "etag": _etag(etag, context),
            }
            if change.key is not None:
                one["key"] = _needed(key, context)
            if change.do != "delete":
                one["fields"] = _there(fields.evaluate(context, nulls=True), nulls=self.entity.nulls)
            made.append(one)
        return made


@dataclass(frozen=True, slots=True)
class _Question(_Shows):
    """Entities by their fields, compiled."""

    spec: EntitiesSpec
    where: Value
    fixed: Mapping[str, str]
    client: ODataClient

    def fill(self, context: Mapping[str, Any]) -> ODataRequest:
        where = self.where.evaluate(context, nulls=False)
        if missing := self.spec.where.keys() - where.keys():
            # One condition less would find what belongs to somebody else.
            msg = f"{', '.join(sorted(missing))}: gives nothing to look for"
            raise MappingError(msg)
        try:
            return self.client.requests.entities(self.spec.set, where, self.spec.query).plus(self.fixed)
        except (ValueError, TypeError, KeyError) as exc:
            msg = f"no OData: {exc}"
            raise MappingError(msg) from exc

    async def send(
        self,
        sent: ODataRequest,
        *,
        call: Call,
        errors: Mapping[str, str],
        missing_ok: bool = False,  # noqa: ARG002 - that there is none is an empty list; a 404 is a wrong path
        looks: bool = False,  # noqa: ARG002 - always
    ) -> Reply | None:
        return Reply(await self.client.every(sent, call=call, errors=errors))


def _there(value: Any, *, nulls: bool) -> Any:
    """Without what is null, unless `nulls` sends it; a typed value of null is null."""
    if isinstance(value, dict):
        if set(value) == {"type", "value"} and str(value["type"]).startswith("Edm.") and value["value"] is None:
            return None
        found = {name: _there(part, nulls=nulls) for name, part in value.items()}
        return found if nulls else {name: part for name, part in found.items() if part is not None}
    if isinstance(value, list):
        parts = [_there(part, nulls=nulls) for part in value]
        return parts if nulls else [part for part in parts if part is not None]
    return value


def _needed(key: Value, context: Mapping[str, Any]) -> Any:
    found = key.evaluate(context, nulls=False).get("key")
    if found is None or found == "" or isinstance(found, list | bool):
        msg = "key: gives none"
        raise MappingError(msg)
    return found


def _etag(expression: Any, context: Mapping[str, Any]) -> str | None:
    if expression is None:
        return None
    found = value_of(expression, context)
    if not isinstance(found, str) or not (found.isascii() and found.isprintable()):
        msg = f"{expression.expression}: gives no ETag"
        raise MappingError(msg)
    return found
