"""What is made of the words of several workers about their system."""

from __future__ import annotations

from typing import Any

from orchestrator.messaging.kafka_systems import Said, SystemView
from schemas.models import CircuitState, SystemState


def words(worker: str, reason: str = "", state: str | None = None, **more: Any) -> SystemState:
    said = CircuitState(state or ("open" if reason else "closed"))
    return SystemState(system="erp", state=said, since_ms=0, worker=worker, reason=reason, **more)


def test_one_workers_words_do_not_wipe_anothers() -> None:
    said = Said()
    said.hear(words("a", "breaker"), 0.0)
    said.hear(words("b"), 1.0)
    assert said.away(2.0) == {"erp"}
    said.hear(words("a"), 3.0)
    assert said.away(4.0) == frozenset()


def test_a_worker_that_is_gone_is_believed_for_half_a_minute() -> None:
    said = Said()
    said.hear(words("a", "pace"), 0.0)
    assert said.away(29.0) == {"erp"}
    assert said.away(30.0) == frozenset()


def test_a_system_is_away_before_it_is_paced_and_rates_add_up() -> None:
    said = Said()
    said.hear(words("a", "pace", limit=50.0, rate=20.0), 0.0)
    said.hear(words("b", limit=50.0, rate=29.5), 1.0)
    assert said.views(2.0) == {"erp": SystemView("paced", 50.0, 49.5)}
    assert said.away(2.0) == {"erp"}
    said.hear(words("b", "breaker", limit=50.0, rate=0.0), 3.0)
    assert said.views(4.0) == {"erp": SystemView("away", 50.0, 20.0)}
    assert said.views(20.0)["erp"].rate is None


def test_a_worker_of_an_earlier_version_gives_no_reason() -> None:
    said = Said()
    said.hear(words("", state="open"), 0.0)
    assert said.views(1.0) == {"erp": SystemView("away", None, None)}
