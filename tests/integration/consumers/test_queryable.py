"""A system without idempotency keys, real from end to end: what became of a call is asked before it is made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.core.state import Status
from schemas.models import VendorOnboardingRequested

pytestmark = [pytest.mark.native, pytest.mark.timeout(200)]

# By fault of the first `approve`: its calls and the looks of the probe, and whether the first call did the work.
FAULTS: dict[str, tuple[dict[str, Any], bool]] = {
    "done, and the answer lost": ({"fault": "drop_answer"}, True),
    "cut when it was read, and not done": ({"fault": "down"}, False),
    "held, cut and not done": ({"fault": "hang", "seconds": 0.2}, False),
    # The client gives up after five seconds: the work is done while it asks, or after it has asked.
    "done when nobody waits any more": ({"fault": "slow", "seconds": 5.2}, False),
}


async def test_an_unknown_approval_is_looked_for_and_made_once(
    make_world: Any, make_vendors: Callable[[int], list[VendorOnboardingRequested]]
) -> None:
    vendors = make_vendors(len(FAULTS))
    world = make_world()
    world.order_faults(
        *(
            {"system": "suppliers", "action": "approve", "match": {"tax_id": vendor.tax_id}, "times": 1, **fault}
            for vendor, (fault, _) in zip(vendors, FAULTS.values(), strict=True)
        )
    )
    ids = [vendor.saga_id for vendor in vendors]
    await world.publish(vendors)
    rows = await world.at_rest(ids)
    assert [rows[id_].state.status for id_ in ids] == [Status.COMPLETED] * len(ids)
    world.check_against_the_ledger(rows)
    ledger = world.ledger()
    for vendor, (name, (fault, done)) in zip(vendors, FAULTS.items(), strict=True):
        lines = ledger.select(system="suppliers", ref=vendor.tax_id)
        counts = Counter((line.kind, line.action) for line in lines)
        assert counts["applied", "approve"] == 1, name
        assert counts["call", "find_approval"] >= 1, name
        if fault["fault"] != "slow":
            assert (counts["call", "approve"], counts["call", "find_approval"]) == (1 if done else 2, 1), name
        # The second call comes after a look, never before it.
        assert [line.action for line in lines if line.kind == "call"][:2] == ["approve", "find_approval"], name
