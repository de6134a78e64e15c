"""A canary in every personal field of sagas that fail: nobody who only looks finds it, and nobody who works misses it.

Real Kafka and PostgreSQL, every process of its own, a collector of spans. The systems repeat what they were sent.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from confluent_kafka import Producer

from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(400)]

NAME, PERSON, MAIL = "Canary Quellwasser", "Ada Canaryson", "canary.ada@vendors.example"


@pytest.fixture(scope="module")
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a collector, and what it has been sent."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def canary(tax_id: str, **changes: Any) -> VendorOnboardingRequested:
    vendor = {
        "vendor_name": NAME, "vendor_type": "SUPPLIER", "tax_id": tax_id, "payment_terms": "NET_30",
        "primary_contact_name": PERSON, "primary_contact_email": MAIL, "category": "bearings",
    }  # fmt: skip
    return VendorOnboardingRequested.model_validate({**vendor, **changes})


def found(text: str | bytes) -> str | None:
    """What of a canary stands there, and around it."""
    folded = (text.decode(errors="replace") if isinstance(text, bytes) else text).casefold()
    place = folded.find("canary")
    return None if place < 0 else folded[max(0, place - 200) : place + 100]


async def test_canaries(
    make_world: Callable[..., Any], collector: tuple[str, list[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, spans = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    world = make_world(settings={"SAGA_LOG_LEVEL": "DEBUG", "SAGA_LOG_FORMAT": "json"})
    world.order_faults({"system": "erp", "action": "deactivate_vendor", "match": {"tax_id": "XX-CANARY-0002"},
                        "fault": "error", "status": 409, "code": "LOCKED"})  # fmt: skip
    vendors = [
        canary("DE-CANARY-0001"),
        canary("DE-CANARY-0001", primary_contact_email="other." + MAIL),  # the ERP knows it already, and says so
        canary("XX-CANARY-0002", primary_contact_email="more." + MAIL),  # refused by the last system; an undo fails
        canary("XX-CANARY-0003", primary_contact_email=MAIL),  # its address signs in already, and the portal says so
    ]
    ids = []
    for vendor in vendors:
        (saga_id,) = await world.publish([vendor])
        ids.append(str(saga_id))
        await world.at_rest([saga_id])
    statuses = [world.rows([saga])[saga].state.status.value for saga in (vendor.saga_id for vendor in vendors)]
    assert statuses == ["completed", "compensated", "review", "compensated"]
    _send_nonsense(world)

    letters: list[dict[str, Any]] = []
    while len(letters) < 4:
        letters = json.loads(world.saga("dlq", "list", "-o", "json"))
    told = _views(world, ids, [letter["id"] for letter in letters])
    told |= _tables(world)
    for folder in (world.stack.logs, world.stack.logs.parent):
        told |= {
            path.name: path.read_text(errors="replace") for path in folder.glob("*.log") if "sandbox" not in path.name
        }
    told |= {f"spans {number}": body.decode(errors="replace") for number, body in enumerate(list(spans))}
    leaks = {where: around for where, text in told.items() if (around := found(text))}
    assert leaks == {}
    # What was looked at is what we think it is.
    assert "…0001" in told["show 1"] + told["list"]
    assert "[redacted]" in told["show 1 -o json"]
    assert "DUPLICATE_TAX_ID …0001 is vendor V-" in told["show 1"]
    assert any("process erp.commands" in text for where, text in told.items() if where.startswith("spans"))
    assert any("consumer.not_done" in text for where, text in told.items() if where.endswith(".log"))
    assert told["audit"].count("create_vendor") >= 4

    # What is worked with is whole.
    with psycopg.connect(world.settings.database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT request::text || business_key FROM saga").fetchall()
    assert all(NAME in text and PERSON in text and "CANARY" in text for (text,) in rows)
    why = ("--unredacted", "--reason", "a test")
    lines = [json.loads(line) for line in world.saga("dlq", "export", "--all", *why).splitlines()]
    values = [base64.b64decode(line["value"]) for line in lines]
    assert sum(NAME.encode() in value for value in values) >= 2
    assert all(found(value) for value in values)
    assert NAME in world.saga("show", ids[1], "-o", "json", *why)
    whole = next(line["id"] for line, value in zip(lines, values, strict=True) if NAME.encode() in value)
    assert NAME in world.saga("dlq", "show", whole, *why)
    assert "canary" in world.saga("review", "show", ids[2], *why).casefold()
    looks = json.loads(world.saga("audit", "search", "--system", "@looks", "-o", "json"))
    assert {look["endpoint"].split(" of ")[0] for look in looks} >= {"saga show", "saga dlq export"}
    world.saga("audit", "verify")


def _send_nonsense(world: Any) -> None:
    """A message that nobody can read, with a canary in it."""
    producer = Producer({"bootstrap.servers": world.settings.kafka_bootstrap_servers})
    producer.produce("vendor-onboarding.requests", b"\x00\x00\x00\x00\x07" + MAIL.encode(), headers={"ce_id": b"1"})
    assert producer.flush(20) == 0


def _views(world: Any, ids: list[str], letters: list[str]) -> dict[str, str]:
    commands: dict[str, list[str]] = {
        "list": ["list"], "attention": ["attention"], "review list": ["review", "list"],
        "dlq list": ["dlq", "list"], "groups": ["dlq", "groups"], "export": ["dlq", "export", "--all"],
        "search": ["audit", "search"], "audit export": ["audit", "export"], "access": ["access", "report"],
        "review show": ["review", "show", ids[2]],
        "rehearsal": ["retry", ids[2], "--dry-run", "--reason", "r"],
        "replay": ["dlq", "replay", "--all", "--dry-run", "--reason", "r"],
        "call": ["systems", "call", "erp", "deactivate_vendor", "--set", "tax_id=DE-CANARY-0009", "--dry-run"],
    }  # fmt: skip
    commands |= {f"show {number}": ["show", saga] for number, saga in enumerate(ids)}
    commands |= {f"letter {number}": ["dlq", "show", letter] for number, letter in enumerate(letters)}
    commands |= {
        f"{name} -o json": [*command, "-o", "json"] for name, command in commands.items() if "export" not in name
    }
    with ThreadPoolExecutor(4) as pool:
        told = dict(
            zip(commands, pool.map(lambda command: world.saga(*command, code=None), commands.values()), strict=True)
        )
    assert all(told.values()), told
    return told


def _tables(world: Any) -> dict[str, str]:
    with psycopg.connect(world.settings.effects_url.replace("+psycopg", "")) as connection:
        rows = connection.execute("SELECT c::text FROM audit_call c").fetchall()
    return {"audit": "\n".join(text for (text,) in rows)}
