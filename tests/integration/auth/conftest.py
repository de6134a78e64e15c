"""A token server that nobody here wrote, and sockets that answer what a test tells them to."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import TypeAdapter

from consumers.connectors.auth.credentials import make_credentials
from consumers.connectors.auth.spec import AuthSpec
from consumers.connectors.auth.tokens import Tokens
from consumers.connectors.guard import InPlace
from consumers.connectors.http import Credentials
from consumers.connectors.rest import RestClient, Timeouts
from consumers.connectors.secrets.cache import Leases, Secrets
from consumers.connectors.secrets.source import Environment, Files
from consumers.system import Call


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    peer: str = ""  # the name in the client's certificate

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def assertion(self) -> dict[str, Any]:
        """The claims of the JWT that the form carries."""
        text = self.form.get("client_assertion") or self.form["assertion"]
        return json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))


Answer = bytes | tuple[int, Any]


@dataclass
class Wire:
    """An HTTP server whose answers are the test's: (status, JSON), or raw bytes after which it hangs up."""

    answer: Callable[[Request], Answer | Awaitable[Answer]]
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    def hang_up(self) -> None:
        """Close what is open: the next call opens a connection of its own."""
        while self.writers:
            self.writers.pop().close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        subject = dict(part[0] for part in (writer.get_extra_info("peercert") or {}).get("subject", ()))
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                parts = urlsplit(target)
                request = Request(
                    method, parts.path, dict(parse_qsl(parts.query)), headers, body, subject.get("commonName", "")
                )
                self.requests.append(request)
                found = self.answer(request)
                answer = found if isinstance(found, bytes | tuple) else await found
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                    return
                writer.write(as_json(*answer))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


def as_json(status: int, value: Any) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def _wire(
    answer: Callable[[Request], Answer | Awaitable[Answer]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Wire]:
    made = Wire(answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    made.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


@pytest.fixture
def wire() -> Any:
    """`async with wire(answer, tls) as server`."""
    return _wire


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Secrets in variables that a test may change, tokens and time of its own."""

    variables: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.secrets = Secrets(
            {"env": lambda: Environment(self.variables), "file": Files},
            leases=Leases(lease=300),
            clock=self.clock,
            uniform=lambda low, high: high,
        )
        self.tokens = Tokens(clock=self.clock, uniform=lambda low, high: high)

    def credentials(self, block: Mapping[str, Any], **options: Any) -> Credentials:
        spec: AuthSpec = TypeAdapter(AuthSpec).validate_python(block)
        return make_credentials(spec, self.secrets, system="erp", tokens=self.tokens, **options)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client() -> Any:
    """`client(url, credentials)`: our REST client, which sends once."""
    return _client


def _client(url: str, credentials: Credentials, **options: Any) -> RestClient:
    timeouts = Timeouts(connect=10, read=30, write=30, pool=60)
    return RestClient(url, timeouts=timeouts, retries=InPlace(attempts=1), credentials=credentials, **options)


@pytest.fixture
def call() -> Call:
    async def renew() -> None:
        """The claim is ours."""

    return Call(UUID(int=1), "erp-vendor", "do", 1, "key-1", renew)


@pytest.fixture
def private_key() -> tuple[str, str]:
    """A new RSA key: private and public, PEM."""
    key = rsa.generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def authority() -> Authority:
    return Authority()


class Authority:
    """Signs certificates for one test."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        made = self._built(self._name, self._key.public_key(), datetime.now(UTC) + timedelta(days=30))
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        made = made.add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True
        )
        self.pem = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def issue(self, name: str, *, days: float = 20) -> tuple[str, str]:
        """Certificate and key, PEM. Good for clients and for 127.0.0.1."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._built(subject, key.public_key(), datetime.now(UTC) + timedelta(days=days))
        made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        made = made.add_extension(usage, False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM).decode(), private

    def server(self, folder: Path, *, ask: bool) -> ssl.SSLContext:
        """For a server on 127.0.0.1; with `ask`, clients need a certificate of this authority."""
        path = folder / "server.pem"
        certificate, key = self.issue("server")
        path.write_text(key + certificate)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem)
        context.load_cert_chain(path)
        context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
        return context

    def _built(self, subject: x509.Name, key: Any, end: datetime) -> x509.CertificateBuilder:
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=40))
            .not_valid_after(end)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)
        )
