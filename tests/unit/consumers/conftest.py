"""A call as a handler gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from consumers.errors import ClaimLost
from consumers.system import Call


@dataclass
class Claim:
    """A claim that can be lost, and counts how often it was renewed."""

    renewed: int = 0
    lost_after: int | None = None
    slept: list[float] = field(default_factory=list)

    async def renew(self) -> None:
        if self.lost_after is not None and self.renewed >= self.lost_after:
            raise ClaimLost
        self.renewed += 1


@pytest.fixture
def claim() -> Claim:
    return Claim()


@pytest.fixture
def make_call(claim: Claim) -> Callable[..., Call]:
    def make(key: str = "key-1") -> Call:
        return Call(UUID(int=1), "erp-vendor", "do", 1, key, claim.renew)

    return make


@pytest.fixture
def call(make_call: Callable[..., Call]) -> Call:
    return make_call()
