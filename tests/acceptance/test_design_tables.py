"""The two tables of design §6, row by row, on real Kafka and PostgreSQL with the sandbox's systems.

One stack for all of them. Each test has a vendor of its own, and orders faults that strike nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from orchestrator import Agent
from orchestrator.core.state import EffectStatus, Status
from orchestrator.store.queries import Filter
from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(300)]

WHY = ("--reason", "row of the table", "--yes")
REFUSED = {"fault": "error", "status": 409, "code": "TRANSIENT_ERROR"}
DO = ["erp.create_vendor", "portal.create_account", "mail.send_welcome_email", "suppliers.approve"]


@pytest.fixture(scope="module")
def world(make_shared_world: Callable[..., Any]) -> Iterator[Any]:
    folder = str(Path(__file__).parent)
    catalogue = {"SAGA_CATALOGUE": "pivoted_sagas:CATALOGUE"}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])]))
        for name, value in catalogue.items():
            patch.setenv(name, value)
        yield make_shared_world(settings=catalogue)


_NUMBERS = iter(range(1000, 10_000))


def new_vendor(**changes: str) -> VendorOnboardingRequested:
    number = next(_NUMBERS)
    fields = {
        "vendor_name": f"Vendor {number}", "vendor_type": "SUPPLIER", "tax_id": f"DE{number:08d}",
        "payment_terms": "NET_30", "primary_contact_name": "Ada",
        "primary_contact_email": f"ada{number}@vendors.example", "category": "bearings",
    }  # fmt: skip
    return VendorOnboardingRequested.model_validate({**fields, **changes})


async def ends(world: Any, vendor: VendorOnboardingRequested, definition: str | None = None) -> Any:
    """The vendor's saga once it has come to rest; all that there are are held against the ledger."""
    async with Agent("acceptance", world.settings) as agent:
        await agent.publish_all([vendor], definition=definition)
    rows = await world.at_rest([vendor.saga_id])
    world.check_against_the_ledger({row.id: row for row in world.queries.list(Filter(limit=1000))})
    return rows[vendor.saga_id]


def done(world: Any, saga_id: UUID) -> list[str]:
    return world.ledger().sequence(reference=str(saga_id))  # type: ignore[no-any-return]


def calls(world: Any, saga_id: UUID, system: str, action: str) -> int:
    return sum(line.reference == str(saga_id) for line in world.ledger().calls(system=system, action=action))


def letters(world: Any, *arguments: str) -> list[dict[str, Any]]:
    return json.loads(world.saga("dlq", "list", *arguments, "-o", "json"))  # type: ignore[no-any-return]


