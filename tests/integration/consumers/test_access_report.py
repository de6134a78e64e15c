"""`saga access report`, as a process: who used what, which secrets were read, and what was granted and never used."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from consumers.audit.entry import AuditRow, Exchange
from consumers.audit.reads import Reads
from consumers.audit.store import PostgresAudit
from orchestrator.database import connect
from orchestrator.messaging.kafka import in_thread

ROOT = Path(__file__).parents[3]
NOW = datetime.now(UTC)


def row(system: str, agent: str, action: str, **changes: Any) -> AuditRow:
    told = Exchange(changes.pop("endpoint", "POST http://x"), 1.0, status=200, credential=changes.pop("credential", ""),
                    error=changes.pop("error", None))  # fmt: skip
    fields = {"at": NOW, "saga_id": UUID(int=1), "step": "s", "direction": "do", "attempt": 1, "send": 1, **changes}
    return AuditRow(system, 0, agent=agent, action=action, exchange=told, **fields)


async def written(url: str) -> None:
    engine = connect(url)
    audit = PostgresAudit(engine, in_thread())
    key = "api_key env:STRIPE_API_KEY"
    await audit.add([
        row("erp", "buyer", "create_vendor"), row("erp", "buyer", "create_vendor", send=2, error="HTTP_503"),
        row("erp", "buyer", "create_vendor", attempt=2), row("erp", "ops", "create_vendor", endpoint="BY HAND"),
        row("erp", "old", "reverse_invoice", at=NOW - timedelta(days=30)),
    ])  # fmt: skip
    await audit.add([row("stripe", "seller", "create_customer", credential=key)])
    await audit.add([row("@looks", "eve", "unredacted", endpoint="saga show")])
    reads = Reads()
    reads.tell("salesforce", "env:SALESFORCE_USER", "v1", None)
    reads.tell("stripe", "env:STRIPE_API_KEY", "", "SECRET_UNAVAILABLE")
    await reads.write(audit)
    engine.dispose()


def report(url: str, *arguments: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
    env = {**kept, "PYTHONPATH": str(ROOT), "SAGA_DATABASE_URL": url, "SAGA_READY_SYSTEMS": "stripe,salesforce"}
    argv = [sys.executable, "-m", "orchestrator.cli.main", "access", "report", *arguments]
    return subprocess.run(argv, check=True, env=env, text=True, capture_output=True, timeout=60).stdout


def test_who_used_what_and_what_nobody_used(migrated_url: str) -> None:
    asyncio.run(written(migrated_url))
    (found,) = json.loads(report(migrated_url, "-o", "json"))
    used = [(u["agent"], u["system"], u["action"], u["credential"], u["calls"], u["failed"]) for u in found["used"]]
    assert used == [
        ("buyer", "erp", "create_vendor", "", 2, 1),
        ("old", "erp", "reverse_invoice", "", 1, 0),
        ("seller", "stripe", "create_customer", "api_key env:STRIPE_API_KEY", 1, 0),
    ]
    unused = {(u["system"], u["action"]) for u in found["unused"]}
    assert ("erp", "create_vendor") not in unused
    assert {("erp", "deactivate_vendor"), ("mail", "send_welcome_email"), ("stripe", "delete_customer")} <= unused
    secrets = {(s["system"], s["reference"], s["version"], s["reads"], s["failed"]) for s in found["secrets"]}
    assert secrets == {
        ("salesforce", "env:SALESFORCE_USER", "v1", 1, 0), ("stripe", "env:STRIPE_API_KEY", "", 0, 1),
    }  # fmt: skip
    assert [(u["system"], u["reference"]) for u in found["unused_secrets"]] == [
        ("salesforce", "env:SALESFORCE_CLIENT_ID"), ("salesforce", "file:/run/secrets/salesforce.pem"),
        ("stripe", "env:STRIPE_API_KEY"),
    ]  # fmt: skip


def test_since_some_time_and_for_people(migrated_url: str) -> None:
    asyncio.run(written(migrated_url))
    (found,) = json.loads(report(migrated_url, "--since", "7d", "-o", "json"))
    assert {u["agent"] for u in found["used"]} == {"buyer", "seller"}
    assert ("erp", "reverse_invoice") in {(u["system"], u["action"]) for u in found["unused"]}
    text = report(migrated_url)
    for part in ("secrets that nobody read", "what nobody used", "env:SALESFORCE_USER", "buyer"):
        assert part in text
