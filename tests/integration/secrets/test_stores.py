"""Secrets out of real stores: AWS Secrets Manager (moto's server) and Vault's own core."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from consumers.connectors.auth.reference import Reference
from consumers.connectors.secrets.aws import AwsSecretsManager
from consumers.connectors.secrets.cache import Leases, Secrets
from consumers.connectors.secrets.source import Source
from consumers.connectors.secrets.vault import Vault
from consumers.errors import Failed

# The fixture of Vault builds it when it is not in the cache.
pytestmark = pytest.mark.timeout(1800)


def secrets_of(sources: Mapping[str, Callable[[], Source]]) -> Secrets:
    """Every read is a read of the store."""
    return Secrets(sources, leases=Leases(lease=0, stale=0))


async def read(secrets: Secrets, text: str) -> tuple[str, str | None]:
    pair = await secrets.read(Reference.parse(text), who="erp")
    return pair.current.reveal(), pair.previous.reveal() if pair.previous else None


async def refusal(secrets: Secrets, text: str) -> str:
    with pytest.raises(Failed) as refused:
        await read(secrets, text)
    assert refused.value.code == "SECRET_UNAVAILABLE"
    return refused.value.message


class TestAws:
    @pytest.fixture
    def options(self, aws: str) -> dict[str, Any]:
        return {
            "endpoint_url": aws,
            "region_name": "eu-central-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }

    @pytest.fixture
    def secrets(self, options) -> Secrets:
        return secrets_of({"aws-sm": lambda: AwsSecretsManager(**options)})

    @pytest.fixture
    def client(self, options) -> Any:
        import boto3

        return boto3.client("secretsmanager", **options)

    async def test_a_secret_its_field_and_its_rotation(self, secrets, client):
        arn = client.create_secret(Name="prod/erp", SecretString='{"user": "saga", "password": "hunter1"}')["ARN"]
        assert await read(secrets, "aws-sm:prod/erp#password@previous") == ("hunter1", None)
        assert await read(secrets, f"aws-sm:{arn}#user") == ("saga", None)
        client.put_secret_value(SecretId="prod/erp", SecretString='{"user": "saga", "password": "hunter2"}')
        assert await read(secrets, "aws-sm:prod/erp#password@previous") == ("hunter2", "hunter1")

    async def test_what_goes_wrong_is_named(self, secrets, client, options):
        assert "ResourceNotFoundException" in await refusal(secrets, "aws-sm:nobody/has-this")
        client.create_secret(Name="binary", SecretBinary=b"hunter1")
        assert "binary" in await refusal(secrets, "aws-sm:binary")
        away = secrets_of({"aws-sm": lambda: AwsSecretsManager(**options | {"endpoint_url": "http://127.0.0.1:9"})})
        assert "EndpointConnectionError" in await refusal(away, "aws-sm:prod/erp")


class TestVault:
    @pytest.fixture
    def admin(self, vault) -> Any:
        import hvac

        return hvac.Client(url=vault.url, token=vault.token)

    @pytest.fixture
    def secrets(self, vault) -> Secrets:
        return secrets_of({"vault": lambda: Vault({"VAULT_ADDR": vault.url, "VAULT_TOKEN": vault.token})})

    async def test_a_field_and_its_rotation(self, secrets, admin):
        write = admin.secrets.kv.v2.create_or_update_secret
        write(path="prod/erp", mount_point="kv", secret={"password": "hunter1"})
        assert await read(secrets, "vault:kv/prod/erp#password@previous") == ("hunter1", None)
        write(path="prod/erp", mount_point="kv", secret={"password": "hunter2"})
        assert await read(secrets, "vault:kv/prod/erp#password@previous") == ("hunter2", "hunter1")
        admin.secrets.kv.v2.delete_secret_versions(path="prod/erp", mount_point="kv", versions=[1])
        assert await read(secrets, "vault:kv/prod/erp#password@previous") == ("hunter2", None)

    async def test_what_goes_wrong_is_named(self, secrets, admin, vault):
        assert "no such secret" in await refusal(secrets, "vault:kv/nobody/has-this#a")
        admin.secrets.kv.v2.create_or_update_secret(path="gone", mount_point="kv", secret={"a": "hunter1"})
        admin.secrets.kv.v2.delete_latest_version_of_secret(path="gone", mount_point="kv")
        assert "deleted" in await refusal(secrets, "vault:kv/gone#a")
        stranger = secrets_of({"vault": lambda: Vault({"VAULT_ADDR": vault.url, "VAULT_TOKEN": "no"})})
        assert "Forbidden" in await refusal(stranger, "vault:kv/gone#a")
        away = secrets_of({"vault": lambda: Vault({"VAULT_ADDR": "http://127.0.0.1:9", "VAULT_TOKEN": "no"})})
        assert "ConnectionError" in await refusal(away, "vault:kv/gone#a")

    async def test_a_role_logs_in_again_when_its_token_has_ended(self, admin, vault):
        admin.sys.enable_auth_method("approle")
        admin.sys.create_or_update_policy("erp", 'path "kv/data/prod/*" { capabilities = ["read"] }')
        admin.auth.approle.create_or_update_approle("erp", token_policies=["erp"])
        admin.secrets.kv.v2.create_or_update_secret(path="prod/role", mount_point="kv", secret={"a": "hunter1"})
        env = {
            "VAULT_ADDR": vault.url,
            "VAULT_ROLE_ID": admin.auth.approle.read_role_id("erp")["data"]["role_id"],
            "VAULT_SECRET_ID": admin.auth.approle.generate_secret_id("erp")["data"]["secret_id"],
        }
        source = Vault(env)
        secrets = secrets_of({"vault": lambda: source})
        assert await read(secrets, "vault:kv/prod/role#a") == ("hunter1", None)
        admin.auth.token.revoke(source._client.token)
        assert await read(secrets, "vault:kv/prod/role#a") == ("hunter1", None)
        assert "Forbidden" in await refusal(secrets, "vault:kv/other#a")

    async def test_an_agents_token_file_is_followed(self, admin, vault, tmp_path: Path):
        admin.secrets.kv.v2.create_or_update_secret(path="prod/agent", mount_point="kv", secret={"a": "hunter1"})
        path = tmp_path / "token"
        secrets = secrets_of({"vault": lambda: Vault({"VAULT_ADDR": vault.url, "VAULT_TOKEN_FILE": str(path)})})
        assert "FileNotFound" in await refusal(secrets, "vault:kv/prod/agent#a")
        path.write_text("old")
        assert "Forbidden" in await refusal(secrets, "vault:kv/prod/agent#a")
        path.write_text(vault.token + "\n")
        assert await read(secrets, "vault:kv/prod/agent#a") == ("hunter1", None)

    async def test_the_loop_goes_on_while_a_store_is_read(self, secrets, admin):
        admin.secrets.kv.v2.create_or_update_secret(path="prod/slow", mount_point="kv", secret={"a": "hunter1"})
        asking = asyncio.create_task(read(secrets, "vault:kv/prod/slow#a"))
        await asyncio.sleep(0)
        assert not asking.done()
        assert await asking == ("hunter1", None)
