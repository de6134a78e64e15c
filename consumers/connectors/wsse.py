"""UsernameToken of WS-Security (OASIS WSS UsernameToken Profile 1.1), as text or as digest."""

from __future__ import annotations

import base64
import copy
import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from lxml import etree

__all__ = ["UsernameToken", "with_token"]

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
_WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
_PROFILE = f"{_OASIS}username-token-profile-1.0"
_BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"


class UsernameToken(Protocol):
    """Who we are; `digest` hides the password from who reads the message, and needs a clock that is right."""

    @property
    def username(self) -> str: ...
    @property
    def password(self) -> str: ...
    @property
    def digest(self) -> bool: ...


def with_token(
    envelope: Any,
    token: UsernameToken,
    now: datetime,
    namespace: str,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> Any:
    """A copy of the envelope with the token in its header, with a nonce of its own: servers refuse one seen before.

    Args:
        envelope: an lxml element; left as it is.
        token: who we are.
        now: aware.
        namespace: of the envelope.
        random: makes a nonce of so many bytes.

    """
    made = copy.deepcopy(envelope)
    header = made.find(f"{{{namespace}}}Header")
    if header is None:
        header = etree.Element(f"{{{namespace}}}Header")
        made.insert(0, header)
    security = etree.SubElement(header, f"{{{_WSSE}}}Security", nsmap={"wsse": _WSSE, "wsu": _WSU})
    understood = "true" if namespace.endswith("/soap-envelope") else "1"  # SOAP 1.2 has a boolean there
    security.set(f"{{{namespace}}}mustUnderstand", understood)
    nonce, created = random(16), now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    element = etree.SubElement(security, f"{{{_WSSE}}}UsernameToken")
    etree.SubElement(element, f"{{{_WSSE}}}Username").text = token.username
    password = etree.SubElement(element, f"{{{_WSSE}}}Password")
    password.set("Type", f"{_PROFILE}#PasswordDigest" if token.digest else f"{_PROFILE}#PasswordText")
    password.text = _digest(nonce, created, token.password) if token.digest else token.password
    asked = etree.SubElement(element, f"{{{_WSSE}}}Nonce")
    asked.set("EncodingType", _BASE64)
    asked.text = base64.b64encode(nonce).decode()
    etree.SubElement(element, f"{{{_WSU}}}Created").text = created
    return made


def _digest(nonce: bytes, created: str, password: str) -> str:
    found = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(found.digest()).decode()
