"""One HTTP system of the sandbox: ledger, faults, idempotency keys, then its business rules."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from consumers.sandbox.books import Books, Business, Change, Done, Fields, Look, Operation, Refused, fingerprint
from consumers.sandbox.faults import BadRule, Fault, FaultBook, FaultRule
from consumers.sandbox.ledger import Ledger, LedgerWriter, Line

__all__ = ["HttpSystem", "control_app"]

_LONGEST_HANG = 3600.0
_LARGEST_BODY = 1 << 20
Endpoint = Callable[[Request], Awaitable[Response]]


class HttpSystem:
    """One system with its books. `stopping` ends what hangs."""

    def __init__(self, business: Business, ledger: LedgerWriter, faults: FaultBook, stopping: asyncio.Event) -> None:
        self.business = business
        self.books = Books()
        self._ledger = ledger
        self._faults = faults
        self._stopping = stopping
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def replay(self, known: Ledger) -> None:
        """Take over what this system did before it was restarted."""
        for line in known.lines:
            if line.system == self.business.name and line.kind in ("applied", "seed"):
                self._replay(line)

    def seed(self, bodies: Sequence[Fields]) -> None:
        """Enter what the system knows beforehand; what it has already is left alone."""
        (operation,) = [o for o in self.business.operations if o.action == self.business.seeded_by]
        for body in bodies:
            done = operation.run(self.books, body)
            if isinstance(done, Done):
                self._keep("seed", operation, None, body, done)

    def app(self) -> Starlette:
        """Its ASGI application."""
        routes = [Route(o.path, self._operate(o), methods=[o.method]) for o in self.business.operations]
        routes += [Route(look.path, self._look(look), methods=["GET"]) for look in self.business.looks]
        return Starlette(routes=[*routes, *_control_routes(self._faults)])

    def _replay(self, line: Line) -> None:
        change = line.data["change"]
        self.books.apply(Change(change["table"], change["id"], change["row"]))
        if line.key is not None and self.business.keyed:
            self.books.remember(line.key, line.data["fingerprint"], line.data["status"], line.data["reply"])

    def _operate(self, operation: Operation) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            fields = await _fields(request)
            self._called(operation.action, operation.ref, request, fields)
            if isinstance(fields, Refused):
                return _refusal(fields)
            fault = self._faults.take(self.business.name, operation.action, fields)
            if fault is not None and (answer := await self._suffer(fault, request)) is not None:
                return answer
            response = await self._once(operation, request, fields)
            if fault is not None and fault.fault is Fault.DROP_ANSWER:
                return await _cut(request)
            if fault is not None and fault.fault is Fault.LATE_ANSWER:
                await self._pause(_seconds(fault))
            return response

        return endpoint

    def _look(self, look: Look) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            fields = dict(request.query_params)
            self._called(look.action, look.ref, request, fields)
            fault = self._faults.take(self.business.name, look.action, fields)
            if fault is not None and (answer := await self._suffer(fault, request)) is not None:
                return answer
            if fault is not None and fault.fault is Fault.DROP_ANSWER:
                return await _cut(request)
            if fault is not None and fault.fault is Fault.LATE_ANSWER:
                await self._pause(_seconds(fault))
            return JSONResponse({"items": self.books.active(look.table, **fields)})

        return endpoint

    def _called(self, action: str, ref: str, request: Request, fields: Fields | Refused) -> None:
        """The raw call, before anything is made of it."""
        known: Fields = {} if isinstance(fields, Refused) else fields
        self._ledger.append(
            "call",
            self.business.name,
            action,
            key=request.headers.get("idempotency-key"),
            ref=_text(known.get(ref)),
            reference=_text(known.get("reference")),
            attempt=request.headers.get("saga-attempt"),
            traceparent=request.headers.get("traceparent"),
        )

    async def _suffer(self, rule: FaultRule, request: Request) -> Response | None:
        """The answer of a fault that keeps the work from being done; None where it is done nevertheless."""
        match rule.fault:
            case Fault.ERROR:
                status = rule.status or (503 if rule.code else 500)
                if rule.code is None:
                    return PlainTextResponse("Internal Server Error", status)
                return _refusal(Refused(status, rule.code, "a fault on order"), rule.retry_after)
            case Fault.RATE_LIMIT:
                code, wait = rule.code or "RATE_LIMITED", 1 if rule.retry_after is None else rule.retry_after
                return _refusal(Refused(rule.status or 429, code, "too many requests"), wait)
            case Fault.HANG:
                await self._pause(_LONGEST_HANG if rule.seconds is None else rule.seconds)
                return await _cut(request)
            case Fault.DOWN:
                return await _cut(request)
            case Fault.SLOW:
                await self._pause(_seconds(rule))
                return None
            case Fault.DROP_ANSWER | Fault.LATE_ANSWER:
                return None

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _once(self, operation: Operation, request: Request, fields: Fields) -> Response:
        """Do the work unless it was done under this key; a second call with the key waits for the first."""
        key = request.headers.get("idempotency-key")
        if key is None or not self.business.keyed:
            return self._do(operation, key, fields)
        async with self._locks[key]:
            known = self.books.replies.get(key)
            if known is None:
                return self._do(operation, key, fields)
            print_, status, reply = known
            if print_ != fingerprint(operation.method, operation.path, fields):
                return _refusal(Refused(422, "IDEMPOTENCY_KEY_REUSED", "the key belongs to another request"))
            return JSONResponse(reply, status, headers={"idempotency-replayed": "true"})

    def _do(self, operation: Operation, key: str | None, fields: Fields) -> Response:
        missing = [name for name in operation.required if not isinstance(fields.get(name), str) or not fields[name]]
        if missing:
            return _refusal(Refused(400, "INVALID_REQUEST", f"missing or no text: {', '.join(missing)}"))
        done = operation.run(self.books, fields)
        if isinstance(done, Refused):
            return _refusal(done)
        self._keep("applied", operation, key, fields, done)
        return JSONResponse(done.reply, done.status)

    def _keep(self, kind: str, operation: Operation, key: str | None, fields: Fields, done: Done) -> None:
        # The ledger first: it is what a restart reads. Nothing can come between, as nothing is awaited.
        print_ = fingerprint(operation.method, operation.path, fields)
        self._ledger.append(
            kind,
            self.business.name,
            operation.action,
            key=key,
            ref=_text(fields.get(operation.ref)),
            reference=_text(fields.get("reference")),
            fingerprint=print_,
            status=done.status,
            reply=done.reply,
            change={"table": done.change.table, "id": done.change.id, "row": done.change.row},
        )
        self.books.apply(done.change)
        if key is not None and self.business.keyed:
            self.books.remember(key, print_, done.status, done.reply)


def control_app(faults: FaultBook) -> Starlette:
    """The control port: faults of all systems of this process, SMTP's too."""
    return Starlette(routes=_control_routes(faults))


