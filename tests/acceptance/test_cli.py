"""The command line as an operator uses it, on a running stack: what is printed, where, and how it exits."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.dev.brokers import real_kind
from orchestrator.dev.stack import Stack, StackOptions
from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
Make = Callable[[int], list[VendorOnboardingRequested]]


@dataclass(frozen=True)
class Cli:
    """`saga` in a process of its own, with the settings of the stack."""

    environment: dict[str, str]
    folder: Path

    def __call__(self, *arguments: str, code: int | None = 0, stdin: str | None = None, **settings: str) -> Any:
        kept = {n: v for n, v in os.environ.items() if not n.startswith("SAGA_")}
        env = {**kept, **self.environment, **settings, "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
        done = subprocess.run(
            argv, check=False, env=env, cwd=self.folder, text=True, capture_output=True, input=stdin, timeout=100
        )
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*arguments, "-o", "jsonl").stdout.splitlines()]

    def publish(self, vendors: list[VendorOnboardingRequested], **options: Any) -> list[str]:
        text = "\n".join(vendor.model_dump_json() for vendor in vendors)
        found = self("publish", "vendor-onboarding", "--file", "-", "-o", "jsonl", stdin=text, **options)
        return [json.loads(line)["id"] for line in found.stdout.splitlines()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(StackOptions(real_kind(), tmp_path_factory.mktemp("stack"), fsync=False)) as found:
        yield found


@pytest.fixture
def saga(stack: Stack, tmp_path: Path) -> Cli:
    return Cli(stack.environment(), tmp_path)


def test_a_saga_from_the_file_to_its_end(saga: Cli, make_vendors: Make) -> None:
    vendors = make_vendors(7)
    ids = saga.publish([vendors[0], vendors[6]])  # the second is under sanctions
    assert len(ids) == 2

    shown = saga("show", ids[0], "--watch")
    assert "vendor-onboarding v1  completed" in shown.stdout
    assert shown.stderr == ""
    for step in ("erp-vendor", "portal-account", "welcome-email", "approved-supplier"):
        assert f"✓ do of {step}, attempt 1" in shown.stdout

    undone = saga("show", ids[1], "--watch", code=1)  # it exits with the outcome
    assert "rejected, SANCTIONED" in undone.stdout
    assert "✝ dead letter in vendor-onboarding.requests.dlq" in undone.stdout

    (data,) = saga.rows("show", ids[1])
    assert data["compensations"] == ["welcome-email", "portal-account", "erp-vendor"]
    assert data["request"]["tax_id"] == data["business_key"] == "…0007"
    assert data["request"]["vendor_name"] == data["request"]["primary_contact_email"] == "[redacted]"
    saga("show", ids[1], "--unredacted", code=2)  # and why?
    (whole,) = saga.rows("show", ids[1], "--unredacted", "--reason", "a test")
    assert whole["request"]["tax_id"] == whole["business_key"] == "XX00000007"
    (look,) = saga.rows("audit", "search", "--system", "@looks", "--saga", ids[1])
    assert (look["endpoint"], look["request"]) == ("saga show", '{"reason":"a test"}')
    assert [row["kind"] for row in data["timeline"]] == ["request"] + ["completion"] * 8
    assert data["timeline"][0]["sent"] == [
        {
            "topic": "erp.commands",
            "type": "saga.erp.CreateVendor",
            "step": "erp-vendor",
            "direction": "do",
            "attempt": 1,
        }
    ]

    (found,) = saga.rows("list", "--key", "XX00000007")
    assert (found["id"], found["status"], found["error"]) == (ids[1], "compensated", "SANCTIONED")
    assert ids[1] not in {row["id"] for row in saga.rows("list", "--status", "completed")}
    assert saga.rows("list", "--agent", "nobody") == []
    assert {row["id"] for row in saga.rows("list", "--since", "1h")} >= set(ids)
    assert len(saga.rows("list", "--limit", "1")) == 1
    line = next(line for line in saga("list").stdout.splitlines() if line.startswith(ids[1]))
    assert "compensated" in line
    assert "…0007" in line
    doctor = saga("doctor")
    assert "FAIL" not in doctor.stdout


CSV = [
    "vendor_name",
    "vendor_type",
    "tax_id",
    "payment_terms",
    "primary_contact_name",
    "primary_contact_email",
    "category",
]


def _csv(*rows: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([CSV, *rows])
    return text.getvalue()


def test_bad_rows_are_listed_and_good_ones_sent_only_on_demand(saga: Cli, tmp_path: Path) -> None:
    good = ["Bolt AG", "SUPPLIER", "CH111111111", "NET_30", "Ada", "ada@bolt.example", "bolts"]
    file = tmp_path / "vendors.csv"
    file.write_text(
        _csv(good, [*good[:2], "CH222222222", *good[3:5], "no address", "x"], [*good[:2], "CH111111111", *good[3:]]),
        encoding="utf-8",
    )
    before = len(saga.rows("list", "--limit", "1000"))
    refused = saga("publish", "vendor-onboarding", "--file", str(file), code=2)
    assert refused.stdout == ""
    assert "line 3: primary_contact_email" in refused.stderr
    assert "line 4: 'CH111111111' stands in line 2 already" in refused.stderr
    assert "nothing was sent" in refused.stderr
    assert len(saga.rows("list", "--limit", "1000")) == before

    partly = saga("publish", "vendor-onboarding", "--file", str(file), "--keep-going", code=5)
    (sent,) = partly.stdout.split()
    assert "completed" in saga("show", sent, "--watch").stdout


def test_the_invoice_saga_is_one_step(saga: Cli, stack: Stack) -> None:
    invoice = {
        "vendor_tax_id": "DE123456789", "invoice_number": "R-1", "amount": "99.90", "currency": "EUR",
        "issued_on": "2026-11-24", "due_on": "2026-12-24",
    }  # fmt: skip
    sent = saga("publish", "invoice-processing", "--file", "-", stdin=json.dumps(invoice)).stdout.strip()
    saga("show", sent, "--watch")
    (data,) = saga.rows("show", sent)
    assert data["outputs"]["erp-invoice"]["invoice_id"].startswith("INV-")
    assert [step["name"] for step in data["steps"]] == ["erp-invoice"]


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (["show", "01a20c27-a458-760a-89fd-e0c205b103fe"], 3, "NOT_FOUND"),
        (["show", "nonsense"], 2, "USAGE"),
        (["publish", "no-such-saga", "--file", "-"], 3, "UNKNOWN_DEFINITION"),
        (["publish", "vendor-onboarding", "--file", "missing.csv"], 2, "UNREADABLE"),
        (["list", "--since", "yesterday"], 2, "USAGE"),
    ],
)
def test_errors_have_a_code_for_people_and_for_scripts(saga: Cli, arguments: list[str], code: int, name: str) -> None:
    text = saga(*arguments, code=code, stdin="")
    assert text.stdout == ""
    assert text.stderr.startswith(name)
    data = json.loads(saga(*arguments, "-o", "json", code=code, stdin="").stderr)
    assert set(data) == {"code", "message", "retryable"}
    assert data["code"] == name


@pytest.mark.parametrize(
    ("variable", "value", "command", "told"),
    [
        ("SAGA_BATCH_SIZE", "many", ["list"], "SAGA_BATCH_SIZE"),
        ("SAGA_DATABASE_URL", "mysql://x", ["coordinator"], "SAGA_DATABASE_URL"),
        ("SAGA_CATALOGUE", "nowhere:AT_ALL", ["coordinator"], "SAGA_CATALOGUE"),
        ("SAGA_SYSTEMS", "consumers.catalogue", ["consumer", "erp"], "SAGA_SYSTEMS"),
        ("SAGA_LOG_LEVEL", "LOUD", ["coordinator"], "SAGA_LOG_LEVEL"),
        ("SAGA_HEALTH_ADDRESS", "nine", ["coordinator"], "SAGA_HEALTH_ADDRESS"),
        ("SAGA_KAFKA__ENABLE__AUTO__COMMIT", "true", ["coordinator"], "enable.auto.commit"),
    ],
)
def test_a_wrong_setting_names_itself_and_nothing_starts(
    saga: Cli, variable: str, value: str, command: list[str], told: str
) -> None:
    found = saga(*command, code=None, **{variable: value})
    assert found.returncode in (1, 2)
    assert told in found.stderr
    assert "Traceback" not in found.stderr
    assert "started" not in found.stderr


def test_the_doctor_says_what_to_do(saga: Cli) -> None:
    sick = saga(
        "doctor", code=1, SAGA_KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1", SAGA_DATABASE_URL="postgresql://x:y@127.0.0.1:1/z"
    )
    assert "FAIL database" in sick.stdout
    assert "FAIL kafka" in sick.stdout
    assert "saga db migrate" in sick.stdout
    assert "y@" not in sick.stdout + sick.stderr  # no password
    data = json.loads(saga("doctor", "-o", "json", code=1, SAGA_DATABASE_URL="postgresql://127.0.0.1:1/z").stdout)
    assert {finding["level"] for finding in data} == {"ok", "error"}


def test_preparing_twice_is_preparing_once(saga: Cli) -> None:
    saga("db", "migrate")
    assert "0 topics made" in saga("topics", "create").stderr
    assert "compatible" in saga("schemas", "check").stderr
    assert "SAGA_SCHEMA_REGISTRY_URL is not set" in saga("schemas", "register", code=2).stderr
    assert "need 3 partitions" in saga("topics", "create", code=1, SAGA_PARTITIONS="3").stderr


CHANGED = """
from sagas.vendor_onboarding import vendor_onboarding
from orchestrator.core.definition import Saga

CATALOGUE = [Saga(
    vendor_onboarding.name, vendor_onboarding.version, vendor_onboarding.request, list(vendor_onboarding.steps)[:2],
)]
"""


def test_a_definition_that_changed_without_a_new_version_is_refused_at_start(saga: Cli, tmp_path: Path) -> None:
    # A module of the folder one stands in, as users have theirs.
    (tmp_path / "mine.py").write_text(CHANGED)
    refused = saga("coordinator", code=1, SAGA_CATALOGUE="mine:CATALOGUE")
    assert "DefinitionChanged" in refused.stderr
    assert "give it a new version" in refused.stderr
