"""The port to where secrets are kept, and the two sources that every machine has: environment and files.

    SourceError
    ├── Away       the store did not answer: what is known may be used for a while
    ├── Gone       the store says that there is no such secret: nothing is used any more
    └── NoClient   the store's client is not installed

Messages never hold a value, nor what a store's client said: it may quote one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets as stdlib_secrets
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from consumers.connectors.secrets.secret import Secret

__all__ = ["Away", "Document", "Environment", "Files", "Gone", "NoClient", "Source", "SourceError", "client_module"]

_LARGEST = 1 << 16
_FINGERPRINTS = stdlib_secrets.token_bytes(32)


class SourceError(Exception):
    """What went wrong, without a value."""


class Away(SourceError):
    """The store gave no answer."""


class Gone(SourceError):
    """The store has no such secret, or not for us."""


class NoClient(SourceError):
    """The store's client is not installed."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a store holds under one name: the present text and, where asked for and kept, the one before."""

    current: Secret
    previous: Secret | None = None


class Source(Protocol):
    """One store. Called from one thread of its own; may block for some seconds."""

    def read(self, name: str, *, previous: bool) -> Document:
        """What is kept under that name.

        Raises:
            Away, Gone, NoClient: as they say.

        """
        ...


class Environment:
    """Variables of this process; `NAME_PREVIOUS` is the value before."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def read(self, name: str, *, previous: bool) -> Document:
        """See `Source.read`."""
        value = self._variables.get(name)
        if not value:
            msg = f"the variable {name} is not set"
            raise Gone(msg)
        before = self._variables.get(f"{name}_PREVIOUS") if previous else None
        return Document(_fingerprinted(value), _fingerprinted(before) if before else None)


class Files:
    """Files, as container platforms mount secrets; `<path>.previous` is the value before.

    One newline at the end is not part of the value.
    """

    def read(self, name: str, *, previous: bool) -> Document:
        """See `Source.read`."""
        current = self._read(name)
        if current is None:
            msg = "there is no such file"
            raise Gone(msg)
        before = self._read(f"{name}.previous") if previous else None
        return Document(current, before)

    def _read(self, name: str) -> Secret | None:
        try:
            with Path(name).open("rb") as file:
                raw = file.read(_LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as exc:
            raise Away(f"the file cannot be read: {type(exc).__name__}") from None
        if len(raw) > _LARGEST:
            msg = "the file is larger than 64 KiB"
            raise Gone(msg)
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise Gone("the file is no UTF-8 text") from None
        value = text.removesuffix("\n").removesuffix("\r")
        if not value:
            msg = "the file is empty"
            raise Gone(msg)
        return _fingerprinted(value)


def client_module(name: str, extra: str) -> Any:
    """A store's client, loaded when it is first needed.

    Raises:
        NoClient: it is not installed; the message names the extra that brings it.

    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise NoClient(f"{name} is not installed: pip install 'saga-orchestrator[{extra}]'") from None


def _fingerprinted(value: str) -> Secret:
    # Keyed by this process: a version stands in logs, and must not let a short password be guessed.
    return Secret(value, hmac.new(_FINGERPRINTS, value.encode(), hashlib.sha256).hexdigest()[:16])
