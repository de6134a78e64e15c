"""Letters that are mended, discarded, and taken to another cluster."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from orchestrator import Agent
from orchestrator.bootstrap import make_codec
from orchestrator.core.state import Status
from orchestrator.letters.desk import Desk
from orchestrator.letters.wanted import Filter
from schemas.models import VendorOnboardingRequested

Make = Callable[[int], VendorOnboardingRequested]
WHY = ("--reason", "the tax id was wrong")
WHOLE = ("--unredacted", *WHY)


@pytest.fixture
def invalid(wire: Any, settings: Any, make_vendor: Make) -> Callable[[], UUID]:
    """A request that breaks its contract, as a producer without our models sends it."""

    def send() -> UUID:
        saga_id = uuid7()
        bad = make_vendor(1).model_copy(update={"tax_id": "??", "vendor_name": "ACME"})
        headers = {
            "ce_id": "r1", "ce_source": "legacy", "ce_type": bad.contract.type, "ce_sagaid": str(saga_id), "x-own": "1",
        }  # fmt: skip
        pairs = [(name, value.encode()) for name, value in headers.items()]
        wire.send("vendor-onboarding.requests", make_codec(settings).encode(bad), pairs, str(saga_id).encode())
        return saga_id

    return send


async def one_letter(saga: Any, engine: Any, *arguments: str) -> dict[str, Any]:
    for _ in range(100):
        found = await saga.letters(*arguments)
        if found:
            return found[0]
        await engine.until(lambda: True)
    raise AssertionError("no letter")


async def test_an_invalid_request_is_mended_and_its_saga_completes(
    engine: Any, saga: Any, agent: Agent, systems: Any, invalid: Any, wire: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    engine.start()
    saga_id = invalid()
    letter = await one_letter(saga, engine)
    place = letter["id"]
    assert letter["reason"] == "invalid"
    (shown,) = await saga.rows("dlq", "show", place, *WHOLE)
    assert (shown["value"]["tax_id"], "tax_id" in shown["undecodable"]) == ("??", True)

    assert "tax_id" in await saga("dlq", "edit", place, *WHY, "--set", "vendor_name=B", code=2)
    await saga("dlq", "edit", place, *WHY, "--set", "no_such_field=1", "--set", "tax_id=DE123456", code=2)
    await saga("dlq", "edit", place, *WHY, "--set", "tax_id=DE999999")
    script = tmp_path / "editor.py"
    script.write_text(
        "import sys; p = sys.argv[1]; t = open(p).read(); open(p, 'w').write(t.replace('DE999999', 'DE123456'))"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    await saga("dlq", "edit", place, *WHY)
    (shown,) = await saga.rows("dlq", "show", place, *WHOLE)
    assert (shown["state"], shown["value"]["tax_id"]) == ("edited", "DE123456")
    assert [act["kind"] for act in shown["acts"]] == ["edited", "edited"]
    (shown,) = await saga.rows("dlq", "show", place, "--original", *WHOLE)
    assert shown["value"]["tax_id"] == "??"

    (sent,) = await saga.rows("dlq", "replay", place, *WHY)
    assert sent["now"] == f"saga {saga_id} is completed, revision 5"
    # An outsider's client puts a key into another partition.
    before, after = sorted((dict(m.headers()) for m in wire.read("vendor-onboarding.requests")), key=len)
    assert after["ce_id"] != before["ce_id"]
    assert after["saga-replay-of"] == b"r1"
    assert after["x-own"] == b"1"
    assert engine.sagas()[0].state.request.json["vendor_name"] == "ACME"
    await saga.rows("dlq", "replay", place, *WHY, "--state", "replayed")
    assert len(engine.sagas()) == 1
    assert "replayed already" in await saga("dlq", "edit", place, *WHY, "--set", "tax_id=DE1234567", code=4)


async def test_a_header_that_was_missing_is_set_and_what_makes_the_message_is_refused(
    engine: Any, saga: Any, wire: Any, make_vendor: Make, desk: Desk, tmp_path: Path
) -> None:
    engine.start()
    vendor = make_vendor(1)
    headers = [("ce_id", b"r1"), ("ce_source", b"legacy"), ("ce_sagaid", str(vendor.saga_id).encode()), ("x-old", b"1")]
    value = make_codec(engine.settings).encode(vendor)
    wire.send("vendor-onboarding.requests", value, headers, str(vendor.saga_id).encode())
    letter = await one_letter(saga, engine)
    place = letter["id"]
    assert letter["reason"] == "missing-header"
    edit = ("dlq", "edit", place, *WHY)
    assert "told from others" in await saga(*edit, "--set-header", "ce_id=r2", code=4)
    await saga(*edit, "--drop-header", "absent", code=2)
    await saga(*edit, "--set-header", "x=" + "y" * 2_000_000, code=2)
    await saga(*edit, "--set-header", f"ce_type={vendor.contract.type}")
    (done,) = await saga.rows(*edit, "--set-header", "ce_time=2026-01-01T00:00:00Z", "--drop-header", "x-old")
    edits = [["ce_time", "2026-01-01T00:00:00Z"], ["ce_type", vendor.contract.type], ["x-old", None]]
    assert done["header_edits"] == edits
    await saga("dlq", "edit", place, *WHY, "--set", "vendor_name=Mended")
    (shown,) = await saga.rows("dlq", "show", place, *WHOLE)
    assert (shown["state"], shown["header_edits"], shown["value"]["vendor_name"]) == ("edited", edits, "Mended")
    assert ["x-old", "1"] in shown["headers"], "the original stays"
    (shown,) = await saga.rows("dlq", "show", place, "--original", *WHOLE)
    assert (shown["header_edits"], shown["value"]["vendor_name"]) == ([], vendor.vendor_name)
    assert "dropped" in await saga("dlq", "show", place)

    # What was mended survives a rebuild of the projection, and goes to another cluster with the letter.
    await saga("dlq", "rebuild")
    file = tmp_path / "letters.jsonl"
    await saga("dlq", "export", place, "--file", str(file), *WHOLE)
    line = json.loads(file.read_text())
    file.write_text(json.dumps({**line, "cluster": "elsewhere"}))
    await saga("dlq", "import", str(file), *WHY, "--yes")
    (copy,) = [x for x in await saga.letters() if x["id"] != place]
    (shown,) = await saga.rows("dlq", "show", copy["id"], *WHOLE)
    assert (shown["state"], shown["header_edits"], shown["value"]["vendor_name"]) == ("edited", edits, "Mended")
    await saga("dlq", "discard", copy["id"], *WHY)

    (sent,) = await saga.rows("dlq", "replay", place, *WHY)
    assert sent["now"] == f"saga {vendor.saga_id} is completed, revision 5"
    _, message = sorted(wire.read("vendor-onboarding.requests"), key=lambda m: len(m.headers()))
    assert dict(message.headers()).items() >= {"saga-replay-of": b"r1", "ce_source": b"saga-dlq"}.items()
    assert "x-old" not in dict(message.headers())
    await saga.rows("dlq", "replay", place, *WHY, "--state", "replayed")
    assert len(engine.sagas()) == 1, "twice is once"


async def test_an_edit_of_a_compensated_saga_makes_another_new_saga(
    engine: Any, saga: Any, compensated: Any, agent: Agent
) -> None:
    engine.start()
    (old,) = await compensated(1)
    letter = await one_letter(saga, engine)
    (seen,) = await saga.rows("dlq", "replay", letter["id"], *WHY, "--dry-run")
    await saga("dlq", "edit", letter["id"], *WHY, "--set", "primary_contact_email=new@example.com")
    (sent,) = await saga.rows("dlq", "replay", letter["id"], *WHY)
    assert sent["saga_id"] not in (seen["saga_id"], str(old))
    row = engine.queries.one(UUID(sent["saga_id"]))
    assert row.state.status is Status.COMPLETED
    assert row.state.request.json["primary_contact_email"] == "new@example.com"
    assert row.state.agent == "tester"


async def test_a_parked_command_is_not_edited_and_discarding_asks(engine: Any, saga: Any, parked: Any) -> None:
    engine.start()
    await parked()
    letter = await one_letter(saga, engine)
    assert "parked" in await saga("dlq", "edit", letter["id"], *WHY, "--set", "x=1", code=4)
    await saga("dlq", "discard", "--all", *WHY, code=6, stdin="n\n")
    await saga("dlq", "discard", *WHY, code=2)
    assert len(await saga.letters()) == 1
    await saga("dlq", "discard", "--all", *WHY, "--yes", "--actor", "ada")
    assert await saga.letters() == []
    (shown,) = await saga.rows("dlq", "show", letter["id"])
    assert [(a["kind"], a["actor"], a["reason"]) for a in shown["acts"]] == [("discarded", "ada", WHY[1])]


async def test_letters_of_another_cluster_are_imported_once_and_replayed(
    engine: Any, saga: Any, compensated: Any, agent: Agent, desk: Desk, tmp_path: Path
) -> None:
    engine.start()
    await compensated(3)
    await engine.until(lambda: desk.refresh() >= 0 and desk.store.count(Filter()) == 3)
    first = await one_letter(saga, engine)
    await saga("dlq", "edit", first["id"], *WHY, "--set", "vendor_name=Mended")
    file = tmp_path / "letters.jsonl"
    await saga("dlq", "export", "--all", "--file", str(file))
    await saga("dlq", "import", str(file), *WHY, "--yes", code=2)  # what is redacted is only to be read
    await saga("dlq", "export", "--all", "--file", str(file), "--unredacted", code=2)  # and why?
    await saga("dlq", "export", "--all", "--file", str(file), *WHOLE)
    (report,) = await saga.rows("dlq", "import", str(file), *WHY, "--yes")
    assert report == {"sent": 0, "known": 3, "failed": 0}, "they lie here already"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert len(lines) == 3
    file.write_text("".join(json.dumps({**line, "cluster": "elsewhere"}) + "\n" for line in lines))

    (report,) = await saga.rows("dlq", "import", str(file), *WHY, "--yes")
    assert report == {"sent": 3, "known": 0, "failed": 0}
    (report,) = await saga.rows("dlq", "import", str(file), *WHY, "--yes")
    assert report == {"sent": 0, "known": 3, "failed": 0}
    desk.refresh()
    letters = desk.store.at(desk.store.in_order(Filter()))
    assert len(letters) == 6
    imported = [letter for letter in letters if letter.origin]
    assert sorted(letter.origin for letter in imported) == sorted(f"elsewhere/{line['id']}" for line in lines)
    assert [letter.state.value for letter in imported].count("edited") == 1
    rows = await saga.rows("dlq", "replay", *[str(letter.place) for letter in imported], *WHY, "--yes")
    assert all(row["now"].startswith(f"saga {row['saga_id']} is completed") for row in rows)
    assert len(engine.sagas()) == 6

    file.write_text("nonsense\n")
    await saga("dlq", "import", str(file), *WHY, "--yes", code=2)
    file.write_text(json.dumps({**lines[0], "cluster": "x", "topic": "nowhere.dlq"}))
    await saga("dlq", "import", str(file), *WHY, "--yes", code=5)
