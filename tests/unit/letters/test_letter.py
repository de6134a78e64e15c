"""What is read from a letter's headers, whoever wrote them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.letters.ids import edit_hash, event_id, identity_of, new_saga_id
from orchestrator.letters.letter import ORIGIN_HEADER, Place, Way, original_headers, read_letter
from orchestrator.messaging.message import Incoming
from orchestrator.store.partitions import time_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_letter_says_what_its_grave_said(make_letter: Any, saga_id: UUID) -> None:
    letter = make_letter(
        "erp.commands", b"v", {"step": "erp-vendor", "direction": "undo"},
        stage="saga", saga_id=saga_id, step="erp-vendor", version=7, attempts=3, reason="LOCKED",
    )  # fmt: skip
    assert (letter.reason, letter.step, letter.direction, letter.version, letter.attempts) == (
        "LOCKED", "erp-vendor", "undo", 7, 3,
    )  # fmt: skip
    assert (letter.system, letter.saga_id, letter.way, letter.place) == (
        "erp", saga_id, Way.RETRY, Place("erp.commands.dlq", 2, 9),
    )  # fmt: skip
    assert [name for name, _ in original_headers(letter.headers)][-1] == "content-type"


@pytest.mark.parametrize(
    ("topic", "stage", "way"),
    [
        ("vendor-onboarding.requests", "saga", Way.NEW_SAGA),
        ("vendor-onboarding.requests", "read", Way.AGAIN),
        ("vendor-onboarding.requests", "apply", Way.AGAIN),
        ("erp.commands", "saga", Way.RETRY),
        ("erp.commands", "read", Way.AGAIN),
        ("saga.control", "saga", Way.RETRY),
        ("saga.control", "read", Way.AGAIN),
        ("erp.completions", "apply", Way.AGAIN),
        ("saga.outcomes", "output", Way.AGAIN),
    ],
)
def test_each_row_of_the_table_is_told_by_topic_and_stage(
    make_letter: Any, saga_id: UUID, topic: str, stage: str, way: Way
) -> None:
    assert make_letter(topic, b"v", stage=stage, saga_id=saga_id).way is way


def test_what_a_producer_writes_under_our_names_is_not_believed() -> None:
    headers = (("saga-dlq-version", b"3"), ("__dlq.errors.topic", b"erp.commands"), ("saga-dlq-reason", b"R"))
    letter = read_letter(Incoming("erp.commands.dlq", 0, 0, None, b"", headers), NOW)
    assert (letter.version, letter.reason) == (None, "R")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["__dlq.errors.topic", "saga-dlq-reason", "saga-dlq-sagaid", "saga-dlq-failed-at", "ce_id",
                             "saga-dlq-version", "saga-replay-count", "saga-dlq-attempts", "x"]),
            st.none() | st.binary(max_size=30) | st.sampled_from([b"9" * 30, b"\xff", b"a\x00b"]),
        ),
        max_size=8,
    ),
    st.none() | st.binary(max_size=10),
)  # fmt: skip
def test_anything_at_all_can_be_read(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    letter = read_letter(Incoming("t.dlq", 0, 0, value, value, tuple(headers)), NOW)
    texts = [letter.reason, letter.message, letter.original_topic, letter.stage, letter.group]
    assert not any("\x00" in text for text in texts)
    assert letter.version is None or letter.version < 2**63
    assert letter.failed_at.tzinfo is not None


def test_a_copy_of_a_letter_is_the_same_letter_and_another_is_not(make_letter: Any, saga_id: UUID) -> None:
    facts = {"stage": "saga", "saga_id": saga_id, "version": 7}
    letter = make_letter("erp.commands", b"v", **facts)
    copy = read_letter(Incoming(letter.place.topic, 3, 99, letter.key, letter.value, letter.headers), NOW)
    assert copy.identity == letter.identity
    others = [
        make_letter("erp.commands", b"v", **{**facts, "version": 8}),
        make_letter("erp.commands", b"w", **facts),
        make_letter("mail.commands", b"v", **facts),
        make_letter("erp.commands", b"v"),
    ]
    assert len({letter.identity, *(other.identity for other in others)}) == 5
    imported = (*letter.headers, (ORIGIN_HEADER, b"c1/erp.commands.dlq/2@9"))
    assert read_letter(replace_headers(letter, imported), NOW).identity != letter.identity


def replace_headers(letter: Any, headers: Any) -> Incoming:
    return Incoming(letter.place.topic, 0, 1, letter.key, letter.value, headers)


def test_what_was_read_twice_and_given_up_twice_is_one_letter(make_letter: Any) -> None:
    first = make_letter("erp.completions", b"v", failed_at=NOW)
    second = make_letter("erp.completions", b"v", failed_at=NOW + timedelta(seconds=9))
    assert first.identity == second.identity


@pytest.mark.parametrize("text", ["a.dlq/0@5", "x-y.requests.dlq/12@123456789"])
def test_a_place_is_read_as_it_is_printed(text: str) -> None:
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize("text", ["", "a.dlq", "a.dlq/0", "a.dlq/x@1", "a.dlq/0@-1", "a b/0@1", "a/0@1 "])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="topic/partition@offset"):
        Place.parse(text)


@given(st.uuids(), st.timedeltas(timedelta(days=-400), timedelta(days=5)))
def test_the_id_of_a_new_saga_is_a_uuid7_that_the_coordinator_takes(identity: UUID, ago: timedelta) -> None:
    found = new_saga_id(identity, NOW + ago, NOW)
    made = time_of(found)
    assert made is not None
    assert NOW - timedelta(days=28) < made < NOW + timedelta(days=1)
    assert (found.version, found.variant) == (7, "specified in RFC 4122")


@given(st.uuids(), st.timedeltas(timedelta(days=-20), timedelta(hours=12)))
def test_a_letter_of_these_weeks_begins_the_same_saga_whenever_it_is_replayed(identity: UUID, ago: timedelta) -> None:
    first = new_saga_id(identity, NOW + ago, NOW)
    assert new_saga_id(identity, NOW + ago, NOW + timedelta(hours=20)) == first


def test_ids_differ_by_letter_edit_and_decision(make_letter: Any) -> None:
    one, two = identity_of(["a"]), identity_of(["b"])
    assert identity_of(["a", "b"]) != identity_of(["ab"])
    ids = {
        event_id(one, "retry", ""),
        event_id(two, "retry", ""),
        event_id(one, "retry", "not-done"),
        event_id(one, "edit"),
    }
    assert len(ids) == 4
    assert edit_hash(None) == ""
    assert edit_hash(b"") != edit_hash(b"x")
    assert new_saga_id(one, NOW, NOW, "") != new_saga_id(one, NOW, NOW, edit_hash(b"x"))


def test_a_letter_that_came_by_replays_says_how_many(make_letter: Any) -> None:
    letter = make_letter("erp.completions", b"v")
    headers = (
        *original_headers(letter.headers),
        ("saga-replay-count", b"3"),
        ("__dlq.errors.topic", b"erp.completions"),
    )
    again = read_letter(Incoming("erp.completions.dlq", 0, 0, b"k", b"v", headers), NOW)
    assert again.count == again.generation == 3
    assert replace(again, repeats=4).generation == 4
