"""AWS Secrets Manager by boto3. Region, endpoint and our own identity are boto3's to find (`AWS_REGION`, role, …).

Rotation there moves the stages AWSCURRENT and AWSPREVIOUS between versions:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html
"""

from __future__ import annotations

from typing import Any

from consumers.connectors.secrets.secret import Secret
from consumers.connectors.secrets.source import Away, Document, Gone, client_module

__all__ = ["AwsSecretsManager"]

_CONNECT_SECONDS = 2
_READ_SECONDS = 5
# Of the service: those that say that there is nothing for us. All others may pass.
_GONE = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class AwsSecretsManager:
    """Secrets by name or ARN. Connects with the first read.

    Args:
        options: of `boto3.client`, such as `region_name` and `endpoint_url`.

    """

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._client: Any = None

    def read(self, name: str, *, previous: bool) -> Document:
        """See `Source.read`."""
        botocore = client_module("botocore.exceptions", "aws")
        try:
            client = self._connected()
            current = self._stage(client, name, "AWSCURRENT")
            if current is None:
                msg = "the secret has no current version"
                raise Gone(msg)
            return Document(current, self._before(client, name) if previous else None)
        except botocore.ClientError as exc:
            code = _code(exc)
            raise (Gone if code in _GONE else Away)(code) from None
        except botocore.BotoCoreError as exc:
            raise Away(type(exc).__name__) from None

    def _before(self, client: Any, name: str) -> Secret | None:
        try:
            return self._stage(client, name, "AWSPREVIOUS")
        except client.exceptions.ResourceNotFoundException:
            return None  # it was never rotated

    def _stage(self, client: Any, name: str, stage: str) -> Secret | None:
        answer = client.get_secret_value(SecretId=name, VersionStage=stage)
        text = answer.get("SecretString")
        if not text:
            msg = "the secret is binary or empty: only text can be used"
            raise Gone(msg)
        return Secret(text, answer["VersionId"])

    def _connected(self) -> Any:
        if self._client is None:
            boto3 = client_module("boto3", "aws")
            config = client_module("botocore.config", "aws").Config(
                connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 2}
            )
            self._client = boto3.client("secretsmanager", config=config, **self._options)
        return self._client


def _code(exc: Any) -> str:
    return str(exc.response.get("Error", {}).get("Code", "ClientError"))
