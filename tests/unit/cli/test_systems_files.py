"""`saga systems show, check, call, scaffold` and `saga tools export`, as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from jsonschema import Draft202012Validator

from consumers.catalogue import FILES

Saga = Callable[..., subprocess.CompletedProcess[str]]
VENDOR = [
    "vendor_name=Müller",
    "vendor_type=SUPPLIER",
    "tax_id=DE1234",
    "payment_terms=NET_30",
    "primary_contact_email=a@b.de",
]
SET = [part for value in VENDOR for part in ("--set", value)]


@pytest.fixture
def saga(tmp_path: Path) -> Saga:
    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
        command = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
        environment = {**clean, "PYTHONPATH": str(Path.cwd()), **settings}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture
def shop() -> str:
    return (Path(__file__).parents[1] / "integrations" / "shop.yaml").read_text()


class _Erp(BaseHTTPRequestHandler):
    asked: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self._answer(404)

    def do_POST(self) -> None:
        self._answer(201)

    def _answer(self, status: int) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.asked.append((self.command, self.path))
        body = b'{"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00Z"}'
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def erp() -> Iterator[str]:
    _Erp.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Erp)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_check_takes_what_ships(saga: Saga) -> None:
    done = saga("systems", "check")
    assert (done.returncode, done.stdout) == (0, "")
    assert {line.split()[1] for line in done.stderr.splitlines()} >= set(FILES)


def test_check_tells_file_line_and_field(saga: Saga, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("name: shop\ntier: cloud\nactions: {}\n")
    done = saga("systems", "check", "shop.yaml")
    assert done.returncode == 1
    assert "shop.yaml:2: tier: input should be 'api'" in done.stdout
    rows = json.loads(saga("systems", "check", "shop.yaml", "-o", "json").stdout)
    assert {"file": "shop.yaml", "line": 1, "field": "protocol", "message": "is missing"} in rows


def test_check_sees_a_contract_that_is_not_in_schemas(saga: Saga, tmp_path: Path, shop: str) -> None:
    (tmp_path / "shop.yaml").write_text(shop)
    done = saga("systems", "check", "shop.yaml")
    assert done.returncode == 1
    assert "shop.yaml:9: actions.create_order.command: is not in schemas/commands/shop_create_order.avsc" in done.stdout


def test_check_of_what_is_not_there(saga: Saga) -> None:
    assert saga("systems", "check", "nobody").returncode == 3
    assert saga("systems", "check", "nobody.yaml").returncode == 1


def test_check_live_asks_the_base_url(saga: Saga, erp: str) -> None:
    done = saga("systems", "check", "erp", "--live", SAGA_SYSTEM_URLS__ERP=erp)
    assert (done.returncode, _Erp.asked) == (0, [("GET", "/")])
    assert "ok erp: HTTP 404" in done.stderr
    done = saga("systems", "check", "erp", "--live", SAGA_SYSTEM_URLS__ERP="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "ConnectError" in done.stdout
    done = saga("systems", "check", "erp", "--live")
    assert "SAGA_SYSTEM_URLS__ERP is not set" in done.stdout


def test_a_wrong_file_of_this_installation_is_a_wrong_setting(saga: Saga, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "shop.yaml").write_text("name: shop\n")
    done = saga("systems", "show", "erp", SAGA_SYSTEM_FOLDERS=str(tmp_path / "more"))
    assert done.returncode == 2
    assert "shop.yaml:1: tier: is missing" in done.stderr


def test_a_ready_system_is_run_where_it_is_named(saga: Saga) -> None:
    assert "not run here" in saga("systems", "show", "stripe").stdout
    (found,) = json.loads(saga("systems", "show", "stripe", "-o", "json", SAGA_READY_SYSTEMS="stripe").stdout)
    assert found["active"] is True
    assert saga("systems", "show", "stripe", SAGA_READY_SYSTEMS="strips").returncode == 2


def test_a_dry_run_names_the_secret_and_does_not_show_it(saga: Saga) -> None:
    call = ["stripe", "delete_customer", "--set", "customer_id=cus_1/../x", "--dry-run", "-o", "json"]
    done = saga("systems", "call", *call, STRIPE_API_KEY="hunter2")
    (request,) = json.loads(done.stdout)
    assert request["url"] == "https://api.stripe.com/v1/customers/cus_1%2F..%2Fx"
    assert request["headers"]["Authorization"] == "Bearer <env:STRIPE_API_KEY>"
    assert "hunter2" not in done.stdout + done.stderr


def test_show(saga: Saga) -> None:
    (found,) = json.loads(saga("systems", "show", "suppliers", "-o", "json").stdout)
    assert found["actions"][0]["name"] == "approve"
    assert found["actions"][0]["compensation"] == "revoke"
    assert "queryable, can be asked" in saga("systems", "show", "suppliers").stdout
    assert saga("systems", "show", "nobody").returncode == 3
    settings = {
        "SAGA_SYSTEM_OPTIONS__SUPPLIERS__MODE": "canary 5%",
        "SAGA_SYSTEM_OPTIONS__SUPPLIERS__MODE_REVOKE": "live",
    }
    (found,) = json.loads(saga("systems", "show", "suppliers", "-o", "json", **settings).stdout)
    assert {action["name"]: action["mode"] for action in found["actions"]} == {
        "approve": "canary 5 %",
        "revoke": "live",
    }


def test_a_dry_run_shows_the_request_without_passwords_and_sends_nothing(
    saga: Saga, erp: str, migrated_url: str
) -> None:
    url = erp.replace("http://", "http://ada:hunter2@")
    done = saga("systems", "call", "erp", "create_vendor", *SET, "--dry-run", "-o", "json", SAGA_SYSTEM_URLS__ERP=url)
    (request,) = json.loads(done.stdout)
    assert (request["method"], request["url"]) == ("POST", f"{erp}/vendors")
    assert request["body"]["vendor_name"] == "[redacted]"
    whole = ["systems", "call", "erp", "create_vendor", *SET, "--dry-run", "-o", "json", "--unredacted"]
    assert saga(*whole, SAGA_SYSTEM_URLS__ERP=url).returncode == 2
    told = saga(*whole, "--reason", "test", SAGA_SYSTEM_URLS__ERP=url, SAGA_DATABASE_URL=migrated_url)
    assert json.loads(told.stdout)[0]["body"]["vendor_name"] == "Müller"
    assert "hunter2" not in done.stdout + done.stderr
    assert _Erp.asked == []


def test_a_call_needs_a_reason_and_a_yes(saga: Saga, erp: str, migrated_url: str) -> None:
    call = ["systems", "call", "erp", "create_vendor", *SET]
    assert saga(*call, SAGA_SYSTEM_URLS__ERP=erp).returncode == 2
    assert saga(*call, "--reason", "test", SAGA_SYSTEM_URLS__ERP=erp).returncode == 6
    assert _Erp.asked == []
    yes = [*call, "--reason", "test", "--yes", "-o", "json"]
    assert saga(*yes, SAGA_SYSTEM_URLS__ERP=erp, SAGA_DATABASE_URL="postgresql://127.0.0.1:9/x").returncode == 1
    assert _Erp.asked == [], "what cannot be written down is not called"
    done = saga(*yes, SAGA_SYSTEM_URLS__ERP=erp, SAGA_DATABASE_URL=migrated_url)
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)
    assert result == {"outcome": "succeeded", "output": {"vendor_id": "V-1", "created_at": "2026-01-01T00:00:00Z"}}
    assert _Erp.asked == [("POST", "/vendors")]
    assert "system.called_by_hand" in done.stderr


def test_a_call_that_did_not_succeed_fails(saga: Saga, migrated_url: str) -> None:
    call = ["systems", "call", "erp", "create_vendor", *SET, "--reason", "test", "--yes", "-o", "json"]
    done = saga(*call, SAGA_SYSTEM_URLS__ERP="http://127.0.0.1:9", SAGA_DATABASE_URL=migrated_url)
    assert done.returncode == 1
    (result,) = json.loads(done.stdout)
    assert (result["outcome"], result["code"]) == ("failed", "CANNOT_CONNECT")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["erp", "create_vendor", "--set", "x=1"], 2),
        (["erp", "create_vendor", "--set", "x"], 2),
        (["erp", "create_vendors"], 3),
        (["nobody", "create_vendor"], 3),
    ],
)
def test_a_call_of_what_there_is_not(arguments: list[str], code: int, saga: Saga) -> None:
    done = saga("systems", "call", *arguments, "--dry-run", "-o", "json", SAGA_SYSTEM_URLS__ERP="http://erp")
    assert done.returncode == code
    assert json.loads(done.stderr)["retryable"] is False


def test_tools_are_json_schema(saga: Saga) -> None:
    tools = {tool["name"]: tool for tool in json.loads(saga("tools", "export").stdout)}
    assert {"vendor-onboarding", "erp.create_vendor", "suppliers.revoke", "mail.send_welcome_email"} <= set(tools)
    for tool in tools.values():
        for part in ("parameters", "returns"):
            Draft202012Validator.check_schema(tool[part])
    create, revoke = tools["erp.create_vendor"], tools["suppliers.revoke"]
    assert create["annotations"] == {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True}
    assert revoke["annotations"]["destructiveHint"] is True
    assert create["errors"]["DUPLICATE_TAX_ID"] == "rejected"
    good = dict(value.split("=") for value in VENDOR)
    validator = Draft202012Validator(create["parameters"])
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "vendor_type": "FRIEND"})
    assert not validator.is_valid({**good, "more": 1})


def test_a_scaffold_out_of_a_wsdl_lacks_nothing_but_its_contracts(saga: Saga, tmp_path: Path) -> None:
    servers = Path(__file__).parents[2] / "integration/consumers/protocols/servers"
    (tmp_path / "erp.wsdl").write_bytes((servers / "erp_soap/erp.wsdl").read_bytes())
    made = saga("systems", "scaffold", "--wsdl", "erp.wsdl", "--name", "shop")
    assert made.returncode == 0
    (tmp_path / "shop.yaml").write_text(made.stdout)
    problems = json.loads(saga("systems", "check", "shop.yaml", "-o", "json").stdout)
    assert problems
    assert all("is not in schemas/" in problem["message"] for problem in problems), problems
    assert saga("systems", "scaffold", "--name", "shop").returncode == 2
    assert saga("systems", "scaffold", "--wsdl", "none.wsdl", "--name", "shop").returncode == 3
