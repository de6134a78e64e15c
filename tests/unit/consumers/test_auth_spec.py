"""The `auth:` block: what is taken, and what is refused without being shown."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from consumers.connectors.auth.reference import Reference
from consumers.connectors.auth.spec import AuthSpec


class File(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)
    auth: AuthSpec


OAUTH = {"type": "oauth2_client_credentials", "token_url": "https://login.example.com/token", "client_id": "saga"}
GOOD = [
    OAUTH | {"secret": "env:ERP_SECRET", "scopes": "a b"},
    OAUTH | {"auth_method": "private_key_jwt", "private_key": {"key": "file:/run/secrets/key.pem", "alg": "ES256"}},
    OAUTH
    | {
        "auth_method": "tls_client_auth",
        "mtls": {"certificate": "vault:kv/a/b#crt", "key": "vault:kv/a/b#key@previous"},
    },
    {
        "type": "jwt_bearer",
        "token_url": "https://oauth2.googleapis.com/token",
        "issuer": "file:/run/secrets/google.json#client_email",
        "private_key": {"key": "file:/run/secrets/google.json#private_key"},
        "scopes": ["https://www.googleapis.com/auth/drive"],
        "scopes_in": "assertion",
    },
    {"type": "api_key", "header": "X-Api-Key", "key": "aws-sm:prod/erp#key@previous"},
    {"type": "basic", "username": "aws-sm:erp#user", "password": "aws-sm:erp#password"},
    {"type": "ws_security", "username": "saga", "password": "azure-kv:main/erp"},
    {"type": "mtls", "certificate": "file:/run/c.pem", "key": "file:/run/k.pem", "ca": "file:/run/ca.pem"},
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_good_blocks_are_read_and_written_back(block):
    read = File(auth=block)
    written = json.loads(read.model_dump_json(exclude_unset=True))
    assert File.model_validate(written) == read


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (OAUTH | {"secret": "hunter2"}, "never the secret itself"),
        (OAUTH | {"secret": {"value": "hunter2"}}, "never the secret itself"),
        (OAUTH | {"secret": "vault:kv/hunter2"}, "names no field"),
        (OAUTH | {"secret": "env:A", "extra": {"client_secret": "hunter2"}}, "may not hold client_secret"),
        (OAUTH | {"secret": "env:A", "hunter2": 1}, "Extra inputs"),
        (OAUTH | {"secret": "env:A", "private_key": {"key": "env:B"}}, "of no use"),
        (OAUTH | {"secret": "env:A", "scopes_in": "assertion"}, "there is no assertion"),
        (OAUTH | {}, "needs `secret`"),
        (OAUTH | {"auth_method": "private_key_jwt", "secret": "env:A"}, "needs `private_key`"),
        (OAUTH | {"secret": "env:A", "token_url": "http://login.example.com/token"}, "must be https"),
        (OAUTH | {"secret": "env:A", "token_url": "https://u:hunter2@login.example.com/token"}, "by reference"),
        (OAUTH | {"secret": "env:A", "token_url": "https://"}, "is no URL"),
        (OAUTH | {"secret": "env:A", "scopes": ['a"b']}, "is no scope"),
        ({"type": "api_key", "key": "env:A"}, "name one of"),
        ({"type": "api_key", "key": "env:A", "header": "X Y"}, "match pattern"),
        ({"type": "basic", "username": "env:", "password": "env:A"}, "is no reference"),
        ({"type": "kerberos"}, "does not match"),
    ],
)
def test_a_mistake_is_named_and_what_was_written_is_not_repeated(block, said):
    with pytest.raises(ValidationError) as refused:
        File(auth=block)
    text = str(refused.value)
    assert said in text
    assert "hunter2" not in text.replace("auth.oauth2_client_credentials.hunter2", "")


@pytest.mark.parametrize(
    "text",
    ["env:A", "env:A#b@previous", "file:/run/secrets/x", "aws-sm:arn:aws:secretsmanager:eu-1:1:secret:x-1#k",
     "vault:kv/a/b#c@previous", "azure-kv:my-vault/erp-key"],
)  # fmt: skip
def test_references_read_as_written_and_fit_the_published_schema(text):
    assert str(Reference.parse(text)) == text
    assert re.search(TypeAdapter(Reference).json_schema()["pattern"], text)


@pytest.mark.parametrize(
    "text", ["", "env:", "env:A B", "file:x", "vault:kv", "http://x", "azure-kv:a", "env:A#", "env:A@old"]
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="is no reference"):
        Reference.parse(text)
    assert not re.search(TypeAdapter(Reference).json_schema()["pattern"], text)
