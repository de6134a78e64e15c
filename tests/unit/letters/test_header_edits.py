"""Headers that are mended, and those that are nobody's to mend."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from orchestrator.core.payload import Payload
from orchestrator.core.sample import sample
from orchestrator.core.state import SagaState, Status
from orchestrator.letters.errors import Refused
from orchestrator.letters.header_edits import header_edits, sent_headers
from orchestrator.letters.ids import edit_hash
from orchestrator.letters.letter import Letter
from orchestrator.letters.plan import Plan, plan_replay
from orchestrator.letters.transfer import read_lines
from orchestrator.messaging.event import read_event
from orchestrator.messaging.reader import meant_for
from schemas.codec import Codec
from schemas.models import SendWelcomeEmail, VendorOnboardingRequested


def edited(letter: Letter, *assignments: str, drop: tuple[str, ...] = ()) -> Letter:
    return replace(letter, header_edits=header_edits(letter, assignments, drop))


def names(plan: Plan) -> list[str]:
    return [name for name, _ in plan.message.headers]


def test_a_header_is_set_and_another_dropped_and_the_original_stays(
    make_letter: Any, terms: Any, codec: Codec, saga_id: UUID
) -> None:
    letter = make_letter("vendor-onboarding.requests", b"\x00bad", {"traceparent": "00-1"}, reason="invalid")
    mended = edited(letter, "ce_type=saga.x", "x-new=a=b", drop=("traceparent",))
    assert dict(sent_headers(mended)).items() >= {"ce_type": b"saga.x", "x-new": b"a=b"}.items()
    assert mended.headers == letter.headers
    plan = plan_replay(mended, None, terms(), codec.encode)
    event = read_event(plan.message.headers)
    assert (event.type, event.traceparent, event.saga_id) == ("saga.x", None, saga_id)
    assert (event.source, dict(plan.message.headers)["saga-replay-of"]) == ("saga-dlq", b"e1")
    assert len(names(plan)) == len(set(names(plan)))
    assert plan.message.value == letter.value


def test_the_id_follows_from_value_and_headers(make_letter: Any, terms: Any, codec: Codec) -> None:
    letter = make_letter("erp.completions", b"v")

    def cause(of: Letter) -> UUID | None:
        return plan_replay(of, None, terms(), codec.encode).cause

    one, same = edited(letter, "a=1", "b=2"), edited(edited(letter, "b=2"), "a=1")
    assert one == same
    assert len({cause(x) for x in (letter, one, edited(letter, "a=2"), replace(one, edited=b"w"))}) == 4
    assert replace(letter, edited=b"v").edit == edit_hash(b"v"), "the ids of letters edited before stay what they were"
    assert edit_hash(None, (("a", None),)) != edit_hash(None, (("a", b""),)) != edit_hash(b"a", ())


def test_a_new_saga_is_asked_for_with_the_headers_as_they_were_mended(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID
) -> None:
    letter = make_letter("vendor-onboarding.requests", vendor, stage="saga", saga_id=saga_id)
    plain = plan_replay(letter, None, terms(), codec.encode)
    plan = plan_replay(edited(letter, "ce_agent=other"), None, terms(), codec.encode)
    assert read_event(plan.message.headers).agent == "other"
    assert plan.saga_id not in (None, plain.saga_id, saga_id)
    with pytest.raises(Refused, match="gets its own"):
        edited(letter, "ce_time=2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "name",
    ["ce_id", "ce_source", "ce_sagaid", "ce_step", "ce_direction", "ce_round", "ce_attempt", "ce_idempotencykey",
     "ce_byoperator", "ce_resolved", "saga-held", "saga-replay-group", "saga-replay-letter", "__dlq.errors.topic",
     "saga-dlq-reason"],
)  # fmt: skip
def test_who_the_message_is_and_where_it_has_been_is_nobodys_to_change(make_letter: Any, name: str) -> None:
    letter = make_letter("erp.commands", b"v")
    for refused in ({"assignments": [f"{name}=x"], "drops": []}, {"assignments": [], "drops": [name]}):
        with pytest.raises(Refused, match=f"header {name}: ") as why:
            header_edits(letter, **refused)
        assert why.value.code == "NOT_EDITABLE"
    line = {"id": "", "reason": "", "state": "", "cluster": "c", "topic": "t.dlq", "partition": 0, "offset": 0,
            "key": None, "value": None, "headers": [], "header_edits": [[name, None]]}  # fmt: skip
    lines, bad = read_lines(json.dumps(line).encode())
    assert (lines, len(bad)) == ([], 1), "nor is it by way of an import"


@pytest.mark.parametrize(
    ("assignments", "drops", "code"),
    [
        (["x"], [], "USAGE"), (["=1"], [], "USAGE"), (["a\nb=1"], [], "USAGE"), (["x=\udcff"], [], "USAGE"),
        (["x=1", "x=2"], [], "USAGE"), (["x=1"], ["x"], "USAGE"), (["n" * 201 + "=1"], [], "USAGE"),
        ([], ["absent"], "UNCHANGED"), (["ce_type=t"], [], "UNCHANGED"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_refused(make_letter: Any, assignments: list[str], drops: list[str], code: str) -> None:
    with pytest.raises(Refused) as why:
        header_edits(make_letter("erp.completions", b"v"), assignments, drops)
    assert why.value.code == code


def test_a_replay_for_one_group_says_so_and_needs_one_that_reads_the_topic(
    make_letter: Any, terms: Any, codec: Codec
) -> None:
    letter = make_letter("erp.completions", b"v", group="coordinator")
    for_all = plan_replay(letter, None, terms(), codec.encode).message.headers
    assert meant_for(for_all, "coordinator")
    assert meant_for(for_all, "audit")
    ours = plan_replay(letter, None, terms(group="coordinator"), codec.encode).message.headers
    assert meant_for(ours, "coordinator")
    assert not meant_for(ours, "audit")
    with pytest.raises(Refused, match=r"audit has read nothing of erp\.completions"):
        plan_replay(letter, None, terms(group="audit"), codec.encode)
    theirs = plan_replay(letter, None, terms(group="audit", reads={"erp.completions"}), codec.encode).message.headers
    assert not meant_for(theirs, "coordinator")


def test_the_decision_about_a_parked_saga_is_for_nobody_but_the_coordinator(
    make_letter: Any, terms: Any, codec: Codec, saga_id: UUID
) -> None:
    letter = make_letter("mail.commands", b"v", stage="saga", saga_id=saga_id, group="coordinator", version=1)
    state = SagaState("d", 1, Payload.of(sample(SendWelcomeEmail, full=True)), Status.REVIEW, revision=1)
    assert plan_replay(letter, state, terms(group="coordinator"), codec.encode)
    with pytest.raises(Refused, match=r"mail has read nothing of saga\.control"):
        plan_replay(letter, state, terms(group="mail", reads={"mail.commands"}), codec.encode)
