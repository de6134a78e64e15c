"""Our SMTP client against the sandbox's real SMTP: before the content nothing was sent, after it nobody knows."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from consumers.connectors.guard import InPlace
from consumers.connectors.smtp import Mail, SmtpClient, SmtpTimeouts, message_id
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call

SENDER = "suppliers@buyer.example"


def mail(call: Call, **changes: Any) -> Mail:
    values = {
        "recipient": "ada@example.com",
        "recipient_name": "Ada Müller",
        "subject": "Willkommen, 日本",
        "text": "Dear Ada,\n.\n.leading dots\n",
        "tags": {"Tag": "send_welcome_email", "Reference": str(call.saga_id)},
    }
    return Mail(**{**values, **changes})


def client(url: str, *, reply: float = 30, attempts: int = 1) -> SmtpClient:
    retries = InPlace(attempts=attempts, patience=5)
    return SmtpClient(url, sender=SENDER, timeouts=SmtpTimeouts(connect=5, reply=reply), retries=retries)


@pytest.fixture
async def smtp(sandbox: Any) -> AsyncIterator[SmtpClient]:
    async with client(sandbox.urls["mail"]) as made:
        yield made


def lines(sandbox: Any, call: Call) -> list[str]:
    return sandbox.lines(message_id(call.idempotency_key, "buyer.example"))


async def test_a_mail_is_taken_and_its_id_is_of_its_key(smtp: SmtpClient, sandbox: Any, call: Call) -> None:
    sent = await smtp.send(mail(call), call=call)
    assert sent == message_id(call.idempotency_key, "buyer.example")
    assert lines(sandbox, call) == ["call", "applied"]
    (applied,) = sandbox.ledger().applied(sent)
    assert (applied.name, applied.ref) == ("mail.send_welcome_email", "ada@example.com")
    assert (applied.reference, applied.data["subject"]) == (str(call.saga_id), "Willkommen, 日本")


async def test_an_international_address_is_taken(smtp: SmtpClient, sandbox: Any, call: Call) -> None:
    sent = await smtp.send(mail(call, recipient="ü@exämple.org"), call=call)
    (applied,) = sandbox.ledger().applied(sent)
    assert applied.ref == "ü@exämple.org"


async def test_the_server_is_blind_and_takes_every_copy(smtp: SmtpClient, sandbox: Any, call: Call) -> None:
    ids = [await smtp.send(mail(call), call=call) for _ in range(2)]
    assert ids[0] == ids[1]
    assert sandbox.ledger().doubled()[ids[0]] == 2


@pytest.mark.parametrize(
    ("fault", "rule", "error", "code", "written"),
    [
        ("error", {}, Failed, "TRY_LATER", ["call"]),
        ("error", {"status": 550}, Rejected, "MESSAGE_REFUSED", ["call"]),
        ("error", {"action": "send_welcome_email", "status": 452}, Failed, "TRY_LATER", ["call"]),
        ("error", {"code": "MAILBOX_UNAVAILABLE"}, Rejected, "MAILBOX_UNAVAILABLE", []),
        ("error", {"code": "MAILBOX_UNAVAILABLE", "status": 450}, Failed, "RECIPIENT_REFUSED", []),
        ("rate_limit", {}, Failed, "TRY_LATER", ["call"]),
        ("hang", {}, Unknown, "NO_ANSWER", ["call"]),
        ("hang", {"seconds": 0}, Unknown, "NO_ANSWER", ["call"]),
        ("drop_answer", {}, Unknown, "NO_ANSWER", ["call", "applied"]),
        ("down", {"action": "send_welcome_email"}, Unknown, "NO_ANSWER", ["call"]),
        ("down", {}, Failed, "CANNOT_CONNECT", []),
    ],
)
async def test_a_fault_comes_out_as_what_it_means(
    fault: str,
    rule: dict[str, Any],
    error: type[Exception],
    code: str,
    written: list[str],
    sandbox: Any,
    call: Call,
) -> None:
    sandbox.fault("mail", fault, **rule)
    async with client(sandbox.urls["mail"], reply=0.5 if (fault, rule) == ("hang", {}) else 30) as smtp:
        with pytest.raises(error) as raised:
            await smtp.send(mail(call), call=call)
    assert type(raised.value) is error
    assert getattr(raised.value, "code") == code  # noqa: B009
    assert lines(sandbox, call) == written


async def test_done_and_answered_too_late_nobody_knows(sandbox: Any, call: Call) -> None:
    sandbox.fault("mail", "late_answer", seconds=30)
    async with client(sandbox.urls["mail"], reply=0.5) as smtp:
        with pytest.raises(Unknown) as raised:
            await smtp.send(mail(call), call=call)
    assert raised.value.code == "NO_ANSWER"
    assert lines(sandbox, call) == ["call", "applied"]


@pytest.mark.parametrize("fault", ["slow", "late_answer"])
async def test_slow_is_done(fault: str, sandbox: Any, call: Call) -> None:
    sandbox.fault("mail", fault, seconds=0.05)
    async with client(sandbox.urls["mail"]) as smtp:
        await smtp.send(mail(call), call=call)
    assert lines(sandbox, call) == ["call", "applied"]


async def test_a_rule_for_one_recipient_leaves_others_alone(
    smtp: SmtpClient, sandbox: Any, make_call: Callable[..., Call]
) -> None:
    sandbox.fault("mail", "error", code="MAILBOX_UNAVAILABLE", match={"recipient": "gone@example.com"})
    call = make_call()
    with pytest.raises(Rejected):
        await smtp.send(mail(call, recipient="gone@example.com"), call=call)
    await smtp.send(mail(call), call=call)


async def test_nothing_is_sent_again_once_the_content_was_out(sandbox: Any, call: Call) -> None:
    sandbox.fault("mail", "drop_answer", times=1)
    async with client(sandbox.urls["mail"], attempts=3) as smtp:
        with pytest.raises(Unknown):
            await smtp.send(mail(call), call=call)
    assert lines(sandbox, call) == ["call", "applied"]


async def test_a_server_that_was_down_for_a_moment_is_tried_again(sandbox: Any, call: Call) -> None:
    sandbox.fault("mail", "down", times=1)
    async with client(sandbox.urls["mail"], attempts=3) as smtp:
        await smtp.send(mail(call), call=call)
    assert lines(sandbox, call) == ["call", "applied"]


async def test_many_mails_at_once_are_all_taken(sandbox: Any, make_call: Callable[..., Call]) -> None:
    async with client(sandbox.urls["mail"]) as smtp:
        calls = [make_call() for _ in range(40)]
        ids = await asyncio.gather(*(smtp.send(mail(call), call=call) for call in calls))
    assert len(set(ids)) == 40
    assert all(lines(sandbox, call) == ["call", "applied"] for call in calls)


async def test_a_mail_whose_time_is_up_before_its_content_is_not_sent(
    stalling: tuple[str, threading.Event, list[bytes]], call: Call
) -> None:
    url, offered, heard = stalling
    async with client(url) as smtp:
        sending = asyncio.create_task(smtp.send(mail(call), call=call))
        await asyncio.to_thread(offered.wait)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
    assert not any(line.upper().startswith(b"DATA") for line in heard)


@pytest.fixture
def stalling() -> Iterator[tuple[str, threading.Event, list[bytes]]]:
    """A server that never answers RCPT; what it was told."""
    listener = socket.create_server(("127.0.0.1", 0))
    offered, heard = threading.Event(), list[bytes]()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as file:
            connection.sendall(b"220 stalling\r\n")
            while line := file.readline():
                heard.append(line)
                if line.upper().startswith(b"RCPT"):
                    offered.set()
                else:
                    connection.sendall(b"250 ok\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"smtp://127.0.0.1:{listener.getsockname()[1]}", offered, heard
    listener.close()
    thread.join()
