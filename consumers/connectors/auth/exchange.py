"""One request to a token server (RFC 6749 §3.2), and what can be made of its answer.

Whatever comes back, the caller gets a usable grant or a `Failed` that says nothing secret: an answer may repeat what it
was asked, so of its text only the standard's own error codes are shown.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2

from consumers.connectors.answers import retry_after
from consumers.connectors.auth.tokens import Grant
from consumers.errors import Failed

__all__ = ["REFUSED", "UNAVAILABLE", "ask"]

UNAVAILABLE = "TOKEN_UNAVAILABLE"
# The server does not take our proof: another version of the secret may please it.
REFUSED = "TOKEN_REFUSED"

_CONNECT_SECONDS = 3.0
_READ_SECONDS = 5.0
# All of it together: a server that drips a byte a second never trips a read's time-out.
_SECONDS = 10.0
_LARGEST_ANSWER = 1 << 16
# Salesforce, for one, does not say how long its tokens live. They are good for longer; a 401 ends them earlier.
_UNSAID_LIFETIME = 300.0
_LONGEST_LIFETIME = 86_400.0
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
# RFC 6749 §5.2: those that are about who we are.
_OF_THE_PROOF = frozenset({"invalid_client", "invalid_grant", "unauthorized_client"})
_CODE = re.compile(r"[a-z_]{1,40}\Z")


async def ask(url: str, form: Mapping[str, str], headers: Mapping[str, str], *, verify: ssl.SSLContext | bool) -> Grant:
    """Ask for a token.

    Raises:
        Failed: TOKEN_REFUSED or TOKEN_UNAVAILABLE. Nothing has been sent to the system itself.

    """
    timeout = httpx2.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS, write=_READ_SECONDS, pool=_READ_SECONDS)
    own = {"accept": "application/json", "accept-encoding": "identity", **headers}
    host = urlsplit(url).hostname
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx2.AsyncClient(timeout=timeout, verify=verify, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, data=dict(form), headers=own) as response,
        ):
            body = await _body(response)
    except TimeoutError:
        raise Failed(UNAVAILABLE, f"{host}: no whole answer in {_SECONDS:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as exc:
        raise Failed(UNAVAILABLE, f"{host}: {type(exc).__name__}") from None
    return _grant(f"{host}", response, body)


async def _body(response: httpx2.Response) -> bytes | None:
    if response.headers.get("content-encoding", "identity") != "identity":
        return None
    chunks, size = [], 0
    async for chunk in response.aiter_raw():
        size += len(chunk)
        if size > _LARGEST_ANSWER:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _grant(host: str, response: httpx2.Response, body: bytes | None) -> Grant:
    status = response.status_code
    if 300 <= status < 400:
        # Never followed: the secret would go with it.
        elsewhere = _host(response.headers.get("location", ""))
        raise Failed(UNAVAILABLE, f"{host}: HTTP {status}, a redirect to {elsewhere or host}")
    if body is None:
        raise Failed(UNAVAILABLE, f"{host}: HTTP {status}, and an answer that is compressed or larger than 64 KiB")
    fields = _json(body)
    if not 200 <= status < 300:
        code = fields.get("error") if fields is not None else None
        said = code if isinstance(code, str) and _CODE.match(code) else None
        refused = said in _OF_THE_PROOF or (said is None and status == 401)
        wait = retry_after({"retry-after": response.headers.get("retry-after", "")}, datetime.now(UTC))
        raise Failed(
            REFUSED if refused else UNAVAILABLE, f"{host}: HTTP {status} {said or ''}".rstrip(), retry_after=wait
        )
    if fields is None:
        raise Failed(UNAVAILABLE, f"{host}: HTTP {status}, but the answer is no JSON object")
    kind, token = fields.get("token_type", "Bearer"), fields.get("access_token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise Failed(UNAVAILABLE, f"{host}: the token is no bearer token")
    if not isinstance(token, str) or not _TOKEN.match(token):
        raise Failed(UNAVAILABLE, f"{host}: the answer holds no usable token")
    lifetime = _lifetime(fields.get("expires_in"))
    if lifetime is None:
        raise Failed(UNAVAILABLE, f"{host}: `expires_in` is no number of seconds")
    if lifetime <= 0:
        raise Failed(UNAVAILABLE, f"{host}: the token had ended when it came")
    return Grant(token, lifetime)


def _lifetime(value: Any) -> float | None:
    """Seconds; None for what is no number. Some servers write it as a string."""
    if value is None:
        return _UNSAID_LIFETIME
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(max(min(value, _LONGEST_LIFETIME), -1.0))


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body.decode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _host(location: str) -> str | None:
    try:
        return urlsplit(location).hostname
    except ValueError:
        return "somewhere that is no URL"
