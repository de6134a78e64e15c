"""Leases, one flight, outages and rotations of secrets, on a store and a clock of the test's own."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import threading
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import capture_logs

from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.cache import Leases, Secrets
from consumers.connectors.secrets.rotating import Rotating
from consumers.connectors.secrets.secret import Secret
from consumers.connectors.secrets.source import Away, Document, Environment, Files, Gone, NoClient, client_module
from consumers.errors import Failed

ERP = Reference.parse("vault:kv/erp#password@previous")


class Store:
    """A store that keeps every version, counts how often it is asked, and can be slow, away or empty."""

    def __init__(self, *versions: str) -> None:
        self.versions = list(versions)
        self.reads = 0
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def read(self, name: str, *, previous: bool) -> Document:
        self.reads += 1
        self.gate.wait(30)
        if self.error is not None:
            raise self.error
        made = [
            Secret(json.dumps({"user": f"user of {text}", "password": text}), str(number))
            for number, text in enumerate(self.versions)
        ]
        return Document(made[-1], made[-2] if previous and len(made) > 1 else None)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Callable[..., Secrets]:
    def made(store: Store, **leases: float) -> Secrets:
        return Secrets({"vault": lambda: store}, leases=Leases(**leases), clock=clock, uniform=lambda low, high: high)

    return made


async def test_many_ask_and_the_store_is_asked_once_for_each_lease(make, clock):
    store = Store("hunter1")
    secrets = make(store)
    await asyncio.gather(*(secrets.read(ERP, who="erp") for _ in range(64)))
    clock.now += 299
    await secrets.read(ERP, who="erp")
    assert store.reads == 1
    clock.now += 2
    await asyncio.gather(*(secrets.read(ERP, who="erp") for _ in range(64)))
    assert store.reads == 2


async def test_the_first_waiter_may_be_cancelled_without_harm_to_the_others(make):
    store = Store("hunter1")
    store.gate.clear()
    secrets = make(store)
    waiters = [asyncio.create_task(secrets.read(ERP, who="erp")) for _ in range(5)]
    await asyncio.sleep(0.05)
    waiters[0].cancel()
    await asyncio.sleep(0)
    store.gate.set()
    found = await asyncio.gather(*waiters[1:])
    assert {pair.current.reveal() for pair in found} == {"hunter1"}
    assert store.reads == 1


async def test_a_rotation_is_seen_when_the_lease_ends(make, clock):
    store = Store("hunter1")
    secrets = make(store)
    assert (await secrets.read(ERP, who="erp")).previous is None
    store.versions.append("hunter2")
    assert (await secrets.read(ERP, who="erp")).current.reveal() == "hunter1"
    clock.now += 301
    pair = await secrets.read(ERP, who="erp")
    assert pair.previous is not None
    assert (pair.current.reveal(), pair.previous.reveal()) == ("hunter2", "hunter1")


async def test_the_old_value_serves_while_the_store_is_away_and_not_for_ever(make, clock):
    store = Store("hunter1")
    secrets = make(store, stale=600)
    await secrets.read(ERP, who="erp")
    store.error = Away("VaultDown")
    clock.now += 301
    with capture_logs() as logs:
        assert (await secrets.read(ERP, who="erp")).current.reveal() == "hunter1"
    assert [(e["event"], e["old_value_serves"]) for e in logs if e["log_level"] == "error"] == [
        ("secret.unavailable", True)
    ]
    reads = store.reads
    await secrets.read(ERP, who="erp")
    assert store.reads == reads  # not asked again at once
    clock.now += 700
    with pytest.raises(Failed, match="VaultDown") as refused:
        await secrets.read(ERP, who="erp")
    assert refused.value.code == "SECRET_UNAVAILABLE"
    store.error = None
    assert (await secrets.read(ERP, who="erp")).current.reveal() == "hunter1"


async def test_a_store_that_hangs_delays_a_caller_once(make, clock):
    store = Store("hunter1")
    secrets = make(store, patience=0.05, answer=0.05)
    await secrets.read(ERP, who="erp")
    store.gate.clear()
    clock.now += 301
    assert (await secrets.read(ERP, who="erp")).current.reveal() == "hunter1"
    assert (await secrets.read(ERP, who="erp")).current.reveal() == "hunter1"
    fresh = make(store, answer=0.05)
    with pytest.raises(Failed, match="no answer yet"):
        await fresh.read(ERP, who="erp")
    store.gate.set()
    await asyncio.gather(*secrets._flights.values(), *fresh._flights.values())


async def test_a_secret_that_vanished_is_used_no_more(make, clock):
    store = Store("hunter1")
    secrets = make(store)
    await secrets.read(ERP, who="erp")
    store.error = Gone("there is no such secret")
    clock.now += 301
    with pytest.raises(Failed, match="no such secret"):
        await secrets.read(ERP, who="erp")


async def test_a_clients_bug_shows_its_kind_and_not_its_text(make):
    store = Store("hunter1")
    store.error = RuntimeError("password=hunter1")
    with pytest.raises(Failed) as refused:
        await make(store).read(ERP, who="erp")
    assert "RuntimeError" in str(refused.value)
    assert "hunter1" not in repr(refused.value) + str(refused.value.__cause__) + str(refused.value.__context__)


@pytest.mark.parametrize("text", ["no json", "[1]", "{}", '{"password": 7}', '{"password": ""}', "[" * 100_000])
async def test_a_field_that_is_not_there_is_a_clear_failure(clock, text):
    class Plain:
        def read(self, name: str, *, previous: bool) -> Document:
            return Document(Secret(text, "1"))

    with pytest.raises(Failed) as refused:
        await Secrets({"vault": Plain}).read(ERP, who="erp")
    assert refused.value.code == "SECRET_UNAVAILABLE"
    assert str(ERP) in refused.value.message


async def test_a_refusal_asks_the_store_once_and_not_again_in_the_next_seconds(make, clock):
    store = Store("hunter1")
    secrets = make(store)
    version = (await secrets.read(ERP, who="erp")).current.version
    clock.now += 60
    await asyncio.gather(*(secrets.renewed(ERP, refused=version, who="erp") for _ in range(64)))
    await secrets.renewed(ERP, refused=version, who="erp")
    assert store.reads == 2
    clock.now += 6
    store.versions.append("hunter2")
    assert (await secrets.renewed(ERP, refused=version, who="erp")).current.reveal() == "hunter2"


async def test_both_values_are_tried_while_a_rotation_is_under_way(make, clock):
    store = Store("hunter1")
    rotating = Rotating(make(store), ERP, "erp")
    assert (await rotating.read()).reveal() == "hunter1"
    # The store has the new one before the system does.
    store.versions.append("hunter2")
    clock.now += 301
    new = await rotating.read()
    assert new.reveal() == "hunter2"
    assert all(await asyncio.gather(*(rotating.refused(new.version) for _ in range(64))))
    old = await rotating.read()
    assert old.reveal() == "hunter1"
    assert await rotating.beside(Reference.parse("vault:kv/erp#user"), old) == "user of hunter1"
    # Now the system has it too.
    assert await rotating.refused(old.version)
    assert (await rotating.read()).reveal() == "hunter2"
    assert await rotating.beside(Reference.parse("vault:kv/erp#user"), new) == "user of hunter2"


async def test_without_another_value_a_refusal_changes_nothing(make, clock):
    store = Store("hunter1")
    rotating = Rotating(make(store), ERP, "erp")
    assert not await rotating.refused((await rotating.read()).version)


async def test_each_access_is_told_with_version_and_user_and_without_the_value(make, clock):
    store = Store("hunter1")
    secrets = make(store)
    with capture_logs() as logs:
        for _ in range(3):
            await secrets.read(ERP, who="erp")
            await secrets.read(ERP, who="portal")
        clock.now += 301
        await secrets.read(ERP, who="erp")
    told = [(e["reference"], e["version"], e["who"]) for e in logs if e["event"] == "secret.read"]
    assert told == [(str(ERP), "0", "erp"), (str(ERP), "0", "portal"), (str(ERP), "0", "erp")]
    assert "hunter1" not in str(logs)


def test_a_secret_shows_nothing():
    secret = Secret("hunter1", "7")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", str([secret]), str(dir(secret))]
    assert not any("hunter1" in text for text in shown)
    for write in (pickle.dumps, lambda s: json.dumps({"a": s}), vars):
        with pytest.raises(TypeError):
            write(secret)
    assert copy.deepcopy([secret])[0] is secret
    assert secret == Secret("hunter1", "7") != Secret("hunter2", "7")
    with capture_logs() as logs:
        structlog.get_logger().info("x", secret=secret)
    assert "hunter1" not in str(logs)


def test_files_and_variables(tmp_path):
    path = tmp_path / "erp"
    path.write_text("new\n")
    (tmp_path / "erp.previous").write_text("old\n")
    both = Files().read(str(path), previous=True)
    assert both.previous is not None
    assert (both.current.reveal(), both.previous.reveal()) == ("new", "old")
    assert Files().read(str(path), previous=False).previous is None
    assert both.current.version != both.previous.version
    assert Files().read(str(path), previous=False).current.version == both.current.version
    env = Environment({"A": "new", "A_PREVIOUS": "old", "EMPTY": ""})
    assert env.read("A", previous=True).previous.reveal() == "old"
    for missing in (lambda: env.read("B", previous=True), lambda: env.read("EMPTY", previous=True)):
        with pytest.raises(Gone):
            missing()
    for content in (b"", b"\n", b"\xff\xfe", b"x" * 70_000):
        path.write_bytes(content)
        with pytest.raises(Gone):
            Files().read(str(path), previous=False)
    with pytest.raises(Away, match="IsADirectory"):
        Files().read(str(tmp_path), previous=False)


def test_a_client_that_is_not_installed_is_named_with_its_extra():
    with pytest.raises(NoClient, match=r"pip install 'saga-orchestrator\[vault\]'"):
        client_module("hvac_that_nobody_has", "vault")