def _control_routes(faults: FaultBook) -> list[Route]:
    async def health(request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def show(request: Request) -> Response:
        del request
        return JSONResponse(faults.show())

    async def add(request: Request) -> Response:
        try:
            added = faults.add_json(await request.json())
        except (BadRule, ValueError) as exc:
            return _refusal(Refused(422, "BAD_RULE", str(exc)))
        return JSONResponse({"added": added}, 201)

    async def clear(request: Request) -> Response:
        faults.clear(request.query_params.get("system"))
        return Response(status_code=204)

    path = "/_sandbox/faults"
    return [
        Route("/health", health),
        Route(path, show, methods=["GET"]),
        Route(path, add, methods=["POST"]),
        Route(path, clear, methods=["DELETE"]),
    ]


async def _fields(request: Request) -> Fields | Refused:
    if request.method != "POST":
        return dict(request.query_params)
    body = await request.body()
    if len(body) > _LARGEST_BODY:
        return Refused(413, "TOO_LARGE", "the body is too large")
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else Refused(400, "INVALID_REQUEST", "the body is no JSON object")


async def _cut(request: Request) -> Response:
    """End the connection without an answer. The server puts each connection's transport into the state."""
    request.state.transport.abort()
    while not await request.is_disconnected():  # noqa: ASYNC110 - Starlette offers no event for it
        await asyncio.sleep(0.001)
    return Response(status_code=500)  # goes nowhere: the server drops what is sent to a closed connection


def _refusal(refused: Refused, retry_after: float | str | None = None) -> Response:
    headers = {} if retry_after is None else {"retry-after": _header(retry_after)}
    return JSONResponse({"code": refused.code, "message": refused.message}, refused.status, headers=headers)


def _seconds(rule: FaultRule) -> float:
    return 1.0 if rule.seconds is None else rule.seconds


def _header(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
