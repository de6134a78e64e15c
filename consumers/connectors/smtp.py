"""Mail over SMTP (RFC 5321). Blind: no server tells later whether it took a message.

    refused or lost before the message's content went out     Failed
    recipient refused for good (5xx to RCPT)                  Rejected  MAILBOX_UNAVAILABLE
    server's answer to the content: 4xx                       Failed
                                    5xx                       Rejected  MESSAGE_REFUSED
    connection lost or silent from the content on             Unknown

RFC 5321 §4.5.4.2 and RFC 1047 explain the last line: the server may have taken the message before the client stopped
to wait, which is how mails come twice. So nothing is sent again in place from there on.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, localtime
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

from consumers.audit.entry import Exchange, summary
from consumers.connectors.breaker import Breaker
from consumers.connectors.guard import Guard, InPlace, Verdict
from consumers.errors import ActionError, Failed, Rejected, Unknown
from consumers.system import Call
from orchestrator import telemetry

__all__ = ["Mail", "SmtpClient", "SmtpTimeouts", "compose", "message_id"]

# The body as base64 or quoted-printable: not every server takes eight bits.
_PLAIN, _UNICODE = SMTP.clone(cte_type="7bit"), SMTPUTF8.clone(cte_type="7bit")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_ATOM = r'[^\s()<>\[\]:;@\\,."]+'
_INTERNATIONAL = re.compile(rf"{_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
# Replies to RCPT that blame the session and not the mailbox: our configuration is wrong, not the recipient.
_SESSION_ERRORS = frozenset({500, 501, 502, 503, 504, 521, 530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class SmtpTimeouts:
    """Seconds: to connect, and for each reply."""

    connect: float
    reply: float


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient. `tags` become `X-` headers, by which a mail provider groups its statistics."""

    recipient: str
    recipient_name: str
    subject: str
    text: str
    in_reply_to: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def message_id(key: str, domain: str) -> str:
    """The same for every attempt of one effect, so that a server or reader that drops doubles can."""
    return f"<{hashlib.blake2b(key.encode(), digest_size=20).hexdigest()}@{domain}>"


def compose(mail: Mail, key: str, sender: str) -> EmailMessage:
    """The message. Text of strangers cannot add headers: the email package quotes it and refuses line ends.

    Raises:
        Rejected: `INVALID_MESSAGE`, an address or header that no message can have.

    """
    try:
        domain = sender.rpartition("@")[2]
        recipient = _address(_one_line(mail.recipient_name), mail.recipient)
        message = EmailMessage(policy=_PLAIN if mail.recipient.isascii() else _UNICODE)
        message["From"] = Address(addr_spec=sender)
        message["To"] = recipient
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = message_id(key, domain)
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        if mail.in_reply_to:
            message["In-Reply-To"] = message["References"] = mail.in_reply_to
        for name, value in mail.tags.items():
            # The email package checks values, but writes a name with a line end as two headers.
            if not _TAG.fullmatch(name):
                msg = f"{name!r} is no name of a header"
                raise ValueError(msg)
            message[f"X-{name}"] = value
        message.set_content(mail.text)
        message.as_bytes()
    except (ValueError, IndexError, MessageError) as exc:
        raise Rejected("INVALID_MESSAGE", str(exc)) from exc
    return message


def _address(name: str, spec: str) -> Address:
    """The address; the email package reads no local part beyond ASCII, which RFC 6531 allows."""
    if spec.isascii():
        return Address(name, addr_spec=spec)
    if not (spec.isprintable() and _INTERNATIONAL.fullmatch(spec)):
        msg = f"{spec!r} is no address"
        raise ValueError(msg)
    local, _, domain = spec.rpartition("@")
    return Address(name, username=local, domain=domain)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


