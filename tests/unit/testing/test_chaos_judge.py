"""Each check of the offline judge can fail: evidence that is right is made wrong in one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from msgspec.structs import replace as changed
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from orchestrator.bootstrap import load_catalogue
from orchestrator.core.messages import Direction
from orchestrator.core.payload import Payload
from orchestrator.core.state import Effect, EffectStatus, Park, SagaState, Status, StepState, state_to_json
from orchestrator.messaging.topics import OUTCOMES
from orchestrator.messaging.writer import effect_key
from orchestrator.settings import load
from orchestrator.testing.chaos.evidence import Entry, Left, Letter, Saga, Work, read_left, write_left
from orchestrator.testing.chaos.history import Event, History, Type, read_history
from orchestrator.testing.chaos.judge import Judgement, judge, operations
from orchestrator.testing.chaos.liveness import silences
from orchestrator.testing.chaos.memory import growth
from orchestrator.testing.checker import Output
from orchestrator.testing.murmur2 import partition_of

START = datetime(2026, 1, 1, tzinfo=UTC)
GOOD, BAD, MAIL = (UUID(f"019c0000-0000-7000-8000-00000000000{n}") for n in (1, 2, 3))
FORWARD = {
    "erp-vendor": "erp.create_vendor",
    "portal-account": "portal.create_account",
    "welcome-email": "mail.send_welcome_email",
    "approved-supplier": "suppliers.approve",
}
STRAY = "stray-1"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def event(seconds: float, type_: Type, what: str, id_: str, **more: Any) -> Event:
    return Event(seconds, at(seconds), type_, "somebody", what, id_, more)


def effect(status: EffectStatus, order: int) -> Effect:
    return Effect(status, 1, at(20), order)


def asked(step: str, direction: str = "do") -> Output:
    return Output(f"{step}/{direction}", "some.commands", step, direction, 1)


def told(saga: UUID, status: str) -> Output:
    return Output(f"{saga}/{status}", OUTCOMES, "", "", 0)


@dataclass
class Evidence:
    """One saga that completed, one that was undone from its second step on, and one mail that nobody knows of."""

    events: list[Event] = field(default_factory=list)
    states: dict[UUID, SagaState] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    ledger: list[Work] = field(default_factory=list)
    outcomes: list[Letter] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    unsent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        done = effect(EffectStatus.DONE, 1)
        for saga in (GOOD, BAD, MAIL):
            self.events += [event(1, Type.INVOKE, "request", str(saga)), event(2, Type.OK, "request", str(saga))]
        self.saga(GOOD, Status.COMPLETED, {name: StepState(do=done) for name in FORWARD})
        self.saga(
            BAD,
            Status.COMPENSATED,
            {
                "erp-vendor": StepState(do=done, undo=done),
                "portal-account": StepState(do=effect(EffectStatus.NOT_DONE, 2)),
            },
            failed_step="portal-account",
            code="EMAIL_IN_USE",
        )
        self.saga(
            MAIL,
            Status.REVIEW,
            {
                "erp-vendor": StepState(do=done),
                "portal-account": StepState(do=done),
                "welcome-email": StepState(do=effect(EffectStatus.UNKNOWN, 3)),
            },
            parks=(Park("OUTCOME_UNKNOWN", "nobody knows", "welcome-email", Direction.DO),),
        )
        self.ledger += [self.work(GOOD, step, name) for step, name in FORWARD.items()]
        self.ledger += [self.work(BAD, "erp-vendor", "erp.create_vendor")]
        self.ledger += [self.work(BAD, "erp-vendor", "erp.deactivate_vendor", "undo")]
        self.ledger += [self.work(MAIL, step, FORWARD[step]) for step in ("erp-vendor", "portal-account")]
        self.entries(GOOD, [asked("erp-vendor")], [asked("portal-account")], [asked("welcome-email")])
        self.entries(GOOD, [asked("approved-supplier")], [told(GOOD, "completed")])
        self.entries(BAD, [asked("erp-vendor")], [asked("portal-account")], [asked("erp-vendor", "undo")])
        self.entries(BAD, [told(BAD, "compensated")])
        self.entries(MAIL, [asked("erp-vendor")], [asked("portal-account")], [asked("welcome-email")])
        self.entries(MAIL, [told(MAIL, "review")])
        self.letters.append(self.letter("vendor-onboarding.requests.dlq", BAD))
        self.letters.append(self.letter("mail.commands.dlq", MAIL))
        self.strike(19, 22, "kill mail", target="mail")
        self.strike(19, 19, "poison", target="")
        about = {"topic": "erp.commands", "digest": "abc", "bytes": 3}
        self.events += [event(18, Type.INVOKE, "poison", STRAY, **about), event(19, Type.OK, "poison", STRAY)]
        self.letters.append(self.stray())
        self.events.append(event(40, Type.INVOKE, "request", str(GOOD)))
        self.events.append(event(41, Type.OK, "request", str(GOOD)))

    def saga(self, saga: UUID, status: Status, steps: dict[str, StepState], **more: Any) -> None:
        payload = Payload("saga.vendor.VendorOnboardingRequested", value={})
        key = "DE1" if saga in (GOOD, BAD) else "DE2"
        self.states[saga] = SagaState("vendor-onboarding", 1, payload, status, key, "a", steps=steps, **more)

    def entries(self, saga: UUID, *outputs: list[Output]) -> None:
        for found in outputs:
            revision = sum(entry.saga == saga for entry in self.journal) + 1
            entry = {"kind": "answer", "status": self.states[saga].status.value}
            self.journal.append(Entry(saga, revision, at(20 + 3 * revision), entry, found))
            self.states[saga] = changed(self.states[saga], revision=revision)
            for output in found:
                if output.topic == OUTCOMES:
                    headers = (("ce_id", output.id.encode()), ("ce_sagaid", str(saga).encode()))
                    self.outcomes.append(Letter(OUTCOMES, 0, len(self.outcomes), None, headers, "", []))

    def strike(self, start: float, stop: float, name: str, *, hits: int = 1, target: str) -> None:
        id_ = f"strike-{name}-{start}"
        self.events.append(event(start, Type.START, name, id_, target=target))
        self.events.append(event(stop, Type.STOP, name, id_, hits=hits))

    @staticmethod
    def work(saga: UUID, step: str, name: str, direction: str = "do") -> Work:
        key = "<hash@buyer.example>" if name.startswith("mail") else effect_key(saga, step, direction, 1)
        return Work(name, key, str(saga))

    @staticmethod
    def letter(topic: str, saga: UUID) -> Letter:
        headers = (
            ("saga-dlq-sagaid", str(saga).encode()),
            ("saga-dlq-stage", b"saga"),
            ("saga-dlq-version", b"4"),
        )
        return Letter(topic, 0, 0, str(saga).encode(), headers, "", [])

    @staticmethod
    def stray(**changed: Any) -> Letter:
        headers = (
            ("stray", STRAY.encode()),
            ("__dlq.errors.partition", b"1"),
            ("__dlq.errors.offset", b"7"),
            ("saga-dlq-stage", b"read"),
        )
        letter = Letter("erp.commands.dlq", 0, 0, STRAY.encode(), headers, "abc", [])
        return replace(letter, **changed)

    def left(self) -> Left:
        sagas = []
        for saga, s in self.states.items():
            request = {s.request.name: dict(s.request.json)}
            document = state_to_json(s)
            key, agent = s.business_key, s.agent
            columns = (s.definition, s.version, s.status.value, key, agent, request, document, s.revision, None)
            sagas.append(Saga(saga, columns))
        commands = [o.id for entry in self.journal for o in entry.outputs if o.topic != OUTCOMES]
        sent = [id_ for id_ in commands if id_ not in self.unsent]
        return Left(sagas, self.journal, self.ledger, self.outcomes, self.letters, sent, 4)

    def judged(self, wanted: Sequence[str] = ("kill mail", "poison")) -> Judgement:
        return judge(wanted, self.events, self.left(), load_catalogue(load()))


def test_what_is_right_passes() -> None:
    found = Evidence().judged()
    assert found.passed, (found.wrong, found.late, found.invalid)
    assert found.ended == {"completed": 1, "compensated": 1, "review": 1}
    assert found.operations == {("request", "ok"): 3, ("poison", "ok"): 1}
    assert found.struck == {"kill mail": 1, "poison": 1}
    assert found.reviews == {("welcome-email", "OUTCOME_UNKNOWN"): 1}
    assert (found.effects, found.copies) == (8, 0)


def lost_saga(e: Evidence) -> str:
    lost = "019c0000-0000-7000-8000-00000000000f"
    e.events += [event(1, Type.INVOKE, "request", lost), event(2, Type.OK, "request", lost)]
    return "led to no saga"


def saga_of_nobody(e: Evidence) -> str:
    e.events = [x for x in e.events if x.id != str(BAD)]
    return "a saga that nobody asked for"


def refused_and_yet_a_saga(e: Evidence) -> str:
    e.events = [replace(x, type=Type.FAIL) if x.type is Type.OK and x.id == str(BAD) else x for x in e.events]
    return "the broker refused the request"


def done_twice(e: Evidence) -> str:
    e.ledger.append(e.ledger[0])
    return "was done 2 times"


def reported_and_not_done(e: Evidence) -> str:
    e.ledger = [work for work in e.ledger if work.name != "suppliers.approve"]
    return "is reported done, and was not"


def left_behind(e: Evidence) -> str:
    e.ledger = [work for work in e.ledger if work.name != "erp.deactivate_vendor"]
    return "was left behind"


def done_and_never_asked_for(e: Evidence) -> str:
    e.ledger.append(e.work(BAD, "approved-supplier", "suppliers.approve"))
    return "and never asked for"


def command_never_sent(e: Evidence) -> str:
    e.unsent.add("approved-supplier/do")
    return "do of approved-supplier, asked for in revision 4, was never sent"


def undone_in_the_wrong_order(e: Evidence) -> str:
    done = effect(EffectStatus.DONE, 2)
    steps = {**e.states[BAD].steps, "portal-account": StepState(do=done, undo=done)}
    e.states[BAD] = changed(e.states[BAD], steps=steps)
    e.journal = [
        replace(x, outputs=[*x.outputs, asked("portal-account", "undo")]) if x.saga == BAD and x.revision == 3 else x
        for x in e.journal
    ]
    undo = e.ledger.index(e.work(BAD, "erp-vendor", "erp.deactivate_vendor", "undo"))
    e.ledger.insert(undo, e.work(BAD, "portal-account", "portal.create_account"))
    e.ledger.append(e.work(BAD, "portal-account", "portal.close_account", "undo"))
    return "was undone before portal-account"


def work_for_a_stranger(e: Evidence) -> str:
    e.ledger.append(e.work(UUID(int=9), "erp-vendor", "erp.create_vendor"))
    return "work for a saga that does not exist"


def still_running(e: Evidence) -> str:
    e.states[GOOD] = changed(e.states[GOOD], status=Status.RUNNING)
    return "it neither ended nor waits"


def outcome_not_published(e: Evidence) -> str:
    e.outcomes.pop(0)
    return "1 of its outcomes were never published"


def journal_entry_missing(e: Evidence) -> str:
    del e.journal[1]
    return "the journal has the revisions"


def no_dead_letter(e: Evidence) -> str:
    e.letters = [letter for letter in e.letters if letter.topic != "mail.commands.dlq"]
    return "there is no dead letter"


def review_that_nobody_caused(e: Evidence) -> str:
    e.events = [x for x in e.events if x.what != "kill mail"]
    e.strike(100, 101, "kill mail", target="mail")
    return "it waits for a person, and nothing was wrong with it"


def review_of_what_can_be_asked(e: Evidence) -> str:
    parks = (Park("OUTCOME_UNKNOWN", "nobody knows", "portal-account", Direction.DO),)
    e.states[MAIL] = changed(e.states[MAIL], parks=parks)
    return "it waits for a person, and nothing was wrong with it"


def poison_lost(e: Evidence) -> str:
    e.letters.remove(e.stray())
    return "was answered ok, and dead-lettered 0 times"


def poison_buried_in_two_places(e: Evidence) -> str:
    headers = tuple((n, b"8" if n == "__dlq.errors.offset" else v) for n, v in e.stray().headers)
    e.letters.append(e.stray(headers=headers))
    return "dead-lettered 2 times"


def poison_with_other_bytes(e: Evidence) -> str:
    e.letters[e.letters.index(e.stray())] = e.stray(digest="abd")
    return "is not what was dead-lettered"


def poison_in_another_topic(e: Evidence) -> str:
    e.letters[e.letters.index(e.stray())] = e.stray(topic="portal.commands.dlq")
    return "was dead-lettered to portal.commands.dlq"


def refused_poison_buried(e: Evidence) -> str:
    e.events = [replace(x, type=Type.FAIL) if x.id == STRAY and x.type is Type.OK else x for x in e.events]
    return "was answered fail, and dead-lettered 1 times"


def good_message_buried(e: Evidence) -> str:
    e.letters.append(e.stray(key=str(GOOD).encode()))
    return "a message that nothing was wrong with is a dead letter"


def worker_that_ended_by_itself(e: Evidence) -> str:
    e.events.append(event(30, Type.NOTE, "ended", "4711", text="coordinator (pid 4711) ended by itself"))
    return "ended by itself"


WRONG: list[Callable[[Evidence], str]] = [
    lost_saga,
    saga_of_nobody,
    refused_and_yet_a_saga,
    done_twice,
    reported_and_not_done,
    left_behind,
    done_and_never_asked_for,
    command_never_sent,
    undone_in_the_wrong_order,
    work_for_a_stranger,
    still_running,
    outcome_not_published,
    journal_entry_missing,
    no_dead_letter,
    review_that_nobody_caused,
    review_of_what_can_be_asked,
    poison_lost,
    poison_buried_in_two_places,
    poison_with_other_bytes,
    poison_in_another_topic,
    refused_poison_buried,
    good_message_buried,
    worker_that_ended_by_itself,
]


@pytest.mark.parametrize("spoil", WRONG)
def test_what_is_wrong_in_one_place_is_found(spoil: Callable[[Evidence], str]) -> None:
    evidence = Evidence()
    expected = spoil(evidence)
    found = evidence.judged()
    assert any(expected in what for _, what in found.wrong), found.wrong
    assert not found.passed


# -- validity ------------------------------------------------------------------------------------------------------


def test_a_nemesis_that_never_struck_makes_the_run_invalid() -> None:
    found = Evidence().judged(wanted=("kill mail", "poison", "broker"))
    assert (list(found.wrong), list(found.invalid)) == ([], ["broker never struck"])
    assert not found.passed


def test_a_run_of_one_kind_of_saga_proves_nothing() -> None:
    evidence = Evidence()
    evidence.states[BAD] = changed(evidence.states[BAD], status=Status.CANCELLED, business_key="DE3")
    found = evidence.judged()
    assert [text.partition(":")[0] for text in found.invalid] == [
        "too few sagas of one kind",
        "too few sagas share a business key",
    ]


def test_a_command_that_nobody_waits_for_any_more_need_not_be_sent() -> None:
    away = Evidence(unsent={"approved-supplier/do"})
    away.strike(33, 50, "broker", target="")
    assert away.judged(wanted=()).wrong == []
    twice = Evidence(unsent={"approved-supplier/do"})
    twice.strike(33, 33, "kill coordinator", target="coordinator")
    assert len(twice.judged(wanted=()).wrong) == 1
    twice.strike(43, 43, "kill coordinator", target="coordinator")
    assert twice.judged(wanted=()).wrong == []


@pytest.mark.parametrize(("target", "excused"), [("sandbox", True), ("portal", False)])
def test_what_was_tried_only_while_nobody_listened_may_wait_for_a_person(target: str, excused: bool) -> None:
    evidence = Evidence()
    parks = (Park("CANNOT_CONNECT", "nobody listens", "portal-account", Direction.DO),)
    evidence.states[MAIL] = changed(evidence.states[MAIL], parks=parks)
    evidence.strike(18, 21, f"kill {target}", target=target)
    assert (evidence.judged(wanted=()).wrong == []) is excused


def test_a_letter_that_was_published_twice_is_counted_and_not_wrong() -> None:
    evidence = Evidence()
    evidence.letters.append(evidence.stray(offset=1))
    found = evidence.judged()
    assert found.passed
    assert found.copies == 1


# -- operations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([Type.OK], Type.OK),
        ([Type.INFO, Type.OK], Type.OK),
        ([Type.OK, Type.INFO], Type.OK),
        ([Type.FAIL], Type.FAIL),
        ([Type.FAIL, Type.FAIL], Type.FAIL),
        ([Type.FAIL, Type.INFO], Type.INFO),
        ([Type.INFO, Type.FAIL], Type.INFO),
        ([Type.FAIL, Type.OK], Type.OK),
        ([Type.OK, None], Type.OK),
        ([Type.FAIL, None], Type.INFO),
        ([None], Type.INFO),
    ],
)
def test_what_nobody_answered_may_have_happened(answers: list[Type | None], expected: Type) -> None:
    events = []
    for number, answer in enumerate(answers):
        events.append(event(number, Type.INVOKE, "request", "1"))
        if answer is not None:
            events.append(event(number, answer, "request", "1"))
    assert operations(events) == {("request", "1"): expected}


# -- liveness ------------------------------------------------------------------------------------------------------


def moves(*seconds: float) -> Left:
    """One saga of each partition moves at those times; that of partition 0 two seconds later."""
    entries = []
    for number in range(64):
        saga = UUID(int=number)
        late = 2.0 if partition_of(str(saga).encode(), 4) == 0 else 0.0
        entries += [Entry(saga, n + 1, at(time + late), {}, []) for n, time in enumerate(seconds)]
    return Left([], entries, [], [], [], [], 4)


def struck(name: str, start: float, stop: float, target: str = "", **more: Any) -> list[Event]:
    return [
        event(start, Type.START, name, name, target=target),
        event(stop, Type.STOP, name, name, hits=1, **more),
        event(500, Type.INVOKE, "request", "1"),
    ]


def test_silence_is_counted_from_the_death_to_what_moves_next() -> None:
    found = silences(struck("kill coordinator", 10, 11, "coordinator"), moves(7, 24))["kill coordinator"]
    assert (found.times, found.worst, found.worst_partition, found.late) == (1, 14.0, 16.0, [])


def test_too_long_a_silence_after_a_coordinators_death_is_late() -> None:
    one = silences(struck("kill coordinator", 10, 11, "coordinator"), moves(7, 26))["kill coordinator"]
    two = silences(struck("kill-two", 10, 11, targets=["coordinator", "erp"]), moves(7, 26))["kill-two"]
    other = silences(struck("kill erp", 10, 11, "erp"), moves(7, 26))["kill erp"]
    assert (len(one.late), len(two.late), len(other.late)) == (1, 1, 0)
    assert "nothing moved for 16.0 s, more than 15" in one.late[0]


def test_after_an_outage_it_is_counted_from_the_return() -> None:
    assert silences(struck("broker", 10, 30), moves(9, 20, 85))["broker"].worst == 55.0
    assert len(silences(struck("database", 10, 30), moves(9, 20, 91))["database"].late) == 1


def test_an_outage_of_the_other_server_puts_it_off() -> None:
    events = [*struck("broker", 5, 40), *struck("kill coordinator", 10, 11, "coordinator")]
    found = silences(events, moves(4, 50))
    assert found["kill coordinator"].worst == 10.0


def test_an_outage_before_anything_has_moved_puts_it_off_with_its_own_limit() -> None:
    events = [*struck("kill coordinator", 10, 11, "coordinator"), *struck("broker", 18, 30)]
    one = silences(events, moves(4, 65))["kill coordinator"]
    assert (one.worst, one.late) == (35.0, [])
    # One that came after the first move says nothing of it.
    two = silences(events, moves(4, 14, 65))["kill coordinator"]
    assert two.worst == 4.0
    assert len(silences(events, moves(4, 95))["kill coordinator"].late) == 1


def test_the_death_of_the_next_coordinator_puts_it_off() -> None:
    events = [*struck("kill coordinator", 10, 11, "coordinator"), *struck("kill-two", 20, 21, targets=["coordinator"])]
    found = silences(events, moves(4, 34))
    assert [found[name].worst for name in ("kill coordinator", "kill-two")] == [14.0, 14.0]
    assert [found[name].late for name in ("kill coordinator", "kill-two")] == [[], []]


def test_nothing_ever_moves_again() -> None:
    found = silences(struck("database", 10, 30), moves(9))["database"]
    assert found.worst > 10**6
    assert len(found.late) == 1


# -- files ---------------------------------------------------------------------------------------------------------


def test_history_and_evidence_are_the_same_when_they_are_read_again(tmp_path: Path) -> None:
    left = Evidence().left()
    write_left(left, tmp_path / "left")
    assert read_left(tmp_path / "left") == left
    with History(tmp_path / "history") as history:
        written = [history.write(Type.NOTE, "me", "rss", str(n), kb={"1": n}) for n in range(3)]
    assert read_history(tmp_path / "history") == written
    assert [e.at for e in written] == sorted(e.at for e in written)
    (tmp_path / "history").write_bytes(b'{"at": 1')
    with pytest.raises(msgspec.DecodeError):
        read_history(tmp_path / "history")


def test_growth_is_the_slope_after_the_first_minute() -> None:
    events = []
    for second in range(0, 600, 2):
        # Much in the first minute, then one MB in a hundred seconds; the other died too soon to say anything.
        kb = {"1": 1024 * 50 + (1024 * second if second < 60 else 1024 * 60 + int(10.24 * second))}
        if second < 80:
            kb["2"] = 10**6 * second
        events.append(event(second, Type.NOTE, "rss", "coordinator", kb=kb))
    ((kind, (megabytes, slope)),) = growth(events).items()
    assert kind == "coordinator"
    assert megabytes == pytest.approx(116, abs=0.1)
    assert slope == pytest.approx(36, rel=0.01)
