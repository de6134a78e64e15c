"""Actions over HTTP: JSON or forms, by `RestClient`; and what is the same whatever is asked over HTTP (`Asking`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from consumers.connectors.breaker import Breaker
from consumers.connectors.connector import probing
from consumers.connectors.http import Credentials
from consumers.connectors.rest import Reply, RestClient
from consumers.errors import Failed, Rejected, Unknown
from consumers.integrations.expressions import MappingError, Value, compiled, value_of
from consumers.integrations.mapping import (
    Sent,
    Template,
    completion,
    context_of,
    reader_of,
    refused_of,
    rejected,
)
from consumers.integrations.spec import ActionSpec, IntegrationSpec, LookSpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["Asking", "HttpAction", "HttpTransport", "Look"]

_MISSING: Final = object()
Ask = Callable[[Any, Call], Awaitable[Record | None]]


class Asking(Protocol):
    """What an action, a lookup or a probe sends, compiled by its protocol."""

    def fill(self, context: Mapping[str, Any]) -> Any:
        """What is sent for that command.

        Raises:
            MappingError: an expression gives nothing that can be sent.

        """
        ...

    async def send(
        self, sent: Any, *, call: Call, errors: Mapping[str, str], missing_ok: bool = False, looks: bool = False
    ) -> Reply | None:
        """Send it; None only with `missing_ok`. `looks`: it changes nothing, whatever it is.

        Raises:
            Rejected, Failed, Unknown: as the protocol's client says.

        """
        ...

    def shown(self, sent: Any) -> Sent:
        """The same as HTTP sees it, for people."""
        ...


class HttpTransport:
    """One system over HTTP. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        self.spec = spec
        self.client = RestClient(
            config.base_url,
            timeouts=spec.timeouts.made(),
            connections=spec.concurrency,
            retries=spec.retries.made(),
            breaker=Breaker(spec.breaker.made()),
            errors=spec.errors,
            missing_codes=spec.missing_codes,
            fault=reader_of(spec.error_body),
            refused=refused_of(spec.error_body),
            key_header=None,  # each action says where its key goes
            credentials=credentials,
        )

    def action(self, action: ActionSpec, command: type[Record]) -> HttpAction:
        """What does it."""
        return HttpAction.of(self.spec, action, command, self._asking)

    def _asking(self, asked: ActionSpec | LookSpec) -> Asking:
        assert asked.request is not None
        key = self.spec.key_of(asked) if isinstance(asked, ActionSpec) and not asked.reads else None
        return _Http(self.client, Template.of(self.spec, asked.request, key), getattr(asked.request, "empty", False))


@dataclass(frozen=True, slots=True)
class _Http:
    client: RestClient
    template: Template
    empty: bool

    def fill(self, context: Mapping[str, Any]) -> Sent:
        return self.template.fill(context)

    async def send(
        self, sent: Sent, *, call: Call, errors: Mapping[str, str], missing_ok: bool = False, looks: bool = False
    ) -> Reply | None:
        return await self.client.reply(
            sent.method,
            sent.path,
            call=call,
            errors=errors,
            json=sent.json,
            form=sent.form,
            params=sent.query,
            headers=sent.headers,
            missing_ok=missing_ok,
            empty=self.empty,
            reads=True if looks else None,
        )

    def shown(self, sent: Sent) -> Sent:
        return sent


class _Shown(str):
    """A lookup's answer before it is there: `lookup.id` stands for itself."""

    __slots__ = ()

    def get(self, name: str) -> _Shown:
        """JMESPath asks a value for its field by this."""
        return _Shown(f"{self}.{name}")


@dataclass(frozen=True, slots=True)
class Look:
    """A question to the system, compiled."""

    asking: Asking
    found: Any
    response: Value

    @classmethod
    def of(cls, look: LookSpec, asking: Asking) -> Look:
        """Compile it."""
        found = None if look.found is None else compiled(look.found)
        return cls(asking, found, Value.of(look.response))

    def item(self, answer: Any, context: Mapping[str, Any]) -> Any:
        """What was found; `_MISSING` where there is none.

        Raises:
            MappingError: the answer is broken, and must not read as "there is none".

        """
        if answer is None:
            return _MISSING
        value = True if self.found is None else value_of(self.found, {**context, "answer": answer})
        if value is True:
            return answer
        if value is False or value == []:
            return _MISSING
        if isinstance(value, list):
            return value[0]
        msg = f"{self.found.expression}: gives neither a list nor true or false"
        raise MappingError(msg)