def replay(world: Any, letter: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    (row,) = json.loads(world.saga("dlq", "replay", letter, *WHY, *arguments, "-o", "json", code=code))
    return row  # type: ignore[no-any-return]


# -- what a completion means -----------------------------------------------------------------------------------------


async def test_succeeded_is_followed_by_the_next_step(world: Any) -> None:
    vendor = new_vendor()
    row = await ends(world, vendor)
    assert row.state.status is Status.COMPLETED
    assert done(world, vendor.saga_id) == DO
    assert set(row.state.steps["erp-vendor"].output.json) == {"vendor_id", "created_at"}


async def test_rejected_before_the_pivot_compensates(world: Any) -> None:
    vendor = new_vendor(tax_id="XX00000001")  # under sanctions
    row = await ends(world, vendor)
    assert (row.state.status, row.state.code) == (Status.COMPENSATED, "SANCTIONED")
    undone = ["mail.send_apology_email", "portal.close_account", "erp.deactivate_vendor"]
    assert done(world, vendor.saga_id) == [*DO[:3], *undone]
    pivoted = new_vendor(tax_id="XX00000002")
    assert (await ends(world, pivoted, "pivoted")).state.status is Status.COMPENSATED
    assert done(world, pivoted.saga_id) == ["erp.create_vendor", "erp.deactivate_vendor"]


async def test_rejected_after_the_pivot_waits_for_a_person(world: Any) -> None:
    vendor = new_vendor()
    match = {"primary_contact_email": vendor.primary_contact_email}
    fault = {"fault": "error", "status": 409, "code": "EMAIL_IN_USE"}
    world.order_faults({"system": "portal", "action": "create_account", "match": match, **fault})
    row = await ends(world, vendor, "pivoted")
    assert row.state.status is Status.REVIEW
    assert [(park.step, park.code) for park in row.state.parks] == [("portal-account", "EMAIL_IN_USE")]
    assert done(world, vendor.saga_id) == ["erp.create_vendor", "suppliers.approve"], "nothing is undone"
    world.saga("compensate", str(vendor.saga_id), *WHY, code=4)
    world.order_faults()
    world.saga("retry", str(vendor.saga_id), *WHY)
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPLETED


async def test_failed_is_tried_again_by_policy(world: Any) -> None:
    vendor = new_vendor()
    # One more than the consumer tries in place.
    rule = {"system": "erp", "action": "create_vendor", "match": {"tax_id": vendor.tax_id}, "times": 4}
    world.order_faults({**rule, **REFUSED})
    row = await ends(world, vendor)
    assert (row.state.status, row.state.steps["erp-vendor"].do.attempt) == (Status.COMPLETED, 2)
    assert done(world, vendor.saga_id) == DO


async def test_failed_for_good_counts_as_rejected(world: Any) -> None:
    vendor = new_vendor()
    rule = {"system": "portal", "action": "create_account", "match": {"vendor_name": vendor.vendor_name}}
    world.order_faults({**rule, **REFUSED})
    row = await ends(world, vendor)
    assert (row.state.status, row.state.code) == (Status.COMPENSATED, "TRANSIENT_ERROR")
    assert row.state.steps["portal-account"].do.attempt == 4
    assert done(world, vendor.saga_id) == ["erp.create_vendor", "erp.deactivate_vendor"], (
        "what was not done is not undone"
    )


async def test_unknown_of_an_idempotent_system_is_asked_again_under_the_same_key(world: Any) -> None:
    vendor = new_vendor()
    rule = {"system": "erp", "action": "create_vendor", "match": {"tax_id": vendor.tax_id}}
    world.order_faults({**rule, "fault": "drop_answer", "times": 4})
    row = await ends(world, vendor)
    assert (row.state.status, row.state.steps["erp-vendor"].do.attempt) == (Status.COMPLETED, 2)
    assert done(world, vendor.saga_id) == DO, "one effect"
    asked = [line for line in world.ledger().calls(system="erp") if line.reference == str(vendor.saga_id)]
    assert len(asked) == 5
    assert len({line.key for line in asked}) == 1


async def test_unknown_of_a_blind_system_waits_for_a_person(world: Any) -> None:
    vendor = new_vendor()
    match = {"recipient": vendor.primary_contact_email}
    world.order_faults({"system": "mail", "action": "send_welcome_email", "match": match, "fault": "drop_answer"})
    row = await ends(world, vendor)
    assert row.state.status is Status.REVIEW
    assert [(park.step, park.code) for park in row.state.parks] == [("welcome-email", "OUTCOME_UNKNOWN")]
    assert done(world, vendor.saga_id) == DO[:3]
    assert calls(world, vendor.saga_id, "mail", "send_welcome_email") == 1, "asked once, and never again by itself"
    world.order_faults()
    world.saga("compensate", str(vendor.saga_id), *WHY)
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    undone = ["mail.send_apology_email", "portal.close_account", "erp.deactivate_vendor"]
    assert done(world, vendor.saga_id) == [*DO[:3], *undone], "this step included"


async def test_unknown_that_is_given_up_compensates_this_step_included(world: Any) -> None:
    vendor = new_vendor()
    rule = {"system": "suppliers", "match": {"tax_id": vendor.tax_id}}
    # Nor does the list answer when it is asked what became of it.
    world.order_faults(
        {**rule, "action": "approve", "fault": "drop_answer"}, {**rule, "action": "find_approval", "fault": "down"}
    )
    row = await ends(world, vendor)
    assert row.state.status is Status.COMPENSATED
    assert row.state.steps["approved-supplier"].do.status is EffectStatus.UNKNOWN
    assert calls(world, vendor.saga_id, "suppliers", "approve") == 1, "never again by hoping"
    undone = ["suppliers.revoke", "mail.send_apology_email", "portal.close_account", "erp.deactivate_vendor"]
    assert done(world, vendor.saga_id) == [*DO, *undone]


async def test_an_undo_that_fails_five_times_waits_for_a_person_who_resolves_it(world: Any) -> None:
    vendor = new_vendor(tax_id="XX00000004")  # under sanctions, and so undone
    saga = str(vendor.saga_id)
    world.order_faults({"system": "portal", "action": "close_account", "match": {"reference": saga}, **REFUSED})
    row = await ends(world, vendor, "stubborn")
    assert row.state.status is Status.REVIEW
    assert row.state.steps["portal-account"].undo.attempt == 5
    undone = ["mail.send_apology_email"]
    assert done(world, vendor.saga_id) == [*DO[:3], *undone], "what is older waits, too"
    shown = json.loads(world.saga("review", "show", saga, "-o", "json"))
    assert [(w["step"], w["direction"], w["code"]) for w in shown["waits_for"]] == [
        ("portal-account", "undo", "TRANSIENT_ERROR")
    ]
    plan = {entry["step"]: entry["state"] for entry in shown["undo_plan"]}
    assert plan == {"welcome-email": "undone", "portal-account": "failed", "erp-vendor": "possible"}
    shown = json.loads(world.saga("show", saga, "-o", "json"))
    attempts = [
        e["attempt"] for e in shown["timeline"] if e.get("direction") == "undo" and e["step"] == "portal-account"
    ]
    assert attempts == [1, 2, 3, 4, 5]
    assert shown["endings"] == {"portal-account": "residual", "welcome-email": "offset"}
    (letter,) = letters(world, "--saga", saga)
    assert letter["id"].startswith("portal.commands.dlq/")
    # Somebody closes the account in the portal, and says so.
    world.order_faults()
    vendor_id = row.state.steps["erp-vendor"].output.json["vendor_id"]
    url = f"{world.stack.urls['portal']}/accounts?vendor_id={vendor_id}&reference={saga}"
    await asyncio.to_thread(urllib.request.urlopen, urllib.request.Request(url, method="DELETE"))
    world.saga("resolve", saga, "--done", *WHY)
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    assert done(world, vendor.saga_id) == [*DO[:3], *undone, "portal.close_account", "erp.deactivate_vendor"]


async def test_a_saga_that_is_not_over_in_time_is_undone_once_what_is_in_flight_has_landed(world: Any) -> None:
    vendor = new_vendor()
    slow = {"fault": "slow", "seconds": 7, "times": 1}
    match = {"vendor_name": vendor.vendor_name}
    world.order_faults({"system": "portal", "action": "create_account", "match": match, **slow})
    row = await ends(world, vendor, "hasty")
    assert (row.state.status, row.state.failed_step, row.state.code) == (
        Status.COMPENSATED, "portal-account", "DEADLINE",
    )  # fmt: skip
    assert done(world, vendor.saga_id) == [*DO[:2], "portal.close_account", "erp.deactivate_vendor"]
    (letter,) = letters(world, "--saga", str(vendor.saga_id))
    assert letter["reason"] == "DEADLINE"


# -- what a dead letter's replay does --------------------------------------------------------------------------------


def _read(servers: str, topic: str) -> list[Any]:
    """All that is in a topic now."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "table", "enable.auto.commit": False})
    found = []
    try:
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            place = TopicPartition(topic, partition)
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            consumer.assign([TopicPartition(topic, partition, low)])
            for _ in range(high - low):
                message = consumer.poll(10)
                assert message is not None
                assert message.error() is None
                found.append(message)
    finally:
        consumer.close()
    return found


async def test_a_letter_that_cannot_be_read_is_published_again_to_its_topic(world: Any) -> None:
    servers, topic = world.settings.kafka_bootstrap_servers, "pivoted.requests"
    producer = Producer({"bootstrap.servers": servers})
    producer.produce(topic, value=b"no avro", key=b"k", headers=[("ce_id", b"1"), ("x-own", b"\xff")])
    assert producer.flush(20) == 0
    del producer
    found: list[dict[str, Any]] = []
    while not found:
        found = letters(world, "--topic", topic, "--reason-code", "missing-header")
    (letter,) = found
    assert letter["id"].startswith("pivoted.requests.dlq/")
    assert (letter["replay"], letter["saga_id"]) == ("publish again", None)
    sent = replay(world, letter["id"], code=5)
    assert (sent["topic"], sent["came_back"]) == (topic, True)
    # Another client puts the same key into another partition.
    found_again = [message for message in _read(servers, topic) if message.key() == b"k"]
    first, second = sorted(found_again, key=lambda message: len(message.headers()))
    assert (second.value(), second.key()) == (first.value(), first.key()) == (b"no avro", b"k")
    assert second.headers()[:2] == first.headers()
    (back,) = letters(world, "--topic", topic, "--reason-code", "missing-header")
    assert (back["id"] != letter["id"], back["replay_count"]) == (True, 1)
    world.saga("dlq", "discard", back["id"], *WHY)


async def test_the_letter_of_a_compensated_saga_starts_a_new_saga_linked_to_the_old_one(world: Any) -> None:
    vendor = new_vendor()
    match = {"primary_contact_email": vendor.primary_contact_email}
    fault = {"fault": "error", "status": 409, "code": "EMAIL_IN_USE"}
    world.order_faults({"system": "portal", "action": "create_account", "match": match, **fault})
    assert (await ends(world, vendor)).state.status is Status.COMPENSATED
    (letter,) = letters(world, "--saga", str(vendor.saga_id))
    assert letter["id"].startswith("vendor-onboarding.requests.dlq/")
    assert (letter["reason"], letter["step"], letter["replay"]) == ("EMAIL_IN_USE", "portal-account", "new saga")
    world.order_faults()
    new = UUID(replay(world, letter["id"])["saga_id"])
    assert new != vendor.saga_id
    rows = await world.at_rest([vendor.saga_id, new], final=True)
    assert (rows[new].state.status, rows[vendor.saga_id].state.status) == (Status.COMPLETED, Status.COMPENSATED)
    assert rows[new].state.request == rows[vendor.saga_id].state.request
    (request,) = [m for m in _read(world.settings.kafka_bootstrap_servers, "vendor-onboarding.requests")
                  if m.key() == str(new).encode()]  # fmt: skip
    assert dict(request.headers())["saga-replay-of"] == str(vendor.saga_id).encode()
    # Twice is once.
    assert UUID(replay(world, letter["id"], "--state", "replayed")["saga_id"]) == new
    assert done(world, new) == DO


async def test_the_letter_of_a_parked_saga_continues_that_saga_and_is_refused_once_it_has_moved_on(world: Any) -> None:
    vendor = new_vendor(tax_id="XX00000003")  # under sanctions, and so undone
    locked = {"fault": "error", "status": 422, "code": "LOCKED"}
    rule = {"system": "portal", "action": "close_account", **locked}
    world.order_faults(rule)
    row = await ends(world, vendor)
    assert row.state.status is Status.REVIEW
    (letter,) = letters(world, "--saga", str(vendor.saga_id))
    assert letter["id"].startswith("portal.commands.dlq/")
    assert (letter["version"], letter["replay"]) == (row.state.revision, "continue saga")
    # It moves on by somebody's decision, to no avail: the first letter is out of date, the next one is not.
    world.saga("retry", str(vendor.saga_id), *WHY)
    await world.at_rest([vendor.saga_id])
    assert replay(world, letter["id"], code=4)["code"] == "MOVED_ON"
    world.order_faults()
    (newest,) = [x for x in letters(world, "--saga", str(vendor.saga_id)) if x["id"] != letter["id"]]
    assert UUID(replay(world, newest["id"])["saga_id"]) == vendor.saga_id
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert row.state.status is Status.COMPENSATED
    assert done(world, vendor.saga_id)[-2:] == ["portal.close_account", "erp.deactivate_vendor"]


async def test_the_letter_of_a_saga_that_no_system_parked_lies_with_the_control_messages(world: Any) -> None:
    vendor = new_vendor(category="no category")  # for which the pivot cannot even be asked
    row = await ends(world, vendor, "pivoted")
    assert row.state.status is Status.REVIEW
    (letter,) = letters(world, "--saga", str(vendor.saga_id))
    assert letter["id"].startswith("saga.control.dlq/")
    assert (letter["reason"], letter["replay"]) == ("MAPPING_FAILED", "continue saga")
    sent = replay(world, letter["id"], code=5)
    assert (UUID(sent["saga_id"]), sent["came_back"]) == (vendor.saga_id, True), "its mapping is as it was"
    assert done(world, vendor.saga_id) == ["erp.create_vendor"]
    world.saga("compensate", str(vendor.saga_id), *WHY)
    (row,) = (await world.at_rest([vendor.saga_id], final=True)).values()
    assert done(world, vendor.saga_id) == ["erp.create_vendor", "erp.deactivate_vendor"]
