"""From the `auth:` block of an integration to the `Credentials` of its client."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import assert_never

from consumers.connectors.auth.grants import Asker, ask_with, make_asker
from consumers.connectors.auth.spec import (
    ApiKey,
    AuthSpec,
    Basic,
    ClientCredentials,
    JwtBearer,
    MutualTls,
    Reference,
    WsSecurity,
)
from consumers.connectors.auth.tls import ClientTls
from consumers.connectors.auth.tokens import Grant, Key, Tokens, shared_tokens
from consumers.connectors.http import Credentials, Proof, UsernameToken
from consumers.connectors.secrets.cache import Secrets
from consumers.connectors.secrets.rotating import Rotating
from consumers.connectors.secrets.secret import Secret
from consumers.errors import Failed

__all__ = ["make_credentials"]


def make_credentials(
    spec: AuthSpec,
    secrets: Secrets,
    *,
    system: str,
    tokens: Tokens | None = None,
    verify: ssl.SSLContext | bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Credentials:
    """The credentials of one system. Nothing is read and nobody connected to before the first call.

    Args:
        system: for whom; stands in the audit of secrets and in the key of tokens.
        tokens: where tokens are kept; by default the one of this process.
        verify: TLS context of connections, to the token server too; without meaning where a certificate of ours makes
            its own.
        now: aware; for assertions and the ends of certificates.

    """
    match spec:
        case ClientCredentials():
            tls = None if spec.mtls is None else ClientTls(spec.mtls, secrets, system, now)
            reference = spec.secret or (spec.private_key.key if spec.private_key else None)
            rotating = None if reference is None else Rotating(secrets, reference, system)
            asker = make_asker(spec, rotating, tls, verify=verify, now=now)
            return _ByToken(system, asker, tokens or shared_tokens())
        case JwtBearer():
            rotating = Rotating(secrets, spec.private_key.key, system)
            return _ByToken(system, make_asker(spec, rotating, None, verify=verify, now=now), tokens or shared_tokens())
        case ApiKey():
            return _BySecret(Rotating(secrets, spec.key, system), _api_key(spec), verify=verify)
        case Basic():
            rotating = Rotating(secrets, spec.password, system)
            return _BySecret(rotating, _basic, spec.username, verify)
        case WsSecurity():
            rotating = Rotating(secrets, spec.password, system)
            return _BySecret(rotating, _username_token(spec), spec.username, verify)
        case MutualTls():
            return _ByCertificate(ClientTls(spec, secrets, system, now))
    assert_never(spec)


@dataclass(frozen=True, slots=True)
class _ByToken:
    system: str
    asker: Asker
    tokens: Tokens

    @property
    def verify(self) -> ssl.SSLContext | bool:
        return self.asker.verify

    async def proof(self) -> Proof:
        token = await self.tokens.get(await self._key(), self._fetch)
        return Proof(token.version, {"authorization": f"Bearer {token.reveal()}"})

    async def refused(self, sent: Proof) -> bool:
        return await self.tokens.refused(await self._key(), sent.version, self._fetch)

    async def _key(self) -> Key:
        version = await self.asker.proving.version()
        return Key(self.system, self.asker.url, self.asker.purpose, version)

    async def _fetch(self) -> Grant:
        return await ask_with(self.asker)


@dataclass(frozen=True, slots=True)
class _BySecret:
    """A secret that is sent as it is. `name` goes with it where the proof has one."""

    rotating: Rotating
    prove: Callable[[str, Secret], Proof]
    name: Reference | str = ""
    verify: ssl.SSLContext | bool = True

    async def proof(self) -> Proof:
        secret = await self.rotating.read()
        return self.prove(await self.rotating.beside(self.name, secret), secret)

    async def refused(self, sent: Proof) -> bool:
        return await self.rotating.refused(sent.version)


@dataclass(frozen=True, slots=True)
class _ByCertificate:
    tls: ClientTls

    @property
    def verify(self) -> ssl.SSLContext | bool:
        return self.tls.context

    async def proof(self) -> Proof:
        return Proof(await self.tls.ready())

    async def refused(self, sent: Proof) -> bool:
        return await self.tls.refused(sent.version)


def _api_key(spec: ApiKey) -> Callable[[str, Secret], Proof]:
    prefix = f"{spec.prefix.rstrip()} " if spec.prefix else ""

    def prove(_: str, secret: Secret) -> Proof:
        if spec.header is not None:
            return Proof(secret.version, headers={spec.header.lower(): _sendable(f"{prefix}{secret.reveal()}")})
        return Proof(secret.version, params={spec.query or "": f"{prefix}{secret.reveal()}"})

    return prove


def _basic(username: str, secret: Secret) -> Proof:
    if ":" in username:
        raise Failed("BAD_SECRET", "a user name with a colon cannot be sent by basic authentication (RFC 7617)")
    pair = base64.b64encode(f"{username}:{secret.reveal()}".encode()).decode()
    return Proof(secret.version, headers={"authorization": f"Basic {pair}"})


def _username_token(spec: WsSecurity) -> Callable[[str, Secret], Proof]:
    digest = spec.password_type == "digest"  # noqa: S105 - a kind

    def prove(username: str, secret: Secret) -> Proof:
        return Proof(secret.version, username_token=UsernameToken(username, secret.reveal(), digest=digest))

    return prove


def _sendable(value: str) -> str:
    # A line break in it would be refused by the HTTP client, in an error that repeats the value.
    if not value.isascii() or not value.isprintable():
        raise Failed("BAD_SECRET", "the secret has characters that a header cannot carry")
    return value
