"""What the CLI tells its caller: exit codes that scripts can use, and one form for every error."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["CliError", "Exit"]


class Exit(IntEnum):
    """Exit codes (style.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    CONFLICT = 4
    PARTIAL = 5
    UNCONFIRMED = 6


class CliError(Exception):
    """Ends a command with a code, a message and what to do."""

    def __init__(self, code: str, message: str, *, exit_code: Exit = Exit.FAILED, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.exit_code = exit_code
        self.retryable = retryable
