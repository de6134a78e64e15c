"""Errors of messaging: the class says what the caller should do.

MessagingError
├── BadMessage          the message can never be read: dead-letter it; `reason` is a stable code
├── BrokerUnavailable   back off and try again; nothing was lost
├── BrokerFatal         this client is of no use any more: end the process and start again
└── BadSetting          a Kafka setting that loses or doubles work: refuse to start
"""

from __future__ import annotations

__all__ = ["BadMessage", "BadSetting", "BrokerFatal", "BrokerUnavailable", "MessagingError"]


class MessagingError(Exception):
    """Something went wrong between us and Kafka."""


class BadMessage(MessagingError):
    """The message cannot be read: {reason}: {message}"""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class BrokerUnavailable(MessagingError):
    """The broker did not answer in time; try again."""


class BrokerFatal(MessagingError):
    """The Kafka client has failed for good; the process must be started again."""


class BadSetting(MessagingError):
    """A Kafka setting would lose or double work."""
