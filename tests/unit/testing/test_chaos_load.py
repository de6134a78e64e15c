"""What the agents of a chaos run ask for, and what the sandbox makes of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from consumers.sandbox.faults import FaultBook, Plan
from orchestrator.messaging.kafka import LARGEST_LETTER
from orchestrator.testing.chaos.load import FAULTS, vendor
from orchestrator.testing.chaos.stray import digest, oversized, poison

MANY = 4000


@pytest.fixture(scope="module")
def refusals() -> list[str | None]:
    """Who refuses each of many vendors, by the plan that the sandbox is given."""
    rules = Plan.model_validate({"faults": list(FAULTS)}).faults
    chance, book = random.Random(1), FaultBook(rules)
    found: list[str | None] = []
    for number in range(MANY):
        fields = {"vendor_name": vendor(chance, "00010", number).vendor_name}
        struck = {
            system: book.take(system, action, fields)
            for system, action in (("erp", "create_vendor"), ("portal", "create_account"), ("suppliers", "approve"))
        }
        found.append(next((system for system, rule in struck.items() if rule and rule.code), None))
    return found


def test_a_third_is_refused_and_most_of_it_at_the_end(refusals: list[str | None]) -> None:
    counts = Counter(refusals)
    assert 0.30 < 1 - counts[None] / MANY < 0.37
    assert counts["suppliers"] > counts["portal"] > MANY / 20
    assert counts["erp"] > MANY / 20


def test_a_tenth_shares_its_business_key_with_another() -> None:
    chance = random.Random(1)
    keys = Counter(vendor(chance, "00010", number).tax_id for number in range(MANY))
    assert 0.08 < sum(count for count in keys.values() if count > 1) / MANY < 0.12
    assert len({vendor(chance, "00010", 7).saga_id for _ in range(5)}) == 5


def test_the_same_seed_asks_for_the_same_vendors() -> None:
    def names(seed: int) -> list[str]:
        chance = random.Random(seed)
        return [vendor(chance, "00010", number).model_dump_json() for number in range(50)]

    assert names(1) == names(1) != names(2)


def test_strays_differ_and_some_of_the_large_ones_no_topic_takes() -> None:
    chance = random.Random(1)
    strays = [*poison("erp.commands", chance), *oversized("erp.commands", chance)]
    keys = [stray.message.key for stray in strays]
    assert len(set(keys)) == len(keys)
    assert {stray.kind for stray in strays} == {"poison", "oversized"}
    taken, dense, refused = (stray.message.value or b"" for stray in strays[3:])
    default = 1_048_588
    # A dead letter has a kilobyte more than its message, and has to fit, too.
    assert len(taken) + 2000 < default < len(refused)
    assert default < len(dense) + 2000 < LARGEST_LETTER
    assert digest(b"") != digest(None)