class SmtpClient:
    """Sends through one server; every mail has a connection of its own. Connects only to send.

    Args:
        url: `smtp://`, `smtp+starttls://` or `smtps://host[:port]`.
        sender: envelope sender and From; its domain is in the Message-IDs.
        timeouts: of each step of the session.
        user, password: for AUTH; none without `user`.
        connections: how many at once, a thread each; not less than the system's concurrency.

    Raises:
        ValueError: the URL is none of these.

    """

    def __init__(
        self,
        url: str,
        *,
        sender: str,
        timeouts: SmtpTimeouts,
        user: str | None = None,
        password: str = "",
        connections: int = 16,
        retries: InPlace | None = None,
        breaker: Breaker | None = None,
        tls: ssl.SSLContext | None = None,
        guard: Guard | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            msg = f"not an SMTP URL: {parts.scheme}://{parts.hostname or ''}"
            raise ValueError(msg)
        self.guard = guard or Guard(breaker or Breaker(), retries or InPlace())
        self.sender = sender
        self._server = _Server(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            security=parts.scheme,  # type: ignore[arg-type]  # checked above
            timeouts=timeouts,
            tls=tls or ssl.create_default_context(),
            user=user,
            password=password,
        )
        self._connections = connections
        self._threads: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        """Make the threads ready. The default executor has six on two cores, and is shared."""
        self._threads = ThreadPoolExecutor(self._connections, thread_name_prefix="smtp")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads; sessions in progress end by their time-outs."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def send(self, mail: Mail, *, call: Call) -> str:
        """Send one mail; its Message-ID.

        Raises:
            Rejected, Failed, Unknown: see the top of the file.
            ClaimLost: another worker owns the effect.

        """
        message = compose(mail, call.idempotency_key, self.sender)

        async def once() -> Verdict:
            return await self._once(message, mail.recipient, call)

        await self.guard.run(call, once)
        return str(message["Message-ID"])

    async def _once(self, message: EmailMessage, recipient: str, call: Call) -> Verdict:
        if self._threads is None:
            msg = "the client is not open: the system's lifespan must enter it"
            raise RuntimeError(msg)
        with telemetry.calling("SMTP", {"server.address": self._server.host, "server.port": self._server.port}):
            began = self._clock()
            code: str | None = "CANCELLED"
            try:
                verdict = await self._session(_Session(self._server, self.sender, recipient, message), self._threads)
                code = verdict.error.code if verdict.error else None
            finally:
                call.told(self._exchange(message, recipient, code, began))
            if verdict.error is not None:
                telemetry.failed(verdict.error.code)
            return verdict

    def _exchange(self, message: EmailMessage, recipient: str, code: str | None, began: float) -> Exchange:
        """What the audit keeps of a mail: whom and about what, not what it says."""
        server = self._server
        return Exchange(
            endpoint=f"MAIL {server.security}://{server.host}:{server.port}",
            duration_ms=round((self._clock() - began) * 1000, 3),
            request=summary({"to": recipient, "subject": message["Subject"], "message_id": message["Message-ID"]}),
            error=code,
            credential=server.user or "",
        )

    async def _session(self, session: _Session, threads: ThreadPoolExecutor) -> Verdict:
        work = asyncio.get_running_loop().run_in_executor(threads, session.run)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread cannot be cancelled, and one that went on would send after its claim has ended.
            session.abandon()
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    security: Literal["smtp", "smtp+starttls", "smtps"]
    timeouts: SmtpTimeouts
    tls: ssl.SSLContext
    user: str | None
    password: str = field(repr=False)


class _Abandoned(Exception):
    """Nobody waits for this session any more."""


class _Session:
    """One mail over one connection, in a thread."""

    def __init__(self, server: _Server, sender: str, recipient: str, message: EmailMessage) -> None:
        self._server = server
        self._sender = sender
        self._recipient = recipient
        self._message = message
        self._abandoned = threading.Event()
        self._smtp: smtplib.SMTP | None = None

    def run(self) -> Verdict:
        """Send it; never raises what the network or the server did."""
        smtp: smtplib.SMTP | None = None
        try:
            try:
                smtp = self._connect()
                refused = self._offer(smtp)
            except (OSError, smtplib.SMTPException, _Abandoned) as exc:
                # The content has not been sent, so the message cannot have been taken.
                again = not isinstance(exc, smtplib.SMTPAuthenticationError | _Abandoned)
                return Verdict(error=_before_content(exc), again=again, healthy=False)
            return refused or self._content(smtp)
        finally:
            if smtp is not None:
                _hang_up(smtp)

    def abandon(self) -> None:
        """Cut the connection; from another thread."""
        self._abandoned.set()
        smtp = self._smtp
        sock = smtp.sock if smtp is not None else None
        if sock is not None:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed already

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        # A name for EHLO is given because the default asks the resolver for our own, which can take seconds.
        us, wait = "localhost", server.timeouts.connect
        smtp: smtplib.SMTP
        if server.security == "smtps":
            smtp = smtplib.SMTP_SSL(server.host, server.port, us, timeout=wait, context=server.tls)
        else:
            smtp = smtplib.SMTP(server.host, server.port, us, timeout=wait)
        self._smtp = smtp
        try:
            assert smtp.sock is not None
            smtp.sock.settimeout(server.timeouts.reply)
            smtp.ehlo_or_helo_if_needed()
            if server.security == "smtp+starttls":
                smtp.starttls(context=server.tls)
                smtp.ehlo_or_helo_if_needed()
            if server.user is not None:
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _offer(self, smtp: smtplib.SMTP) -> Verdict | None:
        """MAIL, RCPT and DATA; a verdict where the server wants no message from us."""
        options = []
        if not self._recipient.isascii():
            if not smtp.has_extn("smtputf8"):
                return Verdict(error=Rejected("MAILBOX_UNAVAILABLE", "the server takes no such address (SMTPUTF8)"))
            options = ["SMTPUTF8", "BODY=8BITMIME"]
            smtp.command_encoding = "utf-8"
        code, text = smtp.mail(self._sender, options)
        if code != 250:
            return Verdict(error=Failed("SENDER_REFUSED", _reply(code, text)), healthy=code < 500)
        code, text = smtp.rcpt(self._recipient)
        if code not in (250, 251):
            if 500 <= code < 600 and code not in _SESSION_ERRORS:
                return Verdict(error=Rejected("MAILBOX_UNAVAILABLE", _reply(code, text)))
            return Verdict(error=Failed("RECIPIENT_REFUSED", _reply(code, text)))
        if self._abandoned.is_set():
            raise _Abandoned
        code, text = smtp.docmd("DATA")
        if code != 354:
            return Verdict(error=_refusal(code, _reply(code, text)), healthy=code != 421)
        return None

    def _content(self, smtp: smtplib.SMTP) -> Verdict:
        """The message and the dot. From the first byte on only the server knows whether it took it."""
        body = _LEADING_DOT.sub(b"..", self._message.as_bytes())
        end = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
        try:
            smtp.send(body + end)
            code, text = smtp.getreply()
        except (OSError, smtplib.SMTPException) as exc:
            error = Unknown("NO_ANSWER", f"after the content: {type(exc).__name__}: {exc}")
            return Verdict(error=error, healthy=False)
        if 200 <= code < 300:
            return Verdict(code)
        if 400 <= code < 600:
            return Verdict(error=_refusal(code, _reply(code, text)), healthy=code != 421)
        return Verdict(error=Unknown("BAD_RESPONSE", _reply(code, text)), healthy=False)


def _refusal(code: int, said: str) -> ActionError:
    if 500 <= code < 600 and code not in _SESSION_ERRORS:
        return Rejected("MESSAGE_REFUSED", said)
    return Failed("TRY_LATER", said)


def _before_content(exc: Exception) -> Failed:
    if isinstance(exc, smtplib.SMTPAuthenticationError):
        return Failed("UNAUTHENTICATED", _reply(exc.smtp_code, exc.smtp_error))
    if isinstance(exc, _Abandoned):
        return Failed("ABANDONED", "its time was up before the content was sent")
    code = "TRY_LATER" if isinstance(exc, smtplib.SMTPResponseException) else "CANNOT_CONNECT"
    return Failed(code, f"{type(exc).__name__}: {exc}")


def _reply(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {_one_line(said)}"[:500]


def _hang_up(smtp: smtplib.SMTP) -> None:
    """QUIT and close; whatever happens here changes nothing any more."""
    try:
        if smtp.sock is not None:
            smtp.sock.settimeout(min(1.0, smtp.sock.gettimeout() or 1.0))
            smtp.quit()
    except (OSError, smtplib.SMTPException):
        pass
    finally:
        smtp.close()
