"""What a handler raises when its action did not succeed.

    ActionError
    ├── Rejected   not done, will never be: the coordinator compensates
    ├── Failed     not done, may work later: retried by policy
    └── Unknown    may have been done: resolved by key, by probe or by a person
    ClaimLost      another worker owns the effect now: no call, no reply

Any other exception out of a handler counts as `Unknown`: code that broke in mid-call may have called.
"""

from __future__ import annotations

__all__ = ["ActionError", "ClaimLost", "Failed", "Rejected", "Unknown"]


class ActionError(Exception):
    """{code}: {message}"""

    def __init__(self, code: str, message: str = "", *, detail: str | None = None) -> None:
        super().__init__(f"{code}: {message}" if message else code)
        self.code = code
        self.message = message
        self.detail = detail


class Rejected(ActionError):
    """The system refused for good; nothing was done."""


class Failed(ActionError):
    """Nothing was done and it may work later. `retry_after` is in seconds."""

    def __init__(
        self, code: str, message: str = "", *, retry_after: float | None = None, detail: str | None = None
    ) -> None:
        super().__init__(code, message, detail=detail)
        self.retry_after = retry_after


class Unknown(ActionError):
    """The action may have been done: no answer, or one that proves nothing."""


class ClaimLost(Exception):
    """Another worker has taken this effect over; stop at once."""
