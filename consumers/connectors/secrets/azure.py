"""Azure Key Vault by Azure's own clients. Our identity is `DefaultAzureCredential`'s to find (workload, managed, …)."""

from __future__ import annotations

from typing import Any

from consumers.connectors.secrets.secret import Secret
from consumers.connectors.secrets.source import Away, Document, Gone, client_module

__all__ = ["AzureKeyVault"]

_CONNECT_SECONDS = 2
_READ_SECONDS = 5


class AzureKeyVault:
    """Secrets by `vault/name`. Connects with the first read.

    Args:
        url: of a vault, with `{vault}` for its name: other clouds than the public one have another.
        credential: of azure-identity; the default one where None.
        options: further ones of `SecretClient`.

    """

    def __init__(self, url: str = "https://{vault}.vault.azure.net", credential: Any = None, **options: Any) -> None:
        self._url = url
        self._credential = credential
        self._options = options
        self._clients: dict[str, Any] = {}

    def read(self, name: str, *, previous: bool) -> Document:
        """See `Source.read`."""
        errors = client_module("azure.core.exceptions", "azure")
        vault, _, secret = name.partition("/")
        try:
            client = self._connected(vault)
            current = _text(client.get_secret(secret))
            return Document(current, self._before(client, secret, current.version) if previous else None)
        except errors.ResourceNotFoundError:
            raise Gone("there is no such secret") from None
        except errors.HttpResponseError as exc:
            raise Away(f"{type(exc).__name__} {exc.status_code or ''}".strip()) from None
        except errors.AzureError as exc:
            raise Away(type(exc).__name__) from None

    def _before(self, client: Any, secret: str, current: str) -> Secret | None:
        # The service lists versions in no promised order.
        found = [one for one in client.list_properties_of_secret_versions(secret) if one.enabled]
        older = sorted((one for one in found if one.version != current), key=lambda one: one.created_on)
        return _text(client.get_secret(secret, older[-1].version)) if older else None

    def _connected(self, vault: str) -> Any:
        if vault not in self._clients:
            secrets = client_module("azure.keyvault.secrets", "azure")
            if self._credential is None:
                self._credential = client_module("azure.identity", "azure").DefaultAzureCredential()
            self._clients[vault] = secrets.SecretClient(
                vault_url=self._url.format(vault=vault),
                credential=self._credential,
                connection_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retry_total=1,
                **self._options,
            )
        return self._clients[vault]


def _text(found: Any) -> Secret:
    if not found.value:
        msg = "the secret is empty"
        raise Gone(msg)
    return Secret(found.value, found.properties.version)
