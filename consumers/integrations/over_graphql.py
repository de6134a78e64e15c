"""Actions by GraphQL. The answer is `data`; errors inside a 200 go by their `extensions.code`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consumers.connectors.graphql import GraphQLClient
from consumers.connectors.http import Credentials
from consumers.connectors.rest import Reply
from consumers.integrations.blocks import QuerySpec
from consumers.integrations.clients import codes_of, guard_of, http_of
from consumers.integrations.expressions import Value
from consumers.integrations.mapping import Sent, fixed_headers, plain
from consumers.integrations.over_http import HttpAction
from consumers.integrations.spec import ActionSpec, IntegrationSpec, KeySpec, LookSpec
from consumers.system import Call, SystemConfig
from schemas.models import Record

__all__ = ["GraphqlTransport"]


class GraphqlTransport:
    """One endpoint. `client` is what its lifespan opens."""

    def __init__(self, spec: IntegrationSpec, config: SystemConfig, credentials: Credentials | None) -> None:
        self.spec = spec
        self.client = GraphQLClient(
            http_of(spec, config, credentials), guard_of(spec), path=spec.graphql.path, **codes_of(spec)
        )

    def action(self, action: ActionSpec, command: type[Record]) -> HttpAction:
        """What does it."""
        return HttpAction.of(self.spec, action, command, self._asking)

    def _asking(self, asked: ActionSpec | LookSpec) -> _Query:
        assert asked.query is not None
        key = self.spec.key_of(asked) if isinstance(asked, ActionSpec) and not asked.reads else None
        return _Query(
            self.client,
            self.spec.graphql.path,
            asked.query,
            Value.of(asked.query.variables),
            key,
            fixed_headers(self.spec),
        )


@dataclass(frozen=True, slots=True)
class _Filled:
    variables: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Query:
    client: GraphQLClient
    path: str
    query: QuerySpec
    variables: Value
    key: KeySpec | None
    fixed: Mapping[str, str]

    def fill(self, context: Mapping[str, Any]) -> _Filled:
        variables, headers = plain(self.variables.evaluate(context, nulls=self.query.nulls)), {}
        if self.key is not None and self.key.body is not None:
            variables[self.key.body] = context["idempotency_key"]
        elif self.key is not None and self.key.header is not None:
            headers[self.key.header] = str(context["idempotency_key"])
        return _Filled(variables, headers)

    async def send(
        self, sent: _Filled, *, call: Call, errors: Mapping[str, str], missing_ok: bool = False, looks: bool = False
    ) -> Reply | None:
        del looks  # its text is a query
        data = await self.client.request(
            self.query.text,
            call=call,
            variables=sent.variables,
            headers=sent.headers,
            errors=errors,
            missing_ok=missing_ok,
            problems=self.query.problems,
        )
        return None if data is None else Reply(data)

    def shown(self, sent: _Filled) -> Sent:
        body = {"query": self.query.text, "variables": dict(sent.variables)}
        return Sent("POST", self.path, {}, {**self.fixed, **sent.headers}, body)
