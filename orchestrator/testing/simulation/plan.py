"""What goes wrong in a run: every seed draws its own faults, so that each is also seen without the others."""

# ruff: noqa: S311 - a simulation throws dice, and keeps no secrets

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["DISORDERING", "LOSING", "Fault", "Plan"]


class Fault(StrEnum):
    """Everything that can go wrong, each declared once."""

    # They are looked up at every step of a run, and `Enum` hashes in Python.
    __hash__ = str.__hash__

    KILL = "kill"
    FREEZE = "freeze"
    REBALANCE = "rebalance"
    STOP = "stop"
    COMMIT_FAILED = "commit-failed"
    COMMIT_UNKNOWN = "commit-unknown"
    CONFLICT = "conflict"
    DATABASE_AWAY = "database-away"
    BROKER_AWAY = "broker-away"
    PRODUCE_FAILED = "produce-failed"
    DUPLICATE = "duplicate"
    LATE_DUPLICATE = "late-duplicate"
    STALL = "stall"
    REJECTED = "rejected"
    FAILED = "failed"
    ANSWER_LOST = "answer-lost"
    CALL_LOST = "call-lost"
    SLOW = "slow"
    SYSTEM_AWAY = "system-away"
    DATABASE_CLOCK = "database-clock"
    WORKER_CLOCK = "worker-clock"
    OPERATOR = "operator"
    GARBAGE = "garbage"
    REQUEST_AGAIN = "request-again"
    MAPPING = "mapping"
    REFUSED = "refused"
    REPLAY = "replay"


LOSING = frozenset(Fault) - {
    Fault.COMMIT_FAILED, Fault.CONFLICT, Fault.DUPLICATE, Fault.LATE_DUPLICATE, Fault.REJECTED, Fault.FAILED,
    Fault.ANSWER_LOST, Fault.CALL_LOST, Fault.OPERATOR, Fault.GARBAGE, Fault.REQUEST_AGAIN, Fault.MAPPING,
    Fault.WORKER_CLOCK, Fault.COMMIT_UNKNOWN, Fault.REPLAY,
}  # fmt: skip
"""Without these every message arrives in good time, and no step may time out."""

DISORDERING = frozenset(
    {
        Fault.KILL, Fault.FREEZE, Fault.REBALANCE, Fault.STOP, Fault.COMMIT_UNKNOWN, Fault.BROKER_AWAY, Fault.REFUSED,
    }
)  # fmt: skip
"""Between a commit and its outputs these let another replica, or another partition of the same, come first."""

_CLEAN_EVERY = 8
_SHARE = 0.3
_MOST_SAGAS = 23


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: its seed, which faults it may have, and how many sagas are asked for."""

    seed: int
    faults: tuple[Fault, ...]
    sagas: int

    @classmethod
    def of(cls, seed: int, without: frozenset[Fault] = frozenset(), sagas: int | None = None) -> Plan:
        """The plan of a seed. What is left out changes nothing else of it."""
        dice = random.Random(seed)
        share = dice.choice([_SHARE, _SHARE, _SHARE, 0.1, 0.8])
        drawn = [fault for fault in Fault if dice.random() < share]
        count = dice.randint(_MOST_SAGAS // 2, _MOST_SAGAS)
        clean = seed % _CLEAN_EVERY == 0
        faults = () if clean else tuple(fault for fault in drawn if fault not in without)
        return cls(seed, faults, count if sagas is None else min(count, sagas))
