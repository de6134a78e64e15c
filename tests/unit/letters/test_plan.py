"""What a replay sends: each row of the table of design §6, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from orchestrator.catalogue import Catalogue
from orchestrator.core.messages import ControlCommand
from orchestrator.core.sample import sample
from orchestrator.letters.errors import Refused
from orchestrator.letters.letter import Letter, original_headers
from orchestrator.letters.plan import Plan, plan_replay, retry_cause
from orchestrator.letters.predict import predict
from orchestrator.messaging.event import read_event
from orchestrator.messaging.reader import Reader
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.codec import Codec
from schemas.models import DeactivateVendor, SagaControl, SendWelcomeEmail, VendorCreated, VendorOnboardingRequested

CATALOGUE = Catalogue([vendor_onboarding])


@pytest.fixture
def undo_parked(vendor: VendorOnboardingRequested) -> Script:
    script = Script(vendor_onboarding)
    script.request(vendor)
    script.succeed("erp-vendor")
    script.reject("portal-account")
    script.reject("erp-vendor", "LOCKED", undo=True)
    return script


@pytest.fixture
def mail_unknown(vendor: VendorOnboardingRequested) -> Script:
    script = Script(vendor_onboarding)
    script.request(vendor)
    script.succeed("erp-vendor")
    script.succeed("portal-account")
    script.lose("welcome-email")
    return script


def letter_of(make_letter: Any, script: Script, record: Any, saga_id: UUID) -> Letter:
    (parked,) = script.dead_letters
    return make_letter(
        f"{record.contract.system}.commands", sample(record, full=True), {"step": parked.step, "direction": parked.direction.value},
        stage="saga", saga_id=saga_id, step=parked.step, version=script.state.revision, reason=parked.code,
    )  # fmt: skip


def header(plan: Plan, name: str) -> str | None:
    return next((value.decode() for n, value in plan.message.headers if n == name and value is not None), None)


def foreseen(plan: Plan, codec: Codec, sagas: Any = None, **options: Any) -> Any:
    now = plan.letter.failed_at + timedelta(seconds=1)
    return predict(plan, Reader(codec, CATALOGUE.requests), CATALOGUE, sagas or {}, now, **options)


def test_what_was_not_read_goes_out_as_it_came(make_letter: Any, terms: Any, codec: Codec) -> None:
    letter = make_letter("erp.completions", b"\x00bytes")
    message = plan_replay(letter, None, terms(), codec.encode).message
    assert (message.topic, message.key, message.value) == ("erp.completions", b"key", b"\x00bytes")
    assert message.headers[: len(original_headers(letter.headers))] == original_headers(letter.headers)
    assert [name for name, _ in message.headers[-4:]] == [
        "saga-replay-letter", "saga-replay-count", "saga-replay-actor", "saga-replay-reason",
    ]  # fmt: skip


def test_a_compensated_saga_is_asked_for_anew(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID
) -> None:
    letter = make_letter("vendor-onboarding.requests", vendor, {"traceparent": "00-1"}, stage="saga", saga_id=saga_id)
    plan = plan_replay(letter, None, terms(), codec.encode)
    event = read_event(plan.message.headers)
    assert event.saga_id == plan.saga_id == plan.new_saga_id != saga_id
    assert plan.message.key == str(event.saga_id).encode()
    assert (event.agent, event.causation_id, event.traceparent) == ("bot", str(saga_id), None)
    assert header(plan, "saga-replay-of") == str(saga_id)
    later = plan_replay(letter, None, terms(now=terms().now + timedelta(days=2)), codec.encode)
    assert (later.saga_id, later.cause) == (plan.saga_id, plan.cause)
    seen = foreseen(plan, codec)
    assert (seen.status, seen.commands) == ("running", ("do erp-vendor",))
    assert "duplicate" in foreseen(plan, codec, applied=True).text


def test_an_old_letter_keeps_the_saga_that_its_first_replay_began(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID, new_id: Any
) -> None:
    letter = make_letter("vendor-onboarding.requests", vendor, stage="saga", saga_id=saga_id)
    first = new_id()
    assert plan_replay(replace(letter, earlier=first), None, terms(), codec.encode).saga_id == first


def test_a_parked_saga_is_told_to_try_again(
    make_letter: Any, terms: Any, codec: Codec, undo_parked: Script, saga_id: UUID
) -> None:
    letter = letter_of(make_letter, undo_parked, DeactivateVendor, saga_id)
    plan = plan_replay(letter, undo_parked.state, terms(), codec.encode)
    record = codec.decode(plan.message.value or b"")
    assert isinstance(record, SagaControl)
    assert (record.command.value, record.step, record.direction) == ("retry", "erp-vendor", "undo")
    assert (record.actor, record.reason, record.if_revision) == ("ada", "mended", undo_parked.state.revision)
    assert plan.cause == retry_cause(letter, None)
    seen = foreseen(plan, codec, {saga_id: undo_parked.state})
    assert (seen.status, seen.commands) == ("compensating", ("undo erp-vendor",))


def test_a_saga_that_has_moved_on_is_not_told(
    make_letter: Any, terms: Any, codec: Codec, undo_parked: Script, saga_id: UUID
) -> None:
    letter = letter_of(make_letter, undo_parked, DeactivateVendor, saga_id)
    undo_parked.control(ControlCommand.RETRY)
    with pytest.raises(Refused, match="moved on: revision 5, the letter is of 4; now it is compensating"):
        plan_replay(letter, undo_parked.state, terms(), codec.encode)
    assert plan_replay(letter, undo_parked.state, terms(), codec.encode, applied=True).cause is not None
    with pytest.raises(Refused, match="there is no saga"):
        plan_replay(letter, None, terms(), codec.encode)


def test_a_blind_unknown_is_retried_only_when_a_person_says_that_it_was_not_done(
    make_letter: Any, terms: Any, codec: Codec, mail_unknown: Script, saga_id: UUID
) -> None:
    letter = letter_of(make_letter, mail_unknown, SendWelcomeEmail, saga_id)
    sagas = {saga_id: mail_unknown.state}
    plain = plan_replay(letter, mail_unknown.state, terms(), codec.encode)
    assert "not-done" in (foreseen(plain, codec, sagas).refused or "")
    sure = plan_replay(letter, mail_unknown.state, terms(resolved="not-done"), codec.encode)
    assert foreseen(sure, codec, sagas).commands == ("do welcome-email",)
    assert sure.cause != plain.cause


def test_a_loop_is_refused_and_force_goes_on(make_letter: Any, terms: Any, codec: Codec) -> None:
    letter = replace(make_letter("erp.completions", b"v"), count=5)
    with pytest.raises(Refused, match="5 replays") as refused:
        plan_replay(letter, None, terms(), codec.encode)
    assert refused.value.code == "LOOP"
    assert header(plan_replay(letter, None, terms(force=True), codec.encode), "saga-replay-count") == "6"


def test_a_retired_topic_is_redirected(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID
) -> None:
    letter = make_letter("old.requests", vendor, stage="saga", saga_id=saga_id)
    with pytest.raises(Refused, match=r"no topic old\.requests"):
        plan_replay(letter, None, terms(), codec.encode)
    plan = plan_replay(letter, None, terms(retired={"old.requests": "new.requests"}), codec.encode)
    assert plan.message.topic == "new.requests"


def test_an_edited_letter_has_an_id_of_its_own_and_a_link(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID
) -> None:
    letter = make_letter("vendor-onboarding.requests", b"\x00bad", reason="invalid")
    edited = replace(letter, edited=codec.encode(vendor))
    plan = plan_replay(edited, None, terms(), codec.encode)
    event = read_event(plan.message.headers)
    assert (event.saga_id, plan.message.key, event.agent) == (saga_id, b"key", "bot")
    assert header(plan, "saga-replay-of") == "e1" != event.id
    other = replace(letter, edited=codec.encode(vendor.model_copy(update={"vendor_name": "B"})))
    assert len({p.cause for p in (plan, plan_replay(other, None, terms(), codec.encode))}) == 2
    assert foreseen(plan, codec).status == "running"


def test_a_request_whose_id_is_taken_gets_another_when_it_is_edited(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID
) -> None:
    letter = make_letter("vendor-onboarding.requests", vendor, reason="id-reused", stage="apply", saga_id=saga_id)
    plan = plan_replay(replace(letter, edited=codec.encode(vendor)), None, terms(), codec.encode)
    assert plan.new_saga_id not in (None, saga_id)
    assert plan.message.key == str(plan.new_saga_id).encode()


def test_what_would_come_back_is_foreseen(
    make_letter: Any, terms: Any, codec: Codec, vendor: VendorOnboardingRequested, saga_id: UUID, undo_parked: Script
) -> None:
    def seen(letter: Letter, sagas: Any = None) -> Any:
        return foreseen(plan_replay(letter, None, terms(), codec.encode), codec, sagas)

    assert seen(make_letter("erp.completions", b"\x00bad")).returns
    answer = {"step": "erp-vendor", "direction": "do", "round": 1, "attempt": 1}
    assert "no saga" in seen(make_letter("erp.completions", sample(VendorCreated, full=True), answer)).text
    other = vendor.model_copy(update={"vendor_name": "B"})
    request = make_letter("vendor-onboarding.requests", other)
    assert "id-reused" in seen(request, {saga_id: undo_parked.state}).text
    old = make_letter("vendor-onboarding.requests", vendor, {"saga_id": UUID(int=7 << 76 | 2 << 62)})
    assert "saga-id-out-of-range" in seen(old).text
    assert seen(make_letter("erp.commands", b"v")).text == "goes to the consumer of erp"
