"""Two minutes of everything at once, on real processes, through the code of `saga chaos`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.cli.chaos import RATE
from orchestrator.cli.output import say
from orchestrator.dev.brokers import real_kind
from orchestrator.testing.chaos.plan import COORDINATOR, SANDBOX, Kind
from orchestrator.testing.chaos.run import ChaosOptions, judge_folder, run

pytestmark = [pytest.mark.native, pytest.mark.timeout(900)]

SEED = 1
SYSTEMS = ("erp", "mail", "portal", "suppliers")


def test_two_minutes_of_chaos_lose_nothing_and_do_nothing_twice(tmp_path: Path, tell: Callable[[str], None]) -> None:
    run(ChaosOptions(tmp_path, SEED, 120, RATE, real_kind()), say)
    found = judge_folder(tmp_path)
    assert found.wrong == []
    assert found.invalid == []
    kills = {f"kill {target}" for target in (*SYSTEMS, COORDINATOR, SANDBOX)}
    assert set(found.struck) == kills | {kind.value for kind in Kind if kind is not Kind.KILL}
    assert all(found.struck.values())
    # What nobody was told may have become a saga, or not; what was acknowledged is one.
    acknowledged = found.operations["request", "ok"]
    assert acknowledged <= sum(found.ended.values()) <= acknowledged + found.operations.get(("request", "info"), 0)
    assert acknowledged > RATE * 120 / 2
    assert set(found.ended) <= {"completed", "compensated", "review"}
    assert found.ended["completed"] > found.ended["compensated"] > acknowledged / 4
    # Only a mail, of which nobody can find out whether it was sent, may wait for a person; and what was tried only while
    # nobody listened.
    assert {code for step, code in found.reviews if step != "welcome-email"} <= {"CANNOT_CONNECT"}
    tell(
        "\n".join(
            [
                *(
                    f"{name}: some saga moved after {silence.worst:.1f} s, every partition {silence.worst_partition:.1f} s"
                    for name, silence in sorted(found.silences.items())
                ),
                f"in review: {dict(found.reviews)}; too late: {list(found.late)}",
            ]
        )
    )
