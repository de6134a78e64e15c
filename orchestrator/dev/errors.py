"""Errors of the dev stack: the class says what the caller should do.

DevError
├── MissingTool     install what the message names
├── ChildFailed     a server ended or could not be started; the message ends with the last lines of its log
├── NotReady        a server runs and does not answer; the same
├── FetchFailed     the package registry did not give what we need; the message ends with what its client said
├── BadRequest      the caller asked for something that cannot be done: a database that is there already
└── NoBroker        there is no way to a real Kafka on this machine; the message lists every way
"""

from __future__ import annotations

__all__ = ["BadRequest", "ChildFailed", "DevError", "FetchFailed", "MissingTool", "NoBroker", "NotReady"]


class DevError(Exception):
    """The dev stack could not do what it was asked for."""


class MissingTool(DevError):
    """A program or package is missing; the message says what to install."""


class ChildFailed(DevError):
    """A child process ended when it should have run, or reported a failure."""


class NotReady(DevError):
    """A child process runs but did not become ready in time."""


class FetchFailed(DevError):
    """An artifact could not be fetched from the package registry."""


class BadRequest(DevError):
    """What was asked for cannot be done as things are."""


class NoBroker(DevError):
    """No real Kafka can be reached or started here."""
