"""SOAP 1.1 and 1.2 over HTTP: requests from a WSDL, sent by our own exchange; faults, whatever status they come with.

    answer                                                        write                        read
    the operation's output                                        done                         done
    2xx without a body, for an operation without an output        done                         done
    2xx that is not that (HTML, another element, MTOM)            Unknown  BAD_RESPONSE        Failed
    fault: one of its codes in `errors`                           as `errors` says             the same
           one of `missing_codes`, `missing_ok`                   None                         None
           WS-Security refuses our token, or finds it too old     Failed, not in place         the same
           status 401, 403, 407, 408, 425, 429, 503 + Retry-After as `answers.py` says         the same
           Client, Sender                                         Rejected                     Rejected
           VersionMismatch, MustUnderstand, DataEncodingUnknown   Rejected: not processed      Rejected
           Server, Receiver, and any other                        Unknown                      Failed
    no fault, another status                                      as `answers.py` says

A fault's codes are, the most exact first: elements of its detail that are named like a code, the elements of its
detail, its subcodes, its code (SOAP 1.1 §4.4, SOAP 1.2 §5.4). Many stacks call every refusal a `Server` fault: that
stays Unknown until `errors` says otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from lxml import etree

from consumers.connectors.answers import Answer, Expectation, Fault, judge_fault
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, HttpClient
from consumers.connectors.soap_faults import SoapFault, fault_in, refuses_token
from consumers.connectors.soap_wsdl import BadReply, BadRequest, Operation, Wsdl
from consumers.connectors.wsse import UsernameToken, with_token
from consumers.connectors.xml import BadXml, read_xml
from consumers.errors import Failed, Rejected
from consumers.system import Call

__all__ = ["SoapClient", "judge_soap"]

_BY_STATUS = frozenset({401, 403, 407, 408, 425, 429})
_OURS = frozenset({"Client", "Sender", "VersionMismatch", "MustUnderstand", "DataEncodingUnknown"})


class SoapClient(Connector):
    """One port of a WSDL; the base URL of `http` is where it is sent, whatever address the WSDL names.

    Args:
        wsdl: file; what it imports must be files too.
        service, port: names in the WSDL; by default the first.
        path: below the base URL.
        token: asked before each send, for a WS-Security UsernameToken; raises `Failed` where there is none now.
        others: see `Connector`; `missing_codes` as the faults have them.

    """

    def __init__(
        self,
        http: HttpClient,
        guard: Guard,
        *,
        wsdl: Path | str,
        service: str | None = None,
        port: str | None = None,
        path: str = "/",
        token: Callable[[], Awaitable[UsernameToken | None]] | None = None,
        **others: Any,
    ) -> None:
        super().__init__(http, guard, **others)
        self._load = partial(Wsdl, Path(wsdl), service, port)
        self._wsdl: Wsdl | None = None
        self._path = path
        self._token = token

    async def __aenter__(self) -> Self:
        """Load the WSDL, in a thread, and open the pool.

        Raises:
            BadWsdl: it cannot be used.

        """
        self._wsdl = await asyncio.to_thread(self._load)
        return await super().__aenter__()

    async def request(
        self,
        operation: str,
        fields: Mapping[str, Any],
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        reads: bool = False,
        keyed: bool = False,
        missing_ok: bool = False,
    ) -> Any:
        """Call an operation; the fields of its output as plain data, `{}` where it has none.

        Args:
            operation: its name in the WSDL.
            fields: by the names of the schema; nested mappings and lists.
            errors: codes of faults to rejected | failed | unknown.
            reads: it changes nothing.
            keyed: the target does the work once for each key that the fields or headers carry.
            missing_ok: a fault by one of `missing_codes` returns None.

        Raises:
            Rejected: `INVALID_REQUEST`, a field is missing or unknown, nothing was sent. What a value must look like is
                the target's to check.
            Rejected, Failed, Unknown: see the top of the file.
            ClaimLost: another worker owns the effect.

        """
        found = self._operation(operation)
        try:
            envelope = found.envelope(fields)
        except BadRequest as exc:
            raise Rejected("INVALID_REQUEST", str(exc)) from exc
        expected = self.expectation(call, errors, reads=reads, keyed=keyed, missing_ok=missing_ok)

        def judged(answer: Answer) -> Verdict:
            return judge_soap(answer, expected, found, self.now)

        async def once() -> Verdict:
            try:
                content = await self._secured(envelope, found)
            except Failed as exc:
                return Verdict(error=exc, healthy=None)
            return await self.send(
                "POST",
                self._path,
                call=call,
                expected=expected,
                judge=judged,
                body=Body(content=content),
                headers={**found.headers, "accept": "text/xml, application/soap+xml"},
            )

        return await self.guard.run(call, once)

    async def look_up(self, operation: str, fields: Mapping[str, Any], *, call: Call) -> Any:
        """Ask for a probe; None where a fault says that there is no such thing.

        Raises:
            Unknown: whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        return await probing(self.request(operation, fields, call=call, reads=True, missing_ok=True))

    def _operation(self, name: str) -> Operation:
        if self._wsdl is None:
            msg = "the client is not open: the system's lifespan must enter it"
            raise RuntimeError(msg)
        return self._wsdl.operation(name)

    async def _secured(self, envelope: Any, operation: Operation) -> bytes:
        token = await self._token() if self._token is not None else None
        if token is not None:
            envelope = with_token(envelope, token, self.now(), operation.namespace)
        return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def judge_soap(answer: Answer, expected: Expectation, operation: Operation, now: Callable[[], datetime]) -> Verdict:
    """What the answer to a call of the operation means."""
    good = 200 <= answer.status < 300
    if good and not operation.has_output and answer.body == b"":
        return Verdict({})
    kind = answer.headers.get("content-type", "").lower()
    if kind.startswith("multipart/"):
        what = "MTOM and attachments are not read"
        return expected.lost("BAD_RESPONSE", what, again=False) if good else _by_status(answer, expected, now)
    try:
        root = read_xml(answer.body) if answer.body is not None else None
    except BadXml as exc:
        why = f"the body is no XML that is read here: {exc}"
        return expected.lost("BAD_RESPONSE", why, again=False) if good else _by_status(answer, expected, now)
    if root is None:
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is too large", again=False)
    if (fault := fault_in(root)) is not None:
        return _faulty(fault, answer, expected, now)
    if not good:
        return _by_status(answer, expected, now)
    try:
        return Verdict(operation.reply(root))
    except BadReply as exc:
        return expected.lost("BAD_RESPONSE", str(exc), again=False)


def _faulty(fault: SoapFault, answer: Answer, expected: Expectation, now: Callable[[], datetime]) -> Verdict:
    said = fault.said
    if said.mapped(expected.errors) is not None:
        return judge_fault(answer, expected, now(), said)
    if expected.missing_ok and any(code in expected.missing_codes for code in (*said.raw, said.code)):
        return Verdict(None)
    if refuses_token(fault):
        return Verdict(error=Failed(said.code or "UNAUTHENTICATED", said.message), healthy=False)
    if answer.status in _BY_STATUS or (answer.status == 503 and "retry-after" in answer.headers):
        return judge_fault(answer, expected, now(), said)
    code, message = said.code or "SOAP_FAULT", said.message or "a fault without a reason"
    if fault.kind in _OURS:
        return Verdict(error=Rejected(code, message))
    return expected.lost(code, message)


def _by_status(answer: Answer, expected: Expectation, now: Callable[[], datetime]) -> Verdict:
    return judge_fault(answer, expected, now(), Fault())
