"""What waits for a person, and who is at it, by the commands that operators use."""

from __future__ import annotations

from typing import Any

from uuid_utils.compat import uuid7

WHY = ("--reason", "the ERP has let go")


async def test_a_claim_keeps_others_from_deciding_until_the_saga_moves_on(engine: Any, saga: Any, parked: Any) -> None:
    engine.start()
    saga_id = str(await parked())
    (made,) = await saga.rows("review", "claim", saga_id, "--actor", "ada", "--note", "I call [them]")
    await saga("review", "claim", saga_id, "--actor", "ada")
    refused = await saga("review", "claim", saga_id, "--actor", "bob", code=4)
    assert "claimed by ada since 20" in refused
    assert "(I call [them])" in refused
    for command in ("attention", "review list", f"review show {saga_id}"):
        (row,) = await saga.rows(*command.split())
        assert row["claim"] == made["claim"]
        assert "ada" in await saga(*command.split())

    decide = ("review", "decide", saga_id)
    assert "claimed by ada" in await saga(*decide, "retry", *WHY, "--actor", "bob", code=4)
    assert engine.queries.one(saga_id).state.revision == made["revision"], "nothing was sent"
    # Who looks at what would be does not take over; who decides does, and is refused like anybody by the saga.
    await saga(*decide, "retry", *WHY, "--actor", "bob", "--take-over", "--dry-run")
    await saga(*decide, "skip", *WHY, "--actor", "bob", "--take-over", "--if-version", "1", "--yes", code=4)
    (row,) = await saga.rows("review", "list")
    assert row["claim"] is None, "the refusal is an entry of the journal: the saga has another revision"

    await saga("review", "claim", saga_id, "--actor", "ada")
    await saga("review", "release", saga_id, "--actor", "bob", code=4)
    await saga("review", "release", saga_id, "--actor", "bob", "--take-over")
    await saga("review", "release", saga_id, "--actor", "bob")
    await saga("review", "claim", saga_id, "--actor", "ada")
    assert "retry by ada" in await saga(*decide, "retry", *WHY, "--actor", "ada")
    await engine.until(lambda: engine.queries.one(saga_id).state.terminal)
    assert "compensated" in await saga("review", "claim", saga_id, "--actor", "ada", code=4)


async def test_a_command_that_asks_for_no_claim_says_whose_it_is(engine: Any, saga: Any, parked: Any) -> None:
    engine.start()
    saga_id = str(await parked())
    await saga("review", "claim", saga_id, "--actor", "ada")
    assert "retry by bob" in await saga("retry", saga_id, *WHY, "--actor", "bob")
    assert "claimed by ada" in saga.said.replace("\n", " ")


async def test_claims_of_nothing_are_refused(engine: Any, saga: Any) -> None:
    engine.start(consumers=False)
    for words in (("review", "claim"), ("review", "release")):
        await saga(*words, "garbage", code=2)
        await saga(*words, str(uuid7()), code=3)
    await saga("review", "decide", "garbage", "retry", *WHY, code=2)
    await saga("review", "decide", str(uuid7()), "retry", *WHY, code=3)
    await saga("review", "claim", str(uuid7()), "--note", "a\nb", code=2)
    await saga("review", "claim", str(uuid7()), "--actor", " ", code=2)