@dataclass(frozen=True, slots=True)
class HttpAction:
    """One action, compiled: `handle` and `probe` are what a `System` wants."""

    spec: IntegrationSpec
    action: ActionSpec
    completion: type[Record]
    errors: Mapping[str, str]
    asking: Asking
    response: Value
    lookup: Look | None
    question: Look | None
    existing: Look | None

    @classmethod
    def of(
        cls,
        spec: IntegrationSpec,
        action: ActionSpec,
        command: type[Record],
        asking: Callable[[ActionSpec | LookSpec], Asking],
    ) -> HttpAction:
        """Compile it; `asking` makes what its protocol sends."""
        assert command.contract.completion is not None
        existing = action.probe if action.compare is None else action.compare.look or action.probe
        return cls(
            spec=spec,
            action=action,
            completion=command.contract.completion,
            errors=command.contract.errors,
            asking=asking(action),
            response=Value.of(action.response),
            lookup=None if action.lookup is None else Look.of(action.lookup, asking(action.lookup)),
            question=None if action.probe is None else Look.of(action.probe, asking(action.probe)),
            existing=None if existing is None else Look.of(existing, asking(existing)),
        )

    @property
    def probe(self) -> Ask | None:
        """`ask`, where the file has a probe."""
        return None if self.question is None else self.ask

    async def handle(self, command: Record, call: Call) -> Record:
        """Do it. See `consumers.system.Handler`."""
        context = context_of(self.spec, command, call)
        if self.lookup is not None:
            context["lookup"] = await self._look_up(self.lookup, context, call)
            if context["lookup"] is _MISSING:
                return self._nothing()
        sent = self._sent(self.asking, context)
        reply = await self.asking.send(sent, call=call, errors=self.errors, missing_ok=self.action.found is not None)
        if reply is None:
            return self._nothing()
        try:
            return self._completion(self.response, {**context, "answer": reply.value, "headers": dict(reply.headers)})
        except Unknown as exc:
            if not self.action.reads:
                raise
            raise Failed(exc.code, exc.message) from exc

    async def ask(self, command: Record, call: Call) -> Record | None:
        """Whether it was done. See `consumers.system.Probe`."""
        look = self.question
        assert look is not None
        context = context_of(self.spec, command, call)
        answer, item = await self._asked(look, context, call)
        if item is _MISSING:
            return None
        return self._completion(look.response, {**context, "answer": answer, "item": item})

    @property
    def known(self) -> Ask | None:
        """The completion of what is there, whoever did it, where the file says how to ask and to read it."""
        look = self.existing
        if look is None:
            return None
        response = look.response if look.response.shape else self.question.response if self.question else None
        return None if response is None else partial(self._known, look, response)

    async def _known(self, look: Look, response: Value, command: Record, call: Call) -> Record | None:
        context = context_of(self.spec, command, call)
        answer, item = await self._asked(look, context, call)
        return None if item is _MISSING else self._completion(response, {**context, "answer": answer, "item": item})

    @property
    def find(self) -> Ask | None:
        """`found`, where the file says how to ask."""
        return None if self.existing is None else self.found

    async def found(self, command: Record, call: Call) -> Any:
        """What is there of it, as the system says, whoever did it; None where there is nothing.

        Raises:
            Failed, Unknown: it could not be asked.

        """
        assert self.existing is not None
        _, item = await self._asked(self.existing, context_of(self.spec, command, call), call)
        return None if item is _MISSING else item

    async def _asked(self, look: Look, context: Mapping[str, Any], call: Call) -> tuple[Any, Any]:
        try:
            sent = look.asking.fill(context)
            reply = await probing(look.asking.send(sent, call=call, errors={}, missing_ok=True, looks=True))
            answer = None if reply is None else reply.value
            return answer, look.item(answer, context)
        except MappingError as exc:
            raise Unknown("BAD_RESPONSE", f"the probe: {exc}") from exc

    def requests_for(self, command: Record, call: Call) -> Sequence[Sent]:
        """What would be sent, without sending it. What only a lookup can tell stands as `lookup.id`.

        Raises:
            Rejected: the command cannot be sent.

        """
        context = context_of(self.spec, command, call)
        steps = [(self.asking, context)]
        if self.lookup is not None:
            steps = [(self.lookup.asking, context), (self.asking, {**context, "lookup": _Shown("lookup")})]
        return [asking.shown(self._sent(asking, known)) for asking, known in steps]

    def _sent(self, asking: Asking, context: Mapping[str, Any]) -> Any:
        try:
            return asking.fill(context)
        except MappingError as exc:
            raise rejected(exc) from exc

    async def _look_up(self, look: Look, context: Mapping[str, Any], call: Call) -> Any:
        """Nothing is changed by asking, so whatever goes wrong here is no doubt."""
        sent = self._sent(look.asking, context)
        reply = await look.asking.send(sent, call=call, errors=self.errors, missing_ok=True, looks=True)
        try:
            return look.item(None if reply is None else reply.value, context)
        except MappingError as exc:
            raise Failed("BAD_RESPONSE", f"the lookup: {exc}") from exc

    def _completion(self, response: Value, context: Mapping[str, Any]) -> Record:
        more = {} if self.action.found is None else {self.action.found: True}
        return completion(self.completion, response, context, more)

    def _nothing(self) -> Record:
        if self.action.found is None:
            raise Rejected("NOT_FOUND", "the lookup found nothing")
        return self.completion.model_validate({self.action.found: False})
