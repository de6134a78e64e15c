"""Topics that have to be there."""

from __future__ import annotations

from orchestrator.messaging import topics


def test_whatever_kafka_may_refuse_has_a_dead_letter_topic() -> None:
    needed = topics.needed(["vendor-onboarding"], ["erp"])
    for topic in ("vendor-onboarding.requests", "erp.commands", "erp.completions", topics.CONTROL, topics.OUTCOMES):
        assert topics.dead_letters(topic) in needed
    assert len(set(needed)) == len(needed)
