"""Every send is written down before anybody learns of its outcome; where it cannot be, calls stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from consumers.audit.entry import AuditRow, Exchange, summary
from consumers.errors import Failed, Rejected
from consumers.system import Call, System
from orchestrator.core.sample import sample
from orchestrator.database import StoreUnavailable
from orchestrator.redaction import Redactor, Rules, redact_event
from schemas.models import DeactivateVendor, StepFailed, VendorDeactivated


class Audit:
    """Keeps the rows; away when it is told so."""

    def __init__(self) -> None:
        self.rows: list[AuditRow] = []
        self.away = False

    async def add(self, rows: Sequence[AuditRow]) -> None:
        if self.away:
            raise StoreUnavailable("the audit is away")
        self.rows.extend(rows)


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def system(called: list[str]) -> System:
    erp = System("erp")

    @erp.action(DeactivateVendor)
    async def deactivate(command: DeactivateVendor, call: Call) -> VendorDeactivated:
        called.append(call.step)
        call.told(Exchange("DELETE http://erp/vendors", 1.5, status=503, error="HTTP_503"))
        call.told(Exchange("DELETE http://erp/vendors", 2.5, status=200))
        if command.tax_id == "DE000000000":
            raise Failed("LOCKED")
        return VendorDeactivated(found=True)

    return erp


def deactivate(tax_id: str = "DE123456789") -> DeactivateVendor:
    return sample(DeactivateVendor, full=True).model_copy(update={"tax_id": tax_id})


async def test_every_send_of_an_action_is_a_row(make_worker: Any, system: System, audit: Audit) -> None:
    worker = make_worker(system, audit=audit)
    worker.command(deactivate(), agent="bot")
    worker.command(deactivate("DE000000000"), step="t", attempt=3)
    await worker.work()
    told = [(r.step, r.attempt, r.send, r.exchange.status, r.agent, r.system, r.direction) for r in audit.rows]
    assert sorted(told) == [
        ("s", 1, 1, 503, "bot", "erp", "do"),
        ("s", 1, 2, 200, "bot", "erp", "do"),
        ("t", 3, 1, 503, "", "erp", "do"),
        ("t", 3, 2, 200, "", "erp", "do"),
    ]
    assert {row.action for row in audit.rows} == {"deactivate_vendor"}
    assert {row.saga_id for row in audit.rows} == {worker.saga_id}
    assert {type(record) for record, _ in worker.answers} == {VendorDeactivated, StepFailed}


async def test_no_answer_before_the_audit_and_no_call_while_it_is_away(
    make_worker: Any, system: System, audit: Audit, called: list[str]
) -> None:
    worker = make_worker(system, audit=audit)
    audit.away = True
    worker.command(deactivate(), step="first")
    await worker.work()
    assert called == ["first"]
    assert worker.answers == []
    assert worker.inbox.committed == {}
    for step in ("second", "third"):
        worker.command(deactivate(), step=step)
    await worker.work()
    assert called == ["first"]
    audit.away = False
    await worker.work(200)
    assert sorted(called) == ["first", "second", "third"]
    assert len(worker.answers) == 3
    assert len(audit.rows) == 6


async def test_a_call_that_was_cut_off_is_written_too(make_worker: Any, audit: Audit) -> None:
    erp = System("erp")

    @erp.action(DeactivateVendor)
    async def handler(_: DeactivateVendor, call: Call) -> VendorDeactivated:
        call.told(Exchange("DELETE http://erp/vendors", 9.0, error="CANCELLED"))
        raise RuntimeError("broke in mid-call")

    worker = make_worker(erp, audit=audit)
    worker.command(deactivate())
    await worker.work()
    assert [row.exchange.error for row in audit.rows] == ["CANCELLED"]


async def test_what_a_command_hides_is_in_no_error_log_or_audit_of_its_call(make_worker: Any, audit: Audit) -> None:
    """Whoever writes it: the handler's own code, too."""
    erp = System("erp")

    @erp.action(DeactivateVendor)
    async def handler(command: DeactivateVendor, call: Call) -> VendorDeactivated:
        structlog.get_logger("somebody's").warning("asking", url=f"/vendors?id={command.tax_id.lower()}")
        call.told(Exchange("GET /x", 1.0, response=summary(f"{command.tax_id} is there")))
        if call.step == "broken":
            raise RuntimeError(f"{command.tax_id} is there")
        raise Rejected("DUPLICATE", f"{command.tax_id} is there")

    erp.actions[DeactivateVendor.contract.name].redactor = Redactor(Rules({"tax_id": "mask"}))
    worker = make_worker(erp, audit=audit)
    with capture_logs(processors=[structlog.processors.format_exc_info, redact_event]) as logs:
        for step in ("refused", "broken"):
            worker.command(deactivate("DE-CANARY-1"), step=step)
        await worker.work()
    assert {event["event"] for event in logs} >= {"asking", "consumer.handler_failed"}
    messages = [record.message for record, _ in worker.answers]
    assert messages.count("[redacted] is there") == 1
    told = [*map(repr, logs), *map(repr, audit.rows), *messages]
    assert any("/vendors?id=[redacted]" in text for text in told)
    assert [text for text in told if "CANARY" in text.upper()] == []


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (None, ""),
        (b"", ""),
        (b'{"a": "b", "token": "x"}', '{"a":"b","token":"[redacted]"}'),
        (b'{"a": "\xff"}', '{"a": "\N{REPLACEMENT CHARACTER}"}'),
        (b"<html>mail ada@example.com</html>", "<html>mail [redacted]@example.com</html>"),
        ({"n": 1, "raw": b"123"}, '{"n":1,"raw":"<3 bytes>"}'),
        (b"a\x00b", "a\N{SYMBOL FOR NULL}b"),
        ("half a pair: \ud800", "half a pair: ?"),
        ({"half": "\ud800"}, "<not to be shown: UnicodeEncodeError>"),
        (b"[" * 20_000 + b"]" * 20_000, "[" * 2000 + "… (40000 characters)"),
        (b"a." * 500_000, "<1000000 bytes>"),
        ("a." * 500_000, "<1000000 characters>"),
    ],
)
def test_any_body_has_a_summary(body: Any, kept: str) -> None:
    assert summary(body) == kept


def test_a_long_body_is_cut() -> None:
    assert summary("x" * 5000) == "x" * 2000 + "… (5000 characters)"
