"""One worker's watch over the answers and failures of its system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from consumers import metrics
from consumers.watch.rates import Baseline, ErrorRate
from consumers.watch.shape import Change, Learned, Shape, shape_of
from consumers.watch.store import Alert, Known, Seen, WatchStore

__all__ = ["Watch"]

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 5.0
# How long nothing bad must have been seen before an alert is over.
_QUIET_SECONDS = 60.0
# A change is told when so many answers show it, and so much of them: a field that is seldom there is no drift.
_FEWEST = 3
_LEAST_SHARE = 0.1
_COUNTED = 30
_MOST_SHAPES = 256


@dataclass(slots=True)
class _Action:
    """What this worker knows of one action. `learned` and what follows is of the time since it shared last."""

    rate: ErrorRate = field(default_factory=ErrorRate)
    version: int = 0
    known: Learned = field(default_factory=Learned)
    judged: dict[Shape, tuple[Change, ...]] = field(default_factory=dict)
    answers: int = 0
    odd: Counter[Change] = field(default_factory=Counter)
    drifted: set[Change] = field(default_factory=set)
    drifted_at: float = 0.0
    learned: Learned = field(default_factory=Learned)
    drift: bool | None = None
    touched: bool = False

    def answered(self, shape: Shape, now: float) -> None:
        self.touched = True
        if not self.known.enough:
            self.learned.learn(shape)
            return
        changes = self.judged.get(shape)
        if changes is None:
            if len(self.judged) >= _MOST_SHAPES:
                self.judged.clear()
            changes = self.judged[shape] = tuple(self.known.changes(shape))
        if self.answers >= _COUNTED:
            self.answers = 0
            self.odd.clear()
        self.answers += 1
        if changes:
            self.odd.update(changes)
            self.drifted |= {change for change in changes if self._is_drift(change)}
        if self.drifted.intersection(changes):
            self.drift, self.drifted_at = True, now
        elif self.drift is None and self._says_well(shape):
            self.drift = False

    def _is_drift(self, change: Change) -> bool:
        return self.odd[change] >= _FEWEST and self.odd[change] >= _LEAST_SHARE * self.answers

    def _says_well(self, shape: Shape) -> bool:
        """An answer to another question says nothing of what has drifted."""
        roots = {change.rpartition(" ")[2].partition("/")[0].removesuffix("[]") for change in self.drifted}
        return not roots or any(path in roots for path, _ in shape)

    def seen(self, action: str, now: float) -> Seen:
        elevated = self.rate.judge(now)
        found = Seen(
            action, self.version, self.learned, self.rate.fresh, self.drift,
            elevated if self.rate.calls else None, sorted(self.drifted), self.rate.rate, self.rate.baseline.rate,
        )  # fmt: skip
        self.learned, self.rate.fresh, self.drift, self.touched = Learned(), Baseline(), None, False
        if self.drifted and now - self.drifted_at > _QUIET_SECONDS:
            self.drifted.clear()
        return found

    def knows(self, known: Known) -> None:
        if known.shape != self.known:
            self.judged.clear()
        if known.version != self.version:
            self.drifted.clear()
            self.odd.clear()
            self.drift = None
        self.version, self.known, self.rate.baseline = known.version, known.shape, known.baseline

    def takes_back(self, seen: Seen) -> None:
        """It could not be shared."""
        self.learned = self.learned.join(seen.learned)
        self.rate.fresh.add(seen.fresh.calls, seen.fresh.errors)
        self.drift = seen.drift if self.drift is None else self.drift
        self.touched = True


class Watch:
    """Learns what is usual of a system's actions, and tells when it changes; all its workers share what they know.

    Args:
        system: its name.
        store: where the workers meet.
        tell: puts an alert on its topic.
        clock: monotonic seconds.

    """

    def __init__(
        self, system: str, store: WatchStore, tell: Callable[[Alert], Awaitable[None]], *, clock: Callable[[], float]
    ) -> None:
        self._system = system
        self._store = store
        self._tell = tell
        self._clock = clock
        self._actions: dict[str, _Action] = {}
        self._shared_at = clock()

    def answered(self, action: str, question: str, value: Any) -> None:
        """A good answer came; `question` says to what, where an action asks several things."""
        if isinstance(value, dict | list):
            self._action(action).answered(shape_of(question, value), self._clock())

    def ended(self, action: str, *, ok: bool) -> None:
        """The action was asked for, and was done or not."""
        found = self._action(action)
        found.touched = True
        found.rate.count(self._clock(), ok=ok)

    async def tick(self) -> None:
        """Every few seconds: share what was seen, and tell of what was raised and what is over.

        Raises:
            StoreError, BrokerUnavailable, RegistryUnavailable: it is done next time.

        """
        if self._clock() - self._shared_at < _EVERY_SECONDS:
            return
        self._shared_at = now = self._clock()
        seen = [action.seen(name, now) for name, action in self._actions.items() if action.touched]
        if seen:
            try:
                known = await self._store.share(self._system, seen, _QUIET_SECONDS)
            except BaseException:
                for one in seen:
                    self._actions[one.action].takes_back(one)
                raise
            for name, each in known.items():
                self._actions[name].knows(each)
        for alert in await self._store.untold(self._system):
            await self._tell(alert)
            await self._store.told(alert)
            self._log(alert)

    def _log(self, alert: Alert) -> None:
        facts = {"system": alert.system, "action": alert.action, "kind": alert.kind}
        if alert.ended_at is not None:
            log.info("watch.over", **facts)
            return
        metrics.alerts.add(1, facts)
        log.warning("watch.alert", **facts, changes=list(alert.changes), rate=alert.rate, usual=alert.usual)

    def _action(self, name: str) -> _Action:
        found = self._actions.get(name)
        if found is None:
            found = self._actions[name] = _Action()
        return found
