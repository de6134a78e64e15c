"""Errors of dead letters: the class says what the caller should do.

LetterError
├── Refused        this act does not apply to this letter: the message says why
├── NoSuchLetter   nothing lies there
├── NotInTime      there is more to read than the time that was given; what was read is kept
└── TopicsChanged  the topics are not those that the projection was read from: rebuild it
"""

from __future__ import annotations

__all__ = ["LetterError", "NoSuchLetter", "NotInTime", "Refused", "TopicsChanged"]


class LetterError(Exception):
    """Something is wrong with a dead letter, or with what is asked of it."""


class Refused(LetterError):
    """The act does not apply to the letter as it stands."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NoSuchLetter(LetterError):
    """There is no letter at that place."""


class NotInTime(LetterError):
    """The dead-letter topics could not be read to their ends in the time given; `saga dlq list` reads the rest."""


class TopicsChanged(LetterError):
    """The dead-letter topics are others than those that were read; run `saga dlq rebuild`."""
