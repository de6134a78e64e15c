"""Errors of the core.

DefinitionError    a definition that must not run; fix the code
└── UnknownStep    a step path that the definition does not have
"""

from __future__ import annotations

__all__ = ["DefinitionError", "UnknownStep"]


class DefinitionError(ValueError):
    """A saga definition is wrong. The message names the saga, the step and what to change."""


class UnknownStep(DefinitionError):
    """The definition has no step of this name."""
