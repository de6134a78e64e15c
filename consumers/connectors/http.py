"""One exchange over HTTP: time-outs, size limits, credentials and traces. What the answer means is its caller's.

Every protocol that travels over HTTP (REST, GraphQL, SOAP, OData, IDoc) sends through this one client.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import httpx2
from opentelemetry import propagate

from consumers import metrics
from consumers.audit.entry import Exchange, answer_summary, summary
from consumers.connectors.answers import Answer, Expectation, Reply
from consumers.connectors.guard import Verdict
from consumers.connectors.limits import LimitReader
from consumers.errors import Failed
from consumers.system import Call
from orchestrator import telemetry
from orchestrator.redaction import redacted_text

__all__ = ["Body", "Credentials", "HttpClient", "Proof", "Timeouts", "UsernameToken", "trace_headers"]

_LARGEST_ANSWER = 1 << 20
# Shorter than any server's: a connection that the server has just closed makes a request's outcome unknown.
_KEEPALIVE_SECONDS = 2.0
_UNAUTHENTICATED = 401
_PROOF = "saga.proof"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds, all of them chosen: to connect, between two reads, between two writes, for a free connection."""

    connect: float
    read: float
    write: float
    pool: float


@dataclass(frozen=True, slots=True)
class UsernameToken:
    """What a SOAP message carries (OASIS WSS UsernameToken Profile 1.1); the protocol writes it."""

    username: str
    password: str = field(repr=False)
    digest: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What one request carries to show who we are. Shows nothing of it but its version.

    Attributes:
        version: of the token or secret in it.
        headers, params: added to the request; params are in no log.
        username_token: for SOAP alone.

    """

    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    username_token: UsernameToken | None = field(default=None, repr=False)


class Credentials(Protocol):
    """What proves to a system who we are.

    `verify` is the TLS context to open connections with; True checks against the platform's authorities.
    """

    @property
    def reference(self) -> str:
        """Which they are, for the audit; never what they are."""
        ...

    @property
    def verify(self) -> ssl.SSLContext | bool: ...

    async def proof(self) -> Proof:
        """For the next send.

        Raises:
            Failed: there is none now; nothing has been sent.

        """
        ...

    async def refused(self, sent: Proof) -> bool:
        """The system answered 401 to that. True where another is to be had now: then one more send is due.

        Raises:
            Failed: as `proof`.

        """
        ...


class _Transport(httpx2.AsyncHTTPTransport):
    """Adds the proof's query below httpx2, which writes each URL to its log."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if params := request.extensions.get(_PROOF):
            url = request.url.copy_merge_params(params)
            request = httpx2.Request(
                request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
            )
        return await super().handle_async_request(request)


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent: a value as JSON, fields of a form, or bytes whose `content-type` the headers tell."""

    json: Any = None
    form: Mapping[str, str] | None = None
    content: bytes | None = None


def trace_headers() -> Mapping[str, str]:
    """`traceparent` and `tracestate` of the current span; empty without one."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier


