"""REST over HTTP, with explicit time-outs, short retries, a circuit breaker, and an answer that says what it means."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from consumers.connectors.answers import Answer, Fault, Reply, judge, parse
from consumers.connectors.breaker import Breaker
from consumers.connectors.connector import Connector, probing
from consumers.connectors.forms import flat
from consumers.connectors.guard import Guard, InPlace, Verdict
from consumers.connectors.http import Body, Credentials, HttpClient, Timeouts, trace_headers
from consumers.connectors.paging import same_host
from consumers.connectors.pending import Accepted, Pending, accepted, settled
from consumers.errors import Failed, Unknown
from consumers.system import Call

__all__ = ["Reply", "RestClient", "Timeouts", "parse", "trace_headers"]

_LARGEST_ANSWER = 1 << 20
_READS = frozenset({"GET", "HEAD"})


class RestClient(Connector):
    """Calls one system. Connects while it is entered, never before.

    Args:
        base_url, timeouts, connections, credentials, headers, verify, largest_answer: see `HttpClient`.
        retries: sends within one attempt.
        breaker: opens when the system mostly fails.
        errors: codes of the system that hold for all its actions, to rejected | failed | unknown.
        missing_codes, refused: see `Expectation`.
        fault: reads an error body; see `judge`.
        key_header: see `Connector`.

    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        connections: int = 64,
        retries: InPlace | None = None,
        breaker: Breaker | None = None,
        errors: Mapping[str, str] | None = None,
        missing_codes: Collection[str] = ("NOT_FOUND",),
        fault: Callable[[Answer], Fault] | None = None,
        refused: Callable[[Any], bool] | None = None,
        key_header: str | None = "idempotency-key",
        credentials: Credentials | None = None,
        headers: Callable[[], Mapping[str, str]] = trace_headers,
        verify: ssl.SSLContext | bool = True,
        largest_answer: int = _LARGEST_ANSWER,
        guard: Guard | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        http = HttpClient(
            base_url,
            timeouts=timeouts,
            connections=connections,
            credentials=credentials,
            headers=headers,
            verify=verify,
            largest_answer=largest_answer,
        )
        own = guard or Guard(breaker or Breaker(), retries or InPlace())
        super().__init__(
            http, own, errors=errors, missing_codes=missing_codes, refused=refused, key_header=key_header, now=now
        )
        self._fault = fault

    async def request(self, method: str, path: str, **how: Any) -> Any:
        """Send one request, and return the JSON of the answer alone. Arguments and errors as `reply`.

        Returns:
            The JSON value, fractions as `Decimal`; `{}` for 204; None only with `missing_ok`.

        """
        found = await self.reply(method, path, **how)
        return None if found is None else found.value

    async def reply(
        self,
        method: str,
        path: str,
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        params: Mapping[str, str | None] | None = None,
        headers: Mapping[str, str] | None = None,
        keyed: bool = True,
        missing_ok: bool = False,
        empty: bool = False,
        reads: bool | None = None,
        pending: Pending | None = None,
    ) -> Reply | None:
        """Send one request, again in place where that is safe, and return the JSON of the answer with its headers.

        Args:
            errors: the contract's (`command.contract.errors`); they go before the client's.
            json: the body. Numbers that must stay exact go as strings.
            form: the body as `application/x-www-form-urlencoded` instead; what is nested is named as `forms.py` says.
            params: the query; None values are left out.
            headers: of this request, beside the client's own.
            keyed: the target honours `Idempotency-Key`, so a write whose outcome is unknown is sent again. Never
                where the contract's effect is not `idempotent`.
            missing_ok: a 404 that says so of the thing returns None (an undo with nothing to undo).
            empty: see `Expectation`.
            reads: it changes nothing, whatever its method: a search by POST. By default only GET and HEAD read.
            pending: what to make of a 202: ask where its `Location` leads until the work is done. Without it, a 202
                with JSON is an answer as any other 2xx.

        Returns:
            None only with `missing_ok`. What came of a 202 has no headers.

        Raises:
            Rejected, Failed, Unknown: as the table in `answers.py` says; `Failed("CIRCUIT_OPEN")` without a call.
            ClaimLost: another worker owns the effect.

        """
        reads = method.upper() in _READS if reads is None else reads
        expected = self.expectation(call, errors, reads=reads, keyed=keyed, missing_ok=missing_ok, empty=empty)
        query = {name: value for name, value in (params or {}).items() if value is not None}
        body = Body(json=json) if form is None else Body(form=flat(form))

        def judged(answer: Answer) -> Verdict:
            if pending is not None and answer.status == 202:
                return Verdict(accepted(answer, self.now()))
            verdict = judge(answer, expected, self.now(), fault=self._fault)
            return verdict if verdict.value is None else replace(verdict, value=Reply(verdict.value, answer.headers))

        async def once() -> Verdict:
            return await self.send(
                method,
                path,
                call=call,
                expected=expected,
                judge=judged,
                body=body,
                params=query,
                headers=headers,
            )

        found: Reply | Accepted | None = await self.guard.run(call, once)
        if not isinstance(found, Accepted):
            return found
        assert pending is not None
        return Reply(await settled(self, pending, self._place(found), call=call, wait=found.wait))

    def _place(self, found: Accepted) -> str:
        if not found.place:
            raise Unknown("BAD_RESPONSE", "taken on, but it does not say where to ask")
        try:
            return same_host(self.http.base_url, found.place)
        except Failed as exc:
            raise Unknown(exc.code, f"taken on, but {exc.message}") from exc

    async def look_up(
        self,
        path: str,
        *,
        call: Call,
        params: Mapping[str, str | None] | None = None,
        method: str = "GET",
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask for a probe. None where the target says that there is no such thing.

        Raises:
            Unknown: whatever goes wrong. A probe is asked when the action may have been done; that it could not be
                asked leaves exactly that, and must not read as "not done".
            ClaimLost: another worker owns the effect.

        """
        asked = self.request(
            method,
            path,
            call=call,
            params=params,
            json=json,
            form=form,
            headers=headers,
            missing_ok=True,
            reads=True,
        )
        return await probing(asked)
