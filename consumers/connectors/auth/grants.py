"""What is asked of a token server for each kind of client, and the one more try that a rotation takes."""

from __future__ import annotations

import asyncio
import base64
import secrets
import ssl
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import quote_plus, urlsplit

from joserfc import jwt
from joserfc.jwk import import_key

from consumers.connectors.auth import exchange
from consumers.connectors.auth.spec import ClientCredentials, JwtBearer, SigningKey
from consumers.connectors.auth.tls import ClientTls
from consumers.connectors.auth.tokens import Grant
from consumers.connectors.secrets.rotating import Rotating
from consumers.connectors.secrets.secret import Secret
from consumers.errors import Failed
from orchestrator import telemetry

__all__ = ["Asker", "Proving", "ask_with", "make_asker"]

_ASSERTION_SECONDS = 60
_TRIES = 3
_KIND: Mapping[str, Literal["RSA", "EC"]] = {"RS": "RSA", "PS": "RSA", "ES": "EC"}


class Proving(Protocol):
    """What proves the client to the token server, in its versions."""

    async def version(self) -> str:
        """Of what would be used now."""
        ...

    async def refused(self, version: str) -> bool:
        """See `Rotating.refused`."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """How to ask one token server.

    Attributes:
        proving: the secret, key or certificate; its version is part of the token's key.
        purpose: see `Key`.
        form: the form and headers of one request.

    """

    url: str
    proving: Proving
    purpose: Hashable
    form: Callable[[], Awaitable[tuple[Mapping[str, str], Mapping[str, str]]]]
    verify: ssl.SSLContext | bool
    tls: ClientTls | None


async def ask_with(asker: Asker) -> Grant:
    """A token; where the server refuses the proof, with another version of it if there is one.

    Raises:
        Failed: TOKEN_REFUSED, TOKEN_UNAVAILABLE, SECRET_UNAVAILABLE, BAD_KEY, BAD_CERTIFICATE, CERTIFICATE_EXPIRED.

    """
    tried: set[str] = set()
    facts = {"http.request.method": "POST", "server.address": urlsplit(asker.url).hostname or ""}
    while True:
        version = await asker.proving.version()
        tried.add(version)
        form, headers = await asker.form()
        if asker.tls is not None:
            await asker.tls.ready()
        with telemetry.calling("token", facts):
            try:
                grant = await exchange.ask(asker.url, form, headers, verify=asker.verify)
                return replace(grant, secret_version=version)
            except Failed as exc:
                telemetry.failed(exc.code)
                # Left by the exception's own way, a driver's text would stand in the span.
                error = exc
        again = error.code == exchange.REFUSED and len(tried) < _TRIES and await asker.proving.refused(version)
        if not again or await asker.proving.version() in tried:
            raise error


@dataclass(frozen=True, slots=True)
class _BySecret:
    rotating: Rotating

    async def version(self) -> str:
        return (await self.rotating.read()).version

    async def refused(self, version: str) -> bool:
        return await self.rotating.refused(version)


def make_asker(
    spec: ClientCredentials | JwtBearer,
    rotating: Rotating | None,
    tls: ClientTls | None,
    *,
    verify: ssl.SSLContext | bool,
    now: Callable[[], datetime],
) -> Asker:
    """How to ask for a token by this specification. `rotating` is its secret or private key; None with `tls` alone."""
    proving: Proving | None = _BySecret(rotating) if rotating is not None else tls
    if proving is None:
        msg = "a client needs a secret, a key or a certificate"
        raise ValueError(msg)
    context = tls.context if tls is not None else verify
    if isinstance(spec, JwtBearer):
        assert rotating is not None
        assertion = _Assertion(spec, rotating, now)
        purpose = (str(spec.issuer), str(spec.subject), spec.audience, spec.scopes, tuple(sorted(spec.extra.items())))
        return Asker(spec.token_url, proving, purpose, assertion.form, context, tls)
    client = _Client(spec, rotating, now)
    of_it = (str(spec.client_id), spec.scopes, spec.audience, spec.resource, tuple(sorted(spec.extra.items())))
    return Asker(spec.token_url, proving, of_it, client.form, context, tls)


@dataclass(frozen=True, slots=True)
class _Client:
    """Client credentials: RFC 6749 §4.4, proved by §2.3.1, RFC 7523 §2.2 or RFC 8705 §2."""

    spec: ClientCredentials
    rotating: Rotating | None
    now: Callable[[], datetime]

    async def form(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        spec = self.spec
        form = {"grant_type": "client_credentials", **spec.extra}
        if spec.scopes and spec.scopes_in == "request":
            form["scope"] = " ".join(spec.scopes)
        form |= {name: text for name in ("audience", "resource") if (text := getattr(spec, name)) is not None}
        if self.rotating is None:
            return form | {"client_id": str(spec.client_id)}, {}
        secret = await self.rotating.read()
        client = await self.rotating.beside(spec.client_id, secret)
        if spec.auth_method == "client_secret_basic":
            # §2.3.1: both are form-encoded first, so that a colon in them is no separator.
            pair = f"{quote_plus(client)}:{quote_plus(secret.reveal())}"
            return form, {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        form["client_id"] = client
        if spec.auth_method == "client_secret_post":
            return form | {"client_secret": secret.reveal()}, {}
        assert spec.private_key is not None
        claims = {"iss": client, "sub": client, "aud": spec.token_url}
        if spec.scopes and spec.scopes_in == "assertion":
            claims["scope"] = " ".join(spec.scopes)
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        form["client_assertion"] = await _signed(
            spec.private_key, self.rotating, secret, claims, self.now(), _ASSERTION_SECONDS
        )
        return form, {}


@dataclass(frozen=True, slots=True)
class _Assertion:
    """A service account: RFC 7523 §2.1."""

    spec: JwtBearer
    rotating: Rotating
    now: Callable[[], datetime]

    async def form(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        spec, key = self.spec, await self.rotating.read()
        claims = {"iss": await self.rotating.beside(spec.issuer, key), "aud": spec.audience or spec.token_url}
        if spec.subject is not None:
            claims["sub"] = await self.rotating.beside(spec.subject, key)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", **spec.extra}
        if spec.scopes:
            (claims if spec.scopes_in == "assertion" else form)["scope"] = " ".join(spec.scopes)
        form["assertion"] = await _signed(spec.private_key, self.rotating, key, claims, self.now(), spec.lifetime)
        return form, {}


async def _signed(
    key: SigningKey, rotating: Rotating, secret: Secret, claims: Mapping[str, str], now: datetime, lifetime: int
) -> str:
    """A JWT over these claims with `iat`, `exp` and a `jti` of its own.

    Raises:
        Failed: BAD_KEY, SECRET_UNAVAILABLE.

    """
    kid = None if key.kid is None else await rotating.beside(key.kid, secret)

    def sign() -> str:
        issued = int(now.timestamp())
        own = {"iat": issued, "exp": issued + lifetime, "jti": secrets.token_urlsafe(24)}
        header = {"alg": key.alg, "typ": "JWT"} | ({"kid": kid} if kid else {})
        signer = import_key(secret.reveal(), _KIND[key.alg[:2]])
        return jwt.encode(header, {**claims, **own}, signer, algorithms=[key.alg])

    try:
        return await asyncio.to_thread(sign)
    except Exception as exc:  # noqa: BLE001 - the library's and cryptography's errors have no root in common
        raise Failed("BAD_KEY", f"{key.key}: cannot sign {key.alg}: {type(exc).__name__}") from None