class HttpClient:
    """A pool of connections to one system. Connects while it is entered, never before.

    Args:
        base_url: scheme, host and path prefix.
        timeouts: of each send.
        connections: how many at once; not less than the system's concurrency, or calls wait for a place.
        credentials: asked before each send; a 401 is answered by one refresh and one more send.
        headers: asked before each send; by default the trace of the current span.
        verify: TLS context; True takes that of the credentials, or checks against the platform's authorities.
        largest_answer: bytes; a larger body is not read.

    Proxies and credentials from the environment (`HTTP_PROXY`, `.netrc`) are not used: where a call goes is a setting
    of the system, not of the machine. Redirects are never followed.

    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts,
        connections: int = 64,
        credentials: Credentials | None = None,
        headers: Callable[[], Mapping[str, str]] = trace_headers,
        accept: str = "application/json",
        verify: ssl.SSLContext | bool = True,
        largest_answer: int = _LARGEST_ANSWER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.base_url = base_url
        self._host = urlsplit(base_url).hostname or ""
        self._timeout = httpx2.Timeout(
            connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
        )
        self._limits = httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEPALIVE_SECONDS
        )
        self._credentials = credentials
        self._headers = headers
        self._accept = accept
        self._verify = credentials.verify if credentials is not None and verify is True else verify
        self._largest = largest_answer
        self._limit_reader = LimitReader(self._host)
        self._client: httpx2.AsyncClient | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the pool; connections follow with the first calls."""
        self._client = await self._stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=self.base_url,
                timeout=self._timeout,
                transport=_Transport(verify=self._verify, limits=self._limits, trust_env=False),
                follow_redirects=False,
                trust_env=False,
                # Not compressed: a small body that unpacks to a gigabyte would pass the limit.
                headers={"accept": self._accept, "accept-encoding": "identity"},
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._client = None
        await self._stack.aclose()

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        call: Call,
        expected: Expectation,
        judge: Callable[[Answer], Verdict],
        body: Body | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Verdict:
        """Send one request; `judge` says what its answer means.

        `expected.reads` says whether the request changes nothing: a lost answer of one that may have is an `Unknown`.
        """
        if self._client is None:
            msg = "the client is not open: the system's lifespan must enter it"
            raise RuntimeError(msg)
        # Without the query: a path that is a link from an answer has one, and values in it are nobody's business.
        facts = {"http.request.method": method, "url.path": urlsplit(path).path, "server.address": self._host}
        with telemetry.calling(method, facts) as span:
            send = _Send(
                f"{method} {self.base_url}{facts['url.path']}", body, params, self._clock, call.told,
                {"http.request.method": method, "server.address": self._host},
            )  # fmt: skip
            try:
                found = await self._authorised(
                    self._client, method, path, call, expected, body, params, headers or {}, send
                )
            except asyncio.CancelledError:
                send.over(None, "CANCELLED")
                raise
            if isinstance(found, Answer) and (advice := self._limit_reader.read(found)) is not None:
                call.limited(advice)
            verdict = judge(found) if isinstance(found, Answer) else found
            send.over(found, verdict.error.code if verdict.error else None)
            if span is not None and isinstance(found, Answer):
                span.set_attribute("http.response.status_code", found.status)
            if verdict.error is not None:
                telemetry.failed(verdict.error.code)
            elif verdict.value is not None:
                value = verdict.value
                call.answered(method, value.value if isinstance(value, Reply) else value)
            return verdict

    async def _authorised(
        self,
        client: httpx2.AsyncClient,
        method: str,
        path: str,
        call: Call,
        expected: Expectation,
        body: Body | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        send: _Send,
    ) -> Answer | Verdict:
        own = {**self._headers(), "saga-attempt": str(call.attempt), **headers}
        if self._credentials is None:
            return await self._once(client, method, path, expected, body, params, own, Proof())
        try:
            send.credential = self._credentials.reference
            proof = await self._credentials.proof()
            found = await self._once(client, method, path, expected, body, params, own, proof)
            refused = isinstance(found, Answer) and found.status == _UNAUTHENTICATED
            # A 401 says that nothing was done, so the same may be sent again; once, whatever comes of it.
            if refused and await self._credentials.refused(proof):
                send.over(found, "UNAUTHENTICATED")
                proof = await self._credentials.proof()
                found = await self._once(client, method, path, expected, body, params, own, proof)
        except Failed as exc:
            # Nothing was learned of the system itself.
            return Verdict(error=exc, healthy=None)
        return found

    async def _once(
        self,
        client: httpx2.AsyncClient,
        method: str,
        path: str,
        expected: Expectation,
        body: Body | None,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str],
        proof: Proof,
    ) -> Answer | Verdict:
        sent: dict[str, Any] = {} if body is None else {"json": body.json, "data": body.form, "content": body.content}
        sent |= {"headers": {**headers, **proof.headers}, "extensions": {_PROOF: proof.params}}
        try:
            # None, not {}: an empty mapping would take away the query of a path that is a link.
            async with client.stream(method, path, params=params or None, **sent) as response:
                return Answer(response.status_code, dict(response.headers), await self._body(response))
        except httpx2.PoolTimeout as exc:
            return Verdict(error=_failed("NO_CONNECTION_FREE", exc), healthy=None)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as exc:
            return Verdict(error=_failed("CANNOT_CONNECT", exc), again=True, healthy=False)
        except httpx2.TimeoutException as exc:
            return expected.lost("NO_ANSWER", _said(exc))
        except httpx2.TransportError as exc:
            return expected.lost("CONNECTION_LOST", _said(exc))

    async def _body(self, response: httpx2.Response) -> bytes | None:
        """The body; None where it is larger than allowed or, against our wish, compressed."""
        if response.headers.get("content-encoding", "identity") != "identity":
            return None
        chunks, size = [], 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > self._largest:
                return None
            chunks.append(chunk)
        return b"".join(chunks)


class _Send:
    """One send as the audit wants to know of it."""

    def __init__(
        self,
        endpoint: str,
        body: Body | None,
        params: Mapping[str, str] | None,
        clock: Callable[[], float],
        told: Callable[[Exchange], None],
        facts: Mapping[str, str],
    ) -> None:
        self._facts = facts
        self._endpoint = endpoint
        self._request = {} if body is None else {"json": body.json, "form": body.form, "content": body.content}
        self._request |= {"query": params or None}
        self._clock = clock
        self._told = told
        self._began = clock()
        self.credential = ""

    def over(self, found: Answer | Verdict | None, error: str | None) -> None:
        """What came of it; the next one, if there is one, begins now."""
        seconds = self._clock() - self._began
        facts: dict[str, str | int] = dict(self._facts)
        if isinstance(found, Answer):
            facts["http.response.status_code"] = found.status
        if error is not None:
            facts["error.type"] = error
        metrics.request_duration.record(seconds, facts)
        self._told(
            Exchange(
                endpoint=redacted_text(self._endpoint),
                duration_ms=round(seconds * 1000, 3),
                request=summary({name: value for name, value in self._request.items() if value is not None}),
                status=found.status if isinstance(found, Answer) else None,
                response=answer_summary(found.body) if isinstance(found, Answer) else "",
                error=error,
                credential=self.credential,
            )
        )
        self._began = self._clock()


def _failed(code: str, exc: Exception) -> Failed:
    return Failed(code, _said(exc))


def _said(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
