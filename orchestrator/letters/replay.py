"""Replays letters: plan, write down, send, write down. A crash in between is repaired by doing it again.

Every message's id follows from its letter, so what may have been sent before a crash is simply sent again.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from orchestrator.letters.errors import Refused
from orchestrator.letters.letter import Letter, Place, State, Way
from orchestrator.letters.plan import Plan, Terms, plan_replay, retry_cause
from orchestrator.letters.predict import Prediction, predict
from orchestrator.letters.settle import Fate, fates
from orchestrator.letters.wanted import By
from orchestrator.messaging.reader import Reader

if TYPE_CHECKING:
    from orchestrator.core.state import SagaState
    from orchestrator.letters.ports import ReplayDesk

__all__ = ["Options", "Outcome", "Replayer", "Report", "Result"]

_CHUNK = 100
_WATCHED_CHUNK = 20
_POLL_SECONDS = 0.5
_PER_SECOND = 5


class Result(StrEnum):
    """What became of one letter."""

    SENT = "sent"
    PREDICTED = "predicted"
    REFUSED = "refused"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One letter of a replay. `text` says why not, or what is going to happen."""

    letter: Letter
    result: Result
    text: str = ""
    code: str = ""
    plan: Plan | None = None
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How letters are replayed.

    `rate` is in letters a second. Of the first `canary` letters all have to settle well within `patience` seconds
    before others follow. `stop_on_repeat` ends a replay when one of its letters has come back. `group` is the only
    consumer group that the messages are for; None means all.
    """

    resolved: str | None = None
    force: bool = False
    rate: float | None = None
    canary: int = 0
    patience: float = 60.0
    stop_on_repeat: bool = False
    states: Sequence[State] = ()
    group: str | None = None


@dataclass(slots=True)
class Report:
    """What became of all of them. `stopped` says why the rest was not sent."""

    outcomes: list[Outcome] = field(default_factory=list)
    stopped: str | None = None
    left: int = 0

    def count(self, result: Result) -> int:
        """How many came out so."""
        return sum(outcome.result is result for outcome in self.outcomes)

    @property
    def sent(self) -> list[Plan]:
        """What has been sent."""
        return [o.plan for o in self.outcomes if o.result is Result.SENT and o.plan is not None]


def _now() -> datetime:
    return datetime.now(UTC)


class Replayer:
    """Replays letters in the order given."""

    def __init__(
        self,
        desk: ReplayDesk,
        by: By,
        options: Options,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]],
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._desk = desk
        self._by = by
        self._options = options
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._progress = progress
        self._reader = Reader(desk.codec, desk.catalogue.requests)
        self._continued: set[UUID] = set()

    def dry_run(self, places: Sequence[Place]) -> Report:
        """Say for each letter what would happen; send and write nothing."""
        report = Report()
        for start in range(0, len(places), _CHUNK):
            report.outcomes += self._planned(places[start : start + _CHUNK])
            self._tell(report, len(places))
        return report

    async def run(self, places: Sequence[Place]) -> Report:
        """Replay letters, in order.

        Raises:
            BrokerUnavailable, BrokerFatal, StoreError: the letters that may have been sent are still open; run again.

        """
        report = Report()
        canary = places[: self._options.canary]
        for start in range(0, len(canary), _CHUNK):
            await self._chunk(canary[start : start + _CHUNK], report)
        if canary:
            report.stopped = await self._canary(report)
        began, paced = self._clock(), len(report.outcomes)
        size = self._size()
        for start in range(len(canary), len(places), size):
            if report.stopped:
                break
            await self._chunk(places[start : start + size], report)
            self._tell(report, len(places))
            if self._options.stop_on_repeat:
                report.stopped = await self._repeated(report)
            if self._options.rate:
                due = began + (len(report.outcomes) - paced) / self._options.rate
                await self._sleep(max(0.0, due - self._clock()))
        report.left = len(places) - len(report.outcomes)
        return report

    def _size(self) -> int:
        most = _WATCHED_CHUNK if self._options.stop_on_repeat else _CHUNK
        return max(1, min(most, int(self._options.rate / _PER_SECOND))) if self._options.rate else most

    def _tell(self, report: Report, total: int) -> None:
        if self._progress is not None:
            self._progress(len(report.outcomes), total)

    async def _chunk(self, places: Sequence[Place], report: Report) -> None:
        outcomes = self._planned(places)
        plans = [o.plan for o in outcomes if o.result is Result.PREDICTED and o.plan is not None]
        failed: dict[Place, str] = {}
        if plans:
            acts = [(plan.letter, plan.new_saga_id) for plan in plans]
            self._desk.store.act("replaying", acts, self._by)
            receipt = await self._desk.outbox.send([plan.message for plan in plans])
            refused = {id(refusal.message): refusal.code for refusal in receipt.refused}
            failed = {p.letter.place: refused[id(p.message)] for p in plans if id(p.message) in refused}
            done = [act for act in acts if act[0].place not in failed]
            if done:
                self._desk.store.act("replayed", done, self._by)
        for outcome in outcomes:
            code = failed.get(outcome.letter.place)
            if code is not None:
                text = f"the broker refuses the message: {code}"
                report.outcomes.append(replace(outcome, result=Result.FAILED, code=code, text=text))
            elif outcome.result is Result.PREDICTED:
                report.outcomes.append(replace(outcome, result=Result.SENT))
            else:
                report.outcomes.append(outcome)

    # -- planning --------------------------------------------------------------------------------------------------

    def _planned(self, places: Sequence[Place]) -> list[Outcome]:
        letters = self._desk.store.at(places)
        sagas = {i: row.state for i, row in self._desk.sagas([x.saga_id for x in letters if x.saga_id]).items()}
        _, topics = self._desk.feed.topics()
        terms = Terms(
            by=self._by,
            now=self._now(),
            limit=self._desk.limit,
            topics=topics,
            retired=self._desk.retired,
            resolved=self._options.resolved,
            force=self._options.force,
            group=self._options.group,
            reads=self._reads(letters),
        )
        retried = self._retried(letters)
        found: dict[Place, Outcome | Plan] = {
            letter.place: self._plan(letter, sagas, terms, applied=letter.identity in retried) for letter in letters
        }
        plans = [plan for plan in found.values() if isinstance(plan, Plan)]
        sagas |= {i: row.state for i, row in self._desk.sagas([p.saga_id for p in plans if p.saga_id]).items()}
        causes = {(p.saga_id, p.cause) for p in plans if p.saga_id is not None and p.cause is not None}
        applied = self._desk.store.applied(causes)
        return [
            self._foreseen(x, sagas, terms.now, applied=(x.saga_id, x.cause) in applied) if isinstance(x, Plan) else x
            for x in found.values()
        ]

    def _reads(self, letters: Sequence[Letter]) -> Collection[str]:
        """Topics that the group has read, where that is not plain from the letters: it gave them up itself."""
        group = self._options.group
        return self._desk.feed.reads(group) if group and any(x.group != group for x in letters) else ()

    def _retried(self, letters: Sequence[Letter]) -> set[UUID]:
        """Letters whose retry the saga has had already: the replayer was killed before it could write that down."""
        causes = {
            (x.saga_id, retry_cause(x, self._options.resolved)): x.identity
            for x in letters
            if x.way is Way.RETRY and x.saga_id is not None
        }
        return {causes[cause] for cause in self._desk.store.applied(causes)}

    def _plan(self, letter: Letter, sagas: Mapping[UUID, SagaState], terms: Terms, *, applied: bool) -> Outcome | Plan:
        if self._options.states and letter.state not in self._options.states:
            return Outcome(letter, Result.SKIPPED, f"it is {letter.state.value}: somebody was faster", "SETTLED")
        saga = sagas.get(letter.saga_id) if letter.saga_id else None
        try:
            return plan_replay(letter, saga, terms, self._desk.codec.encode, applied=applied)
        except Refused as exc:
            return Outcome(letter, Result.REFUSED, str(exc), exc.code)

    def _foreseen(self, plan: Plan, sagas: Mapping[UUID, SagaState], now: datetime, *, applied: bool) -> Outcome:
        letter = plan.letter
        seen = predict(plan, self._reader, self._desk.catalogue, sagas, now, applied=applied)
        if letter.way is Way.RETRY and seen.refused is not None:
            return Outcome(letter, Result.REFUSED, seen.refused, "REFUSED", plan, seen)
        if letter.way is Way.RETRY and plan.saga_id is not None and not applied:
            # Its first decision moves the saga on; a second letter of it speaks of a state that is gone.
            if plan.saga_id in self._continued:
                text = "another letter of this saga has just been replayed: see how it goes on"
                return Outcome(letter, Result.REFUSED, text, "MOVED_ON", plan, seen)
            self._continued.add(plan.saga_id)
        return Outcome(letter, Result.PREDICTED, seen.text, plan=plan, prediction=seen)

    # -- watching --------------------------------------------------------------------------------------------------

    async def settle(self, plans: Sequence[Plan], seconds: float) -> Mapping[UUID, Fate]:
        """Wait until these replays have settled, at most so many seconds; what became of each, by its letter."""
        began = self._clock()
        while True:
            self._desk.refresh()
            found = fates(self._desk, plans, self._clock() - began)
            if all(fate.settled for fate in found.values()) or self._clock() - began >= seconds:
                return found
            await self._sleep(_POLL_SECONDS)

    async def _canary(self, report: Report) -> str | None:
        found = await self.settle(report.sent, self._options.patience)
        bad = [
            f"{plan.letter.place}: {found[plan.letter.identity].text}"
            for plan in report.sent
            if found[plan.letter.identity].bad
        ]
        if bad:
            return f"of the canary {len(bad)} came back: {bad[0]}"
        open_ = [fate for fate in found.values() if not fate.settled]
        if open_:
            return f"of the canary {len(open_)} did not settle within {self._options.patience:g} s: {open_[0].text}"
        if len(report.sent) < len(report.outcomes):
            first = next(o for o in report.outcomes if o.result is not Result.SENT)
            return f"a letter of the canary could not be sent: {first.text}"
        return None

    async def _repeated(self, report: Report) -> str | None:
        self._desk.refresh()
        back = self._desk.store.came_back([(plan.letter, plan.saga_id) for plan in report.sent])
        return f"{len(back)} of the replayed letters came back" if back else None
