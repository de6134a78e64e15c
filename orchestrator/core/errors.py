"""Errors of the core.

DefinitionError    a definition that must not run; fix the code
└── UnknownStep    a step path that the definition does not have
Refused            a decision that does not apply to the saga as it stands
"""

from __future__ import annotations

__all__ = ["DefinitionError", "Refused", "UnknownStep"]


class DefinitionError(ValueError):
    """A saga definition is wrong. The message names the saga, the step and what to change."""


class UnknownStep(DefinitionError):
    """The definition has no step of this name."""


class Refused(Exception):
    """A decision that does not apply to the saga as it stands; the message says why."""
