"""Names of topics, and which topics a catalogue of definitions needs."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["CONTROL", "OUTCOMES", "SYSTEMS", "commands", "completions", "dead_letters", "inputs", "needed", "requests"]

CONTROL = "saga.control"
OUTCOMES = "saga.outcomes"
SYSTEMS = "saga.systems"


def requests(definition: str) -> str:
    """Where agents ask for sagas of that definition."""
    return f"{definition}.requests"


def commands(system: str) -> str:
    """Where the coordinator asks that system."""
    return f"{system}.commands"


def completions(system: str) -> str:
    """Where that system's consumer answers."""
    return f"{system}.completions"


def dead_letters(topic: str) -> str:
    """Where what was given up on that topic goes."""
    return f"{topic}.dlq"


def inputs(definitions: Iterable[str], systems: Iterable[str]) -> list[str]:
    """What the coordinator reads."""
    names = {requests(name) for name in definitions} | {completions(name) for name in systems}
    return [CONTROL, *sorted(names)]


def needed(definitions: Iterable[str], systems: Iterable[str]) -> list[str]:
    """Every topic, dead-letter topics included."""
    systems = sorted(systems)
    # Of all that is read, and of what Kafka may refuse from us.
    buried = [*inputs(definitions, systems), *(commands(name) for name in systems), OUTCOMES]
    return [*buried, SYSTEMS, *(dead_letters(name) for name in buried)]
