"""SOAP 1.1 and 1.2 over HTTP: requests from a WSDL, sent by our own exchange; faults, whatever status they come with.

    answer                                                        write                        read
    the operation's output                                        done                         done
    2xx without a body, for an operation without an output        done                         done
    2xx that is not that (HTML, another element, MTOM)            Unknown  BAD_RESPONSE        Failed
    fault: one of its codes in `errors`                           as `errors` says             the same
           one of `missing_codes`, `missing_ok`                   None                         None
           WS-Security refuses our token, or finds it too old     Failed; once more in place where there is another
           status 401, 403, 407, 408, 425, 429, 503 + Retry-After as `answers.py` says         the same
           Client, Sender                                         Rejected                     Rejected
           VersionMismatch, MustUnderstand, DataEncodingUnknown   Rejected: not processed      Rejected
           Server, Receiver, and any other                        Unknown                      Failed
    no fault, another status                                      as `answers.py` says
    the output, but `inside` finds an error in it                 as `errors` and `missing_codes` say, else
                                                                  Unknown                      Failed

A fault's codes are, the most exact first: elements of its detail that are named like a code, the elements of its
detail, its subcodes, its code (SOAP 1.1 §4.4, SOAP 1.2 §5.4). Many stacks call every refusal a `Server` fault: that
stays Unknown until `errors` says otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Self

from lxml import etree

from consumers.connectors.answers import Answer, Expectation, Fault, judge_fault
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, Credentials, HttpClient, Proof
from consumers.connectors.soap_faults import SoapFault, fault_in, refuses_token
from consumers.connectors.soap_wsdl import BadReply, BadRequest, Operation, Wsdl
from consumers.connectors.wsse import with_token
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
        service, port, version: names in the WSDL, and 1.1 or 1.2; by default the first that there is.
        path: below the base URL.
        credentials: asked before each send for a WS-Security UsernameToken, and where that is refused, for another one.
        inside: the error in an operation's output, for systems that have theirs there.
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
        version: str | None = None,
        path: str = "/",
        credentials: Credentials | None = None,
        inside: Callable[[Any], Fault | None] = lambda _: None,
        **others: Any,
    ) -> None:
        super().__init__(http, guard, **others)
        self._load = partial(Wsdl, Path(wsdl), service, port, version)
        self._wsdl: Wsdl | None = None
        self.path = path
        self._credentials = credentials
        self._inside = inside

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
        blocks: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        reads: bool = False,
        keyed: bool = False,
        missing_ok: bool = False,
    ) -> Any:
        """Call an operation; the fields of its output as plain data, `{}` where it has none.

        Args:
            operation: its name in the WSDL.
            fields: by the names of the schema; nested mappings and lists.
            blocks: of the SOAP header, by the names of their parts.
            headers: of HTTP, beside the operation's own.
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
        found = self.operation(operation)
        try:
            envelope = found.envelope(fields, blocks)
        except BadRequest as exc:
            raise Rejected("INVALID_REQUEST", str(exc)) from exc
        expected = self.expectation(call, errors, reads=reads, keyed=keyed, missing_ok=missing_ok)
        turned_away = False

        def judged(answer: Answer) -> Verdict:
            nonlocal turned_away
            verdict = judge_soap(answer, expected, found, self.now, self._inside)
            turned_away = verdict.error is not None and (answer.status == 401 or _turned_away(answer))
            return verdict

        async def send(proof: Proof) -> Verdict:
            return await self.send(
                "POST",
                self.path,
                call=call,
                expected=expected,
                judge=judged,
                body=Body(content=self._secured(envelope, found, proof)),
                headers={"accept": "text/xml, application/soap+xml", **(headers or {}), **found.headers},
            )

        async def once() -> Verdict:
            nonlocal turned_away
            turned_away = False
            if self._credentials is None:
                return await send(Proof())
            try:
                proof = await self._credentials.proof()
                verdict = await send(proof)
                # Nothing was done, so the same may be sent again; once, whatever comes of it.
                if turned_away and await self._credentials.refused(proof):
                    verdict = await send(await self._credentials.proof())
            except Failed as exc:
                # Nothing was learned of the system itself.
                return Verdict(error=exc, healthy=None)
            return verdict

        return await self.guard.run(call, once)

    async def look_up(self, operation: str, fields: Mapping[str, Any], *, call: Call) -> Any:
        """Ask for a probe; None where a fault says that there is no such thing.

        Raises:
            Unknown: whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        return await probing(self.request(operation, fields, call=call, reads=True, missing_ok=True))

    def operation(self, name: str) -> Operation:
        """One of the port's, also before the client is open: then the WSDL is read here and now.

        Raises:
            ValueError: there is none of that name.
            BadWsdl: it cannot be used.

        """
        if self._wsdl is None:
            self._wsdl = self._load()
        return self._wsdl.operation(name)

    def _secured(self, envelope: Any, operation: Operation, proof: Proof) -> bytes:
        if proof.username_token is not None:
            envelope = with_token(envelope, proof.username_token, self.now(), operation.namespace)
        return bytes(etree.tostring(envelope, xml_declaration=True, encoding="utf-8"))


def judge_soap(
    answer: Answer,
    expected: Expectation,
    operation: Operation,
    now: Callable[[], datetime],
    inside: Callable[[Any], Fault | None] = lambda _: None,
) -> Verdict:
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
        value = operation.reply(root)
    except BadReply as exc:
        return expected.lost("BAD_RESPONSE", str(exc), again=False)
    found = inside(value)
    return Verdict(value) if found is None else _inside(found, answer, expected, now)


def _inside(said: Fault, answer: Answer, expected: Expectation, now: Callable[[], datetime]) -> Verdict:
    if said.mapped(expected.errors) is not None:
        return judge_fault(answer, expected, now(), said)
    if expected.missing_ok and said.code in expected.missing_codes:
        return Verdict(None)
    return expected.lost(said.code or "ERROR_IN_SUCCESS", said.message or "an error in the output", again=False)


def _turned_away(answer: Answer) -> bool:
    """Whether the answer is a fault about who we are."""
    try:
        fault = fault_in(read_xml(answer.body or b""))
    except BadXml:
        return False
    return fault is not None and refuses_token(fault)


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
