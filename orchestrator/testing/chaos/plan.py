"""Which nemesis strikes when, from a seed. Pure: the same seed is the same plan."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["COORDINATOR", "OUTAGES", "SANDBOX", "STRAYS", "Kind", "Plan", "Strike", "make_plan"]

COORDINATOR = "coordinator"
SANDBOX = "sandbox"

_LANES = 2
_SHORT = 120.0
_ORDERS = 500
_WARM_UP = 5.0
# For what was struck last to be felt under load.
_COOL_DOWN = 3.0


class Kind(StrEnum):
    """The nemeses.

    kill: SIGKILL of one process, which is replaced at once.
    kill_two: the same of two at once.
    freeze: SIGSTOP past the limits of session and lease, then SIGCONT: a zombie.
    broker: SIGKILL of the broker, then its restart.
    database: an immediate stop of PostgreSQL, as by a crash, then its restart.
    terminate: `pg_terminate_backend` of every worker's session.
    cut: connections to PostgreSQL are cut around a COMMIT, so that nobody learns whether it succeeded.
    slow: answers of PostgreSQL come late.
    churn: a consumer joins its group and leaves it again, every three seconds.
    poison: records that nobody can read, on topics of requests, commands and completions.
    oversized: records that are too large for what is made of them, on the same.
    """

    KILL = "kill"
    KILL_TWO = "kill-two"
    FREEZE = "freeze"
    BROKER = "broker"
    DATABASE = "database"
    TERMINATE = "terminate"
    CUT = "cut"
    SLOW = "slow"
    CHURN = "churn"
    POISON = "poison"
    OVERSIZED = "oversized"


OUTAGES = frozenset({Kind.BROKER.value, Kind.DATABASE.value})
"""Those that take a server away for a while."""

STRAYS = frozenset({Kind.POISON.value, Kind.OVERSIZED.value})
"""Those that send what nobody can read, and touch nothing else."""


@dataclass(frozen=True, slots=True)
class _Times:
    """Seconds that a nemesis lasts, and those that it is expected to take beyond them."""

    lasts: tuple[float, float] = (0.0, 0.0)
    takes: float = 0.5


_TIMES: Mapping[Kind, _Times] = {
    Kind.KILL: _Times(),
    Kind.KILL_TWO: _Times(),
    # A session lasts ten seconds, a lease of the slowest REST system twelve, one of the mail server twenty-two.
    Kind.FREEZE: _Times((20.0, 24.0)),
    Kind.BROKER: _Times((0.5, 3.0), 12.0),
    Kind.DATABASE: _Times((0.5, 3.0), 3.0),
    Kind.TERMINATE: _Times(),
    Kind.CUT: _Times((4.0, 6.0)),
    Kind.SLOW: _Times((4.0, 6.0)),
    Kind.CHURN: _Times((9.0, 12.0), 4.0),
    Kind.POISON: _Times(),
    Kind.OVERSIZED: _Times(),
}


@dataclass(frozen=True, slots=True)
class Strike:
    """One nemesis: when, in seconds since the load began, for how long, and whom. `seed` is for its own choices."""

    at: float
    kind: Kind
    target: str
    seconds: float
    lane: int
    seed: int

    @property
    def name(self) -> str:
        """What has to have struck: the kind, and the kind of process where each counts."""
        return _name(self.kind, self.target)

    @property
    def takes(self) -> float:
        """Seconds from its beginning to its end, as they are planned."""
        return self.seconds + _TIMES[self.kind].takes


def _name(kind: Kind, target: str) -> str:
    return f"{kind} {target}" if kind is Kind.KILL else kind.value


@dataclass(frozen=True, slots=True)
class Plan:
    """A run of so many seconds under load. `strikes` are ordered by time; those of a lane never overlap."""

    seed: int
    seconds: float
    strikes: Sequence[Strike]

    @property
    def names(self) -> Sequence[str]:
        """What has to have struck, each once."""
        return sorted({strike.name for strike in self.strikes})


def make_plan(seed: int, seconds: float, systems: Sequence[str]) -> Plan:
    """Every nemesis once, in an order that the seed gives, and then again while there is time.

    In a run that is too short for all of them, those that come first and fit. In one that is longer than two minutes
    they are further apart, so that processes live long enough for their memory to say something.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    every = _everything(systems)
    # What lasts long finds no place in a run of two minutes, where it comes late: then in another order.
    for _ in range(_ORDERS):
        free = [_WARM_UP + lane * 2.0 for lane in range(_LANES)]
        strikes = _fill(chance, chance.sample(every, len(every)), free, seconds, systems)
        if len(strikes) == len(every):
            break
    while more := _fill(chance, chance.sample(every, len(every)), free, seconds, systems):
        strikes += more
    return Plan(seed, seconds, sorted(strikes, key=lambda strike: (strike.at, strike.lane)))


def _fill(
    chance: random.Random,
    order: Sequence[tuple[Kind, str]],
    free: list[float],
    seconds: float,
    systems: Sequence[str],
) -> list[Strike]:
    """Those of `order` that find a place. `free` is when each lane is, before and after."""
    return [strike for one in order if (strike := _place(chance, one, free, seconds, systems))]


def _everything(systems: Sequence[str]) -> list[tuple[Kind, str]]:
    kills = [(Kind.KILL, target) for target in (COORDINATOR, *sorted(systems), SANDBOX)]
    others = [(kind, "") for kind in Kind if kind not in (Kind.KILL, Kind.FREEZE)]
    return [*kills, *others, (Kind.FREEZE, COORDINATOR), (Kind.FREEZE, "")]


def _place(
    chance: random.Random, one: tuple[Kind, str], free: list[float], seconds: float, systems: Sequence[str]
) -> Strike | None:
    """The strike on the lane that is free first; None where it would not be over in time."""
    kind, target = one
    lane = free.index(min(free))
    times = _TIMES[kind]
    lasts = round(chance.uniform(*times.lasts), 1)
    end = free[lane] + lasts + times.takes
    if end > seconds - _COOL_DOWN:
        return None
    at = round(free[lane], 1)
    free[lane] = end + chance.uniform(1.5, 4.0) * max(1.0, seconds / _SHORT)
    if not target and kind in (Kind.FREEZE, Kind.CHURN):
        target = chance.choice(sorted(systems))
    return Strike(at, kind, target, lasts, lane, chance.getrandbits(32))
