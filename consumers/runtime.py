"""The idempotent consumer of one system (design §7).

Per (saga, step) in order, many at once; offsets move up to the contiguous low watermark. A claim in the effect table
comes before each call, the reply is stored with the outcome, and is sent before the offset may pass.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog
from msgspec.structs import replace

from consumers import metrics
from consumers.answers import Answers
from consumers.audit.entry import AuditRow, Exchange
from consumers.audit.store import AuditStore
from consumers.command import (
    NOBODY_KNOWS,
    RECORD_LOST,
    SHADOW_GONE,
    UNDONE,
    ReceivedCommand,
    Replies,
    audit_rows,
    packed,
    read_command,
)
from consumers.effects import Admitted, Claim, EffectStore, Settlement
from consumers.flow import Grouped, Watermarks
from consumers.gate import Gate, Line
from consumers.limit import Granted, Want
from consumers.pace import Pace
from consumers.perform import Performer
from consumers.shadow.act import Shadow
from consumers.shadow.store import ShadowStore
from consumers.system import System
from consumers.teller import Teller
from consumers.watch.store import Alert, WatchStore
from consumers.watch.watcher import Watch
from orchestrator import telemetry
from orchestrator.core.effects import Perform, Refuse, Repeat, StayUnknown, Wait
from orchestrator.core.messages import Direction, Failure, Outcome, Succeeded
from orchestrator.database import StoreConflict, StoreError, StoreUnavailable
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.errors import BadMessage, BrokerUnavailable
from orchestrator.messaging.message import Incoming, Outgoing, TopicPartition
from orchestrator.messaging.ports import Ids, Inbox, Outbox, Sleep
from orchestrator.messaging.reader import meant_for
from schemas.codec import Codec
from schemas.errors import RegistryUnavailable, SchemaError

__all__ = ["ConsumerLimits", "ConsumerStopped", "Runtime"]

log = structlog.get_logger(__name__)
T = TypeVar("T")

_TRANSIENT = (StoreUnavailable, StoreConflict, BrokerUnavailable, RegistryUnavailable)
_LONGEST_BACKOFF = 5.0
_WAIT_STEP = 0.25


class ConsumerStopped(Exception):
    """The consumer stopped by itself, rather than pass messages it could not deal with."""


@dataclass(frozen=True, slots=True)
class ConsumerLimits:
    """Sizes and times of the loop. `drain` is how long a graceful stop waits for calls in progress, in seconds.

    `max_bytes` is the largest answer that is sent. Commands older than `late` seconds get no more than `late_share` of
    the calls while younger ones wait.
    """

    batch: int = 500
    backlog: int = 2000
    poll: float = 0.2
    lease_margin: float = 2.0
    commit: float = 0.5
    drain: float = 25.0
    poison: int = 1000
    tell: float = 10.0
    max_bytes: int = 900_000
    late: float = 30.0
    late_share: float = 0.8


class Runtime:
    """One worker of one system."""

    def __init__(
        self,
        *,
        system: System,
        inbox: Inbox,
        outbox: Outbox,
        effects: EffectStore,
        codec: Codec,
        ids: Ids,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        sleep: Sleep,
        group: str,
        limits: ConsumerLimits,
        audit: AuditStore | None = None,
        shadows: ShadowStore | None = None,
        watch: WatchStore | None = None,
    ) -> None:
        self._system = system
        self._inbox = inbox
        self._outbox = outbox
        self._effects = effects
        self._codec = codec
        self._ids = ids
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._group = group
        self._limits = limits
        self._replies = Replies(codec, system.name)
        self._answers = Answers(self._replies, now=now, patiently=self._patiently, largest=limits.max_bytes)
        self._shadow = Shadow(system, shadows, now)
        self._lanes: dict[tuple[UUID, str], deque[ReceivedCommand]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._marks = Watermarks()
        self._seen: Mapping[TopicPartition, int] = {}
        self._claim = Grouped(effects.claim)
        self._settle = Grouped(effects.settle)
        self._send = Grouped(self._send_all)
        self._committed = clock()
        self._draining = False
        gate = Gate(system, sleep=sleep, draining=lambda: self._draining)
        pace = self._pace = Pace(system.name, system.limits, self._reserve, clock=clock, sleep=sleep)
        self._line = Line(
            system, gate, pace, clock=clock, draining=lambda: self._draining, late=limits.late, share=limits.late_share
        )
        self._teller = Teller(
            system.name, self._replies, outbox, gate=gate, line=self._line, pace=pace,
            ids=ids, clock=clock, now=now, every=limits.tell,
        )  # fmt: skip
        self._watch = None if watch is None else Watch(system.name, watch, self._alert, clock=clock)
        self._performer = Performer(
            effects,
            clock=clock,
            now=now,
            sleep=sleep,
            draining=lambda: self._draining,
            again=pace.again,
            limited=pace.heed,
            answered=_unseen if self._watch is None else self._watch.answered,
            audited=self._audited,
        )
        self._audit = None if audit is None else Grouped(partial(_add_all, audit, system.name))
        self._unaudited = 0
        self._failure: BaseException | None = None
        self._trouble: str | None = None
        self._poisoned = 0

    def unready(self) -> str | None:
        """Why no command can be dealt with now; None where one can."""
        if self._trouble is not None:
            return self._trouble
        return None if self._inbox.joined() else "not yet a member of the group"

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop; then finish the calls in progress and leave the group.

        Raises:
            ConsumerStopped, BrokerFatal, StoreError: what no waiting would mend.

        """
        async with self._system.lifespan():
            try:
                self._seen = await self._patiently(lambda: self._effects.watermarks(self._group))
                while not stopping() and self._failure is None:
                    await self.step()
                await self._drain()
                if self._failure is not None:
                    raise self._failure
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._inbox.close()
                await self._outbox.close()
                await self._effects.close()

    async def _drain(self) -> None:
        """Finish the calls in progress, and start none: a call that is cut off counts as perhaps done."""
        self._draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.drain)
        await self._commit()

    async def step(self) -> int:
        """One turn: read what is there, start it, commit what is finished. Returns how many messages were read."""
        if sum(map(len, self._lanes.values())) >= self._limits.backlog:
            await self._inbox.idle(self._limits.poll)
            messages: Sequence[Incoming] = ()
        else:
            messages = await self._poll()
        self._marks.forget(self._inbox.assigned())
        for message in messages:
            self._marks.began(message)
            await self._receive(message)
        if self._clock() - self._committed >= self._limits.commit:
            await self._commit()
        await self._pass_on()
        await self._teller.tell()
        await self._look_out()
        return len(messages)

    async def _poll(self) -> Sequence[Incoming]:
        try:
            return await self._inbox.poll(self._limits.batch, self._limits.poll)
        except BrokerUnavailable as exc:
            # Not patient: the group is served meanwhile, and a stop is heard.
            log.warning("consumer.not_read", error=str(exc))
            await self._inbox.idle(self._limits.poll)
            return ()

    async def _receive(self, message: Incoming) -> None:
        if not meant_for(message.headers, self._group):
            log.info("consumer.for_another_group", place=f"{message.topic}/{message.partition}@{message.offset}")
            self._marks.ended(message)
            return
        try:
            try:
                command = read_command(self._codec, self._system, message, self._seen)
            except RegistryUnavailable:
                command = await self._patiently(lambda: self._read(message), self._inbox.idle)
        except BadMessage as exc:
            await self._bury(message, exc)
            return
        self._poisoned = 0
        lane = self._lanes.setdefault(command.lane, deque())
        lane.append(command)
        if len(lane) == 1:
            task = asyncio.create_task(self._work(command.lane))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _read(self, message: Incoming) -> ReceivedCommand:
        return read_command(self._codec, self._system, message, self._seen)

    async def _bury(self, message: Incoming, exc: BadMessage) -> None:
        """The dead letter is with the broker before the offset may pass."""
        place = f"{message.topic}/{message.partition}@{message.offset}"
        log.warning("consumer.dead_letter", place=place, reason=exc.reason, error=exc.message)
        grave = Grave(exc.reason, exc.message, "read", self._group, self._now())
        await self._patiently(lambda: self._send(bury(message, grave)), self._inbox.idle)
        self._marks.ended(message)
        self._poisoned += 1
        if self._poisoned > self._limits.poison:
            msg = f"{self._poisoned} commands in a row could not be read; stopping rather than drain the topic"
            raise ConsumerStopped(msg)

    async def _commit(self) -> None:
        """Not patient: what could not be committed is committed next time, and a stop is not held up by it."""
        self._committed = self._clock()
        offsets = self._marks.ready()
        if not offsets:
            return
        try:
            await self._effects.mark(self._group, offsets)
            await self._inbox.commit(offsets)
        except _TRANSIENT as exc:
            log.warning("consumer.not_committed", error=f"{type(exc).__name__}: {exc}")
        else:
            self._marks.committed(offsets)

    # -- one command -----------------------------------------------------------------------------------------------

    async def _work(self, key: tuple[UUID, str]) -> None:
        """Deal with a lane's commands one after the other."""
        lane = self._lanes[key]
        try:
            while lane:
                if telemetry.enabled():
                    with telemetry.processing(lane[0].incoming, lane[0].event, self._group):
                        handled = await self._handle(lane[0])
                else:
                    handled = await self._handle(lane[0])
                if not handled:
                    return
                self._marks.ended(lane[0].incoming)
                lane.popleft()
            del self._lanes[key]
        except asyncio.CancelledError:
            raise
        except BaseException as exc:  # noqa: BLE001 - ends the whole consumer, which raises it
            log.error("consumer.failed", saga_id=str(key[0]), step=key[1], error=f"{type(exc).__name__}: {exc}")
            self._failure = self._failure or exc

    async def _handle(self, command: ReceivedCommand) -> bool:
        """Deal with one command; False where the stop came first."""
        if command.identity.direction is Direction.PROBE:
            return await self._look(command)
        owner = self._ids.token()
        while True:
            # A place comes before the claim: what a worker had claimed when it died counts as perhaps called, so a
            # queue of claims would be a queue of doubts.
            async with self._line.aside() if command.ask.shadow else self._line.turn(self._age(command)) as place:
                await self._audit_works()
                if self._draining:
                    return False
                asked_at = self._clock()
                admitted = await self._patiently(lambda: self._claim(self._claim_of(command, owner)))
                verdict = admitted.verdict
                acts = command if admitted.row is None or not admitted.row.shadow else self._shadow.of(command)
                if isinstance(verdict, Perform):
                    place.called = not acts.shadow
                    result = await self._perform(acts, admitted, verdict, asked_at)
            match verdict:
                case Wait(until=until):
                    await self._sleep(min(_WAIT_STEP, max(0.01, (until - admitted.now).total_seconds())))
                    continue
                case Perform():
                    await self._conclude(acts, admitted, result)
                case Repeat() | StayUnknown():
                    await self._answer(await self._answers.again(acts, admitted.row))
                case Refuse():
                    await self._answer(await self._answers.reply(command, UNDONE))
            return True

    def _age(self, command: ReceivedCommand) -> float:
        """Seconds since the coordinator asked, by its clock and ours."""
        return (self._now() - command.event.time).total_seconds()

    async def _look(self, command: ReceivedCommand) -> bool:
        if command.ask.shadow:
            # What the system has is another's, and no reason to worry.
            await self._answer(await self._answers.reply(self._shadow.of(command), SHADOW_GONE))
            return True
        async with self._line.turn(self._age(command)) as place:
            await self._audit_works()
            if self._draining:
                return False
            place.called = True
            result = await self._performer.look(command)
        await self._answer(await self._answers.reply(command, result))
        return True

    async def _audited(self, command: ReceivedCommand, sends: Sequence[tuple[datetime, Exchange]]) -> None:
        """Write what was sent. The place among the system's calls is held until that is done."""
        audit = self._audit
        if audit is None:
            return
        rows = audit_rows(self._system.name, command, sends)
        self._unaudited += 1
        try:
            await self._patiently(lambda: audit(rows))
        finally:
            self._unaudited -= 1

    async def _audit_works(self) -> None:
        """No new call while one that was made cannot be written down."""
        while self._unaudited and self._trouble is not None and not self._draining:
            await self._sleep(_WAIT_STEP)

    async def _reserve(self, wants: Sequence[Want], calls: int) -> Granted:
        return await self._patiently(lambda: self._effects.reserve(wants, calls))

    async def _pass_on(self) -> None:
        """Not patient, as `_commit`."""
        try:
            await self._pace.pass_on(self._effects.reserve)
        except _TRANSIENT as exc:
            log.warning("consumer.limit_not_passed_on", error=f"{type(exc).__name__}: {exc}")

    async def _look_out(self) -> None:
        """Not patient, as `_commit`."""
        try:
            if self._watch is not None:
                await self._watch.tick()
        except (*_TRANSIENT, StoreError, SchemaError) as exc:
            # Whatever is wrong with the watch, the work goes on.
            log.warning("consumer.watch_not_shared", error=f"{type(exc).__name__}: {exc}")

    async def _alert(self, alert: Alert) -> None:
        for refusal in (await self._outbox.send([self._replies.alert(alert, self._now())])).refused:
            log.error("consumer.alert_refused", system=alert.system, action=alert.action, code=refusal.code)

    def _claim_of(self, command: ReceivedCommand, owner: UUID) -> Claim:
        lease = self._lease(command)
        said = NOBODY_KNOWS if command.ask.effect == "blind" else None
        # Where the mode is not live, a lost row leaves open what was done before it was.
        said = said if command.ask.shadow is False else RECORD_LOST
        unknown = None if said is None else self._replies.kept(command, said, self._now())
        return Claim(command.identity, self._system.name, command.ask, owner, lease, unknown)

    def _lease(self, command: ReceivedCommand) -> float:
        """Longer than the call's time-out, also after the first quarter of it has passed (see `Performer`)."""
        return command.action.timeout * 1.4 + self._limits.lease_margin

    async def _perform(
        self, command: ReceivedCommand, admitted: Admitted, verdict: Perform, asked_at: float
    ) -> Succeeded | Failure | None:
        assert admitted.row is not None
        assert admitted.row.owner is not None
        owner, lease, placed = admitted.row.owner, self._lease(command), not command.ask.shadow
        return await self._performer.perform(command, owner, verdict, asked_at, lease, placed=placed)

    async def _conclude(self, command: ReceivedCommand, admitted: Admitted, result: Succeeded | Failure | None) -> None:
        """Store the outcome with its answer, and then send it."""
        row = admitted.row
        assert row is not None
        owner = row.owner
        assert owner is not None
        if result is None:
            log.warning("consumer.claim_lost", saga_id=str(command.saga_id), step=command.identity.step)
            return
        _count(self._system.name, command, result)
        if self._watch is not None and not command.shadow:
            self._watch.ended(command.action.name, ok=isinstance(result, Succeeded))
        # Of this call alone: an earlier attempt in doubt makes its answer an unknown, too.
        did_nothing = command.shadow or (isinstance(result, Failure) and result.outcome is not Outcome.UNKNOWN)
        after, result, reply = await self._answers.told(command, row, result)
        stored = replace(after, reply=packed(reply))
        if await self._patiently(lambda: self._settle(Settlement(command.identity, owner, stored))):
            await self._answer(reply)
        else:
            log.warning("consumer.claim_lost", saga_id=str(command.saga_id), step=command.identity.step)
            if not did_nothing:
                await self._tell_of_lost_claim(command, owner, result)
        if isinstance(result, Failure):
            _log_failure(command, result)
            telemetry.failed(f"{result.outcome.value}: {result.code}")

    async def _tell_of_lost_claim(self, command: ReceivedCommand, owner: UUID, result: Succeeded | Failure) -> None:
        """Somebody took the effect over while we were at it, and theirs is the answer; but ours may be there, too."""
        await self._answer(await self._answers.unclaimed(command, result, owner))

    async def _answer(self, reply: Outgoing) -> None:
        await self._patiently(lambda: self._send(reply))

    async def _send_all(self, messages: Sequence[Outgoing]) -> Sequence[None]:
        refused = (await self._outbox.send(messages)).refused
        if refused:
            msg = f"{refused[0].message.topic} refuses a message: {refused[0].code}"
            raise ConsumerStopped(msg)
        return [None] * len(messages)

    async def _patiently(
        self, call: Callable[[], Awaitable[T]], wait: Callable[[float], Awaitable[None]] | None = None
    ) -> T:
        """Try until it works: nothing is skipped while the database, the broker or the registry is away.

        The loop itself waits by `Inbox.idle`: the group takes a worker that does not poll for dead.
        """
        failures = 0
        while True:
            try:
                found = await call()
            except _TRANSIENT as exc:
                self._trouble = f"{type(exc).__name__}: {exc}"
                delay = min(_LONGEST_BACKOFF, 0.05 * 2 ** min(failures, 10))
                failures += 1
                log.warning("consumer.waiting", error=f"{type(exc).__name__}: {exc}", failures=failures, delay=delay)
                await (wait or self._sleep)(delay)
            else:
                if failures:
                    self._trouble = None
                return found


async def _add_all(audit: AuditStore, system: str, groups: Sequence[Sequence[AuditRow]]) -> Sequence[None]:
    try:
        await audit.add([row for rows in groups for row in rows])
    except StoreError:
        metrics.audit_failures.add(1, {"system": system})
        raise
    return [None] * len(groups)


def _unseen(action: str, question: str, value: object) -> None:
    """Nobody watches."""


def _count(system: str, command: ReceivedCommand, result: Succeeded | Failure) -> None:
    contract = command.action.contract
    facts = {
        "system": system,
        "action": contract.action or contract.name,
        "direction": command.identity.direction.value,
        "shadow": command.shadow,
    }
    if isinstance(result, Failure):
        metrics.calls.add(1, {**facts, "outcome": result.outcome.value, "error.type": result.code})
    else:
        metrics.calls.add(1, {**facts, "outcome": "succeeded"})


def _log_failure(command: ReceivedCommand, failure: Failure) -> None:
    facts = {"saga_id": str(command.saga_id), "step": command.identity.step, "direction": command.identity.direction}
    log.info("consumer.not_done", outcome=failure.outcome.value, code=failure.code, **facts)
