"""A client certificate by reference, in a TLS context that follows its rotation."""

from __future__ import annotations

import asyncio
import hashlib
import os
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from consumers.connectors.auth.spec import ClientCertificate
from consumers.connectors.secrets.cache import Secrets
from consumers.connectors.secrets.rotating import Rotating
from consumers.connectors.secrets.secret import Secret
from consumers.errors import Failed

__all__ = ["ClientTls", "ssl_context"]

log = structlog.get_logger(__name__)
_BAD = "BAD_CERTIFICATE"
_SOON_DAYS = 14


class ClientTls:
    """`context` offers the certificate once `ready` has been awaited; each new connection offers the newest.

    Connections that are open keep the one they began with. A rotation must stay with the kind of key (RSA, EC): OpenSSL
    keeps one certificate for each kind.
    """

    def __init__(
        self,
        spec: ClientCertificate,
        secrets: Secrets,
        who: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._spec = spec
        self._secrets = secrets
        self._who = who
        self._now = now
        # The key decides: certificate and key are of one version where they are fields of one secret.
        self._key = Rotating(secrets, spec.key, who)
        self._loaded: tuple[str, ...] = ()
        self._ends: datetime | None = None
        self._lock = asyncio.Lock()
        # With authorities of its own, none is trusted before they have been read.
        self.context = ssl.create_default_context() if spec.ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2

    async def ready(self) -> str:
        """See that the context has the newest certificate; its version.

        Raises:
            Failed: SECRET_UNAVAILABLE, BAD_CERTIFICATE, CERTIFICATE_EXPIRED; nothing has been sent.

        """
        async with self._lock:
            try:
                await self._follow()
            except Failed as exc:
                if exc.code != _BAD:
                    raise
                # Certificate and key may lie in two places, of which one was read before the rotation and one after.
                await self._renew()
                await self._follow()
        if self._ends is not None and self._now() >= self._ends:
            raise Failed("CERTIFICATE_EXPIRED", f"{self._spec.certificate}: ended at {self._ends.isoformat()}")
        return ":".join(self._loaded)

    async def version(self) -> str:
        """As `Proving.version`."""
        return await self.ready()

    async def refused(self, version: str) -> bool:
        """As `Proving.refused`: the other side did not take the certificate of that version."""
        if await self.ready() != version:
            return True
        await self._key.refused(self._loaded[0])
        return await self.ready() != version

    async def _follow(self) -> None:
        key = await self._key.read()
        certificate = await self._key.beside(self._spec.certificate, key)
        ca = None if self._spec.ca is None else (await self._secrets.read(self._spec.ca, who=self._who)).current
        versions = (key.version, hashlib.sha256(certificate.encode()).hexdigest()[:16], ca.version if ca else "")
        if versions != self._loaded:
            self._ends = await asyncio.to_thread(self._load, key.reveal(), certificate, ca)
            self._loaded = versions

    async def _renew(self) -> None:
        for reference in (self._spec.key, self._spec.certificate):
            seen = (await self._secrets.read(reference, who=self._who)).current.version
            await self._secrets.renewed(reference, refused=seen, who=self._who)

    def _load(self, key: str, certificate: str, ca: Secret | None) -> datetime:
        where = self._spec.certificate
        try:
            found = x509.load_pem_x509_certificate(certificate.encode())
            with _file(f"{key}\n{certificate}\n") as path:
                # First into a context that nobody uses: a pair that does not fit would spoil the one in use.
                for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self.context):
                    if ca is not None:
                        context.load_verify_locations(cadata=ca.reveal())
                    # The empty password: an encrypted key must not ask at a terminal.
                    context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError, OSError) as exc:
            why = exc.reason if isinstance(exc, ssl.SSLError) and exc.reason else type(exc).__name__
            raise Failed(_BAD, f"{where} with its key: {why}") from None
        ends = found.not_valid_after_utc
        left = (ends - self._now()).days
        level = log.warning if left < _SOON_DAYS else log.info
        level("certificate.loaded", certificate=str(where), who=self._who, ends=ends.isoformat(), days_left=left)
        return ends


async def ssl_context(
    spec: ClientCertificate, secrets: Secrets, *, who: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> ssl.SSLContext:
    """A context with the certificate as it is now, for protocols that have no `Credentials`; it follows no rotation.

    Raises:
        Failed: as `ClientTls.ready`.

    """
    tls = ClientTls(spec, secrets, who, now)
    await tls.ready()
    return tls.context


@contextmanager
def _file(content: str) -> Iterator[str]:
    """A path for OpenSSL, which takes certificates from files alone: in memory where the system can."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificate")
        try:
            os.write(descriptor, content.encode())
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    with tempfile.TemporaryDirectory() as folder:  # its own user's alone, and gone at once
        path = Path(folder) / "certificate.pem"
        path.touch(mode=0o600)
        path.write_text(content, encoding="ascii")
        yield str(path)
