"""HashiCorp Vault (or OpenBao), key-value engine version 2, by hvac.

https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from consumers.connectors.secrets.secret import Secret
from consumers.connectors.secrets.source import Away, Document, Gone, client_module

__all__ = ["Vault"]

_SECONDS = 5


class Vault:
    """Secrets by `mount/path`; each is a JSON object of its fields. Connects with the first read.

    Who we are is said by the variables of Vault's own tools, `VAULT_ADDR`, `VAULT_NAMESPACE`, `VAULT_CACERT`, and one
    of `VAULT_TOKEN`, `VAULT_TOKEN_FILE` (a file that Vault Agent keeps fresh: read for each request), or
    `VAULT_ROLE_ID` with `VAULT_SECRET_ID` (AppRole: logs in again when its token has ended).
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables
        self._client: Any = None

    def read(self, name: str, *, previous: bool) -> Document:
        """See `Source.read`."""
        exceptions = client_module("hvac", "vault").exceptions
        requests = client_module("requests", "vault")
        try:
            try:
                return self._read(name, previous=previous)
            except exceptions.Forbidden:
                if "VAULT_ROLE_ID" not in self._variables:
                    raise
                self._client = None  # the token of the last login may have ended
                return self._read(name, previous=previous)
        except exceptions.InvalidPath:
            raise Gone("there is no such secret, or its version was deleted") from None
        except (exceptions.VaultError, requests.RequestException) as exc:
            raise Away(type(exc).__name__) from None
        except (KeyError, TypeError, ValueError):
            raise Away("the answer is not that of a key-value engine, version 2") from None

    def _read(self, name: str, *, previous: bool) -> Document:
        client = self._connected()
        mount, _, path = name.partition("/")
        current, number = self._version(client, mount, path, None)
        before = None
        if previous and number > 1:
            # No answer for a version that was deleted or fell out of the engine's limit.
            try:
                before, _ = self._version(client, mount, path, number - 1)
            except client_module("hvac", "vault").exceptions.InvalidPath:
                before = None
        return Document(current, before)

    def _version(self, client: Any, mount: str, path: str, number: int | None) -> tuple[Secret, int]:
        answer = client.secrets.kv.v2.read_secret_version(
            path=path, version=number, mount_point=mount, raise_on_deleted_version=True
        )
        found = answer["data"]
        version = int(found["metadata"]["version"])
        return Secret(json.dumps(found["data"]), str(version)), version

    def _connected(self) -> Any:
        if self._client is None:
            hvac = client_module("hvac", "vault")
            env = self._variables
            client = hvac.Client(
                url=env.get("VAULT_ADDR", "https://127.0.0.1:8200"),
                token=env.get("VAULT_TOKEN"),
                namespace=env.get("VAULT_NAMESPACE"),
                verify=env.get("VAULT_CACERT", True),
                timeout=_SECONDS,
                allow_redirects=False,
            )
            if "VAULT_ROLE_ID" in env:
                client.auth.approle.login(role_id=env["VAULT_ROLE_ID"], secret_id=env.get("VAULT_SECRET_ID"))
            self._client = client
        if path := self._variables.get("VAULT_TOKEN_FILE"):
            try:
                self._client.token = Path(path).read_text(encoding="utf-8").strip()
            except OSError as exc:
                raise Away(f"VAULT_TOKEN_FILE cannot be read: {type(exc).__name__}") from None
        return self._client
