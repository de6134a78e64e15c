"""The mail server of the sandbox. Blind as real ones are: every message it takes is work done, the tenth copy too.

What a message is for stands in its `X-Tag` header, so rules with an `action` strike when the content is there; only
`MAILBOX_UNAVAILABLE` strikes at RCPT, where real servers refuse a recipient. Rules match on `recipient`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from consumers.sandbox.faults import Fault, FaultBook, FaultRule
from consumers.sandbox.ledger import LedgerWriter

__all__ = ["NAME", "mail_protocol"]

NAME = "mail"
_LONGEST_HANG = 3600.0
_MAILBOX = "MAILBOX_UNAVAILABLE"


def mail_protocol(
    ledger: LedgerWriter, faults: FaultBook, stopping: asyncio.Event
) -> Callable[[], asyncio.BaseProtocol]:
    """What `loop.create_server` asks for each connection."""
    handler = _Handler(ledger, faults, stopping)

    def protocol() -> asyncio.BaseProtocol:
        if faults.refuses(NAME):
            return _Cut()
        # The name is given because the default asks the resolver, which can take seconds.
        return SMTP(handler, hostname="sandbox", enable_SMTPUTF8=True, loop=asyncio.get_running_loop())

    return protocol


class _Cut(asyncio.Protocol):
    """A connection that ends at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.abort()


class _Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(self, ledger: LedgerWriter, faults: FaultBook, stopping: asyncio.Event) -> None:
        self._ledger = ledger
        self._faults = faults
        self._stopping = stopping

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        """A recipient is offered."""
        del server, session
        rule = self._faults.take(NAME, None, {"recipient": address}, codes={_MAILBOX})
        if rule is not None:
            # The message, and with it key and action, will not come: this line stands for the call.
            self._ledger.append("call", NAME, "rcpt", key=None, ref=address)
            return f"{rule.status or 550} 5.1.1 mailbox unavailable"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The content is here; the answer to this is what says who answers for the message."""
        del session
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        action = str(message["X-Tag"] or "send")
        recipient = envelope.rcpt_tos[0]
        where: dict[str, Any] = {
            "key": _text(message["Message-ID"]),
            "ref": recipient,
            "reference": _text(message["X-Reference"]),
        }
        self._ledger.append("call", NAME, action, **where)
        rule = self._faults.take(NAME, action, {"recipient": recipient})
        if rule is not None and (answer := await self._suffer(rule, server)) is not None:
            return answer
        self._ledger.append("applied", NAME, action, **where, subject=_text(message["Subject"]))
        if rule is not None and rule.fault is Fault.DROP_ANSWER:
            _cut(server)
        if rule is not None and rule.fault is Fault.LATE_ANSWER:
            await self._pause(1.0 if rule.seconds is None else rule.seconds)
        return "250 OK"

    async def _suffer(self, rule: FaultRule, server: SMTP) -> str | None:
        """The reply of a fault that keeps the message from being taken; None where it is taken nevertheless."""
        match rule.fault:
            case Fault.ERROR:
                status = rule.status if rule.status is not None and rule.status < 600 else 451
                return f"{status} {rule.code or 'TRANSIENT_ERROR'}: a fault on order"
            case Fault.RATE_LIMIT:
                return "451 4.7.1 too many messages, try again later"
            case Fault.HANG:
                await self._pause(_LONGEST_HANG if rule.seconds is None else rule.seconds)
                _cut(server)
                return "421 cut"
            case Fault.DOWN:
                _cut(server)
                return "421 cut"
            case Fault.SLOW:
                await self._pause(1.0 if rule.seconds is None else rule.seconds)
                return None
            case Fault.DROP_ANSWER | Fault.LATE_ANSWER:
                return None

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


def _cut(server: SMTP) -> None:
    """End the connection; the reply that follows goes nowhere."""
    transport = server.transport
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _text(header: Any) -> str | None:
    return None if header is None else str(header)
