"""The `auth:` block of an integration file: how this installation proves to a system who it is.

Whatever is secret in it is a `Reference`. A person's or client's name may be one as well (`username: aws-sm:erp#user`),
for stores that rotate name and password together.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from consumers.connectors.auth.reference import Reference, is_reference

__all__ = [
    "ApiKey",
    "AuthSpec",
    "Basic",
    "ClientCertificate",
    "ClientCredentials",
    "JwtBearer",
    "MutualTls",
    "Reference",
    "SigningKey",
    "TokenUrl",
    "WsSecurity",
]

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_THE_GRANT: Final = frozenset(
    {"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "assertion", "scope",
     "audience", "resource", "password", "refresh_token"}
)  # fmt: skip
_ALGORITHM = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


def _token_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.username or parts.password:
        msg = "has a user or password in it: name them by reference"
        raise ValueError(msg)
    if not parts.hostname or parts.fragment:
        msg = "is no URL: write https://host/path"
        raise ValueError(msg)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        msg = "must be https://: a secret is sent there (http:// is for this machine only)"
        raise ValueError(msg)
    return text


def _scopes(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def _scope(text: str) -> str:
    # RFC 6749 §3.3
    if not re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", text):
        msg = "is no scope: no spaces, quotes or control characters"
        raise ValueError(msg)
    return text


def _maybe_reference(value: object) -> object:
    return Reference.parse(value) if isinstance(value, str) and is_reference(value) else value


Text = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[Reference | Text, BeforeValidator(_maybe_reference)]
TokenUrl = Annotated[str, AfterValidator(_token_url)]
Scopes = Annotated[tuple[Annotated[str, AfterValidator(_scope)], ...], BeforeValidator(_scopes)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=100)]


class _Strict(BaseModel):
    # A mistake may be a secret in the wrong place: what was found is never shown.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _Auth(_Strict):
    rate: Annotated[float, Field(ge=1e-4, le=1e5)] | None = Field(
        default=None, description="calls a second of all systems together that prove themselves by the same secret"
    )


class SigningKey(_Strict):
    """A private key in PEM, by reference, and how it signs. `kid` may be a reference as well: it goes with the key."""

    key: Reference
    alg: _ALGORITHM = "RS256"
    kid: Name | None = None


class ClientCertificate(_Strict):
    """A certificate (PEM, with its chain) and its private key (PEM), by reference; `ca` instead of the platform's."""

    certificate: Reference
    key: Reference
    ca: Reference | None = None


class ClientCredentials(_Auth):
    """OAuth 2.0 client credentials (RFC 6749 §4.4).

    `auth_method` says how the client proves itself: a secret as basic authentication or in the form (§2.3.1), a signed
    assertion (RFC 7523 §2.2), or its certificate (RFC 8705). With `mtls` calls to the system use the certificate too,
    since the token may be bound to it. NetSuite reads scopes in the assertion (`scopes_in: assertion`), the RFC in the
    request.
    """

    type: Literal["oauth2_client_credentials"]
    token_url: TokenUrl
    client_id: Name
    auth_method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth"] = (
        "client_secret_basic"
    )
    secret: Reference | None = None
    private_key: SigningKey | None = None
    mtls: ClientCertificate | None = None
    scopes: Scopes = ()
    scopes_in: Literal["request", "assertion"] = "request"
    audience: Text | None = None
    resource: Text | None = None
    extra: dict[str, str] = Field(default_factory=dict, description="further form fields; nothing secret")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        needed = {"private_key_jwt": "private_key", "tls_client_auth": "mtls"}.get(self.auth_method, "secret")
        if getattr(self, needed) is None:
            msg = f"auth_method {self.auth_method} needs `{needed}`"
            raise ValueError(msg)
        for other in {"secret", "private_key"} - {needed}:
            if getattr(self, other) is not None:
                msg = f"`{other}` is of no use with auth_method {self.auth_method}"
                raise ValueError(msg)
        if self.scopes_in == "assertion" and self.auth_method != "private_key_jwt":
            msg = f"there is no assertion with auth_method {self.auth_method}: leave `scopes_in` out"
            raise ValueError(msg)
        if self.auth_method == "tls_client_auth" and isinstance(self.client_id, Reference):
            msg = "with auth_method tls_client_auth, `client_id` is written out"
            raise ValueError(msg)
        _check_extra(self.extra)
        return self


class JwtBearer(_Auth):
    """A service account's signed assertion, exchanged for a token (RFC 7523 §2.1): Google, Salesforce.

    `audience` is the token URL where it is left out. Google reads scopes in the assertion (`scopes_in: assertion`), the
    RFC in the request. `lifetime` is the assertion's, in seconds: Salesforce takes 180, Google up to 3600.
    """

    type: Literal["jwt_bearer"]
    token_url: TokenUrl
    issuer: Name
    subject: Name | None = None
    audience: Text | None = None
    private_key: SigningKey
    scopes: Scopes = ()
    scopes_in: Literal["request", "assertion"] = "request"
    lifetime: int = Field(default=180, ge=30, le=3600)
    extra: dict[str, str] = Field(default_factory=dict, description="further form fields; nothing secret")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        _check_extra(self.extra)
        return self


class ApiKey(_Auth):
    """A key in a header (`prefix` before it, as `Bearer`), or in the query where a system knows no better."""

    type: Literal["api_key"]
    key: Reference
    header: HeaderName | None = None
    query: Text | None = None
    prefix: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.header is None) == (self.query is None):
            msg = "name one of `header` and `query`"
            raise ValueError(msg)
        return self


class Basic(_Auth):
    """User name and password (RFC 7617)."""

    type: Literal["basic"]
    username: Name
    password: Reference


class WsSecurity(_Auth):
    """A UsernameToken in each SOAP message (OASIS WSS 1.1)."""

    type: Literal["ws_security"]
    username: Name
    password: Reference
    password_type: Literal["text", "digest"] = "text"  # noqa: S105 - a kind


class MutualTls(ClientCertificate, _Auth):
    """A client certificate alone."""

    type: Literal["mtls"]


AuthSpec = Annotated[
    ClientCredentials | JwtBearer | ApiKey | Basic | WsSecurity | MutualTls, Field(discriminator="type")
]


def _check_extra(extra: dict[str, Any]) -> None:
    if taken := sorted(_OF_THE_GRANT & extra.keys()):
        msg = f"`extra` may not hold {', '.join(taken)}"
        raise ValueError(msg)
