"""No secret in any log line, error, span or repr: every kind of credential, working, refused and broken."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import traceback

import pytest
from structlog.testing import capture_logs

from consumers.connectors.auth.tokens import Tokens
from consumers.connectors.secrets.cache import Secrets
from consumers.errors import ActionError

CANARY = "c4n4ry-0ld"
NEW = "c4n4ry-n3w"
TOKEN = "c4n4ry-t0ken"


def blocks(url: str) -> dict[str, dict]:
    oauth = {"type": "oauth2_client_credentials", "token_url": url + "/token", "client_id": "saga", "scopes": "a"}
    return {
        "basic client": oauth | {"secret": "env:S@previous"},
        "post client": oauth | {"secret": "env:S@previous", "auth_method": "client_secret_post"},
        "key client": oauth | {"auth_method": "private_key_jwt", "private_key": {"key": "env:K#key"}},
        "account": {
            "type": "jwt_bearer",
            "token_url": url + "/token",
            "issuer": "x",
            "private_key": {"key": "env:K#key"},
        },
        "header": {"type": "api_key", "key": "env:S@previous", "header": "X-Key"},
        "query": {"type": "api_key", "key": "env:S@previous", "query": "key"},
        "basic": {"type": "basic", "username": "saga", "password": "env:S@previous"},
        "soap": {"type": "ws_security", "username": "saga", "password": "env:S"},
        "mtls": {"type": "mtls", "certificate": "env:C", "key": "env:K#key"},
    }


def secret_in(text: str, world) -> str | None:
    body = "".join(json.loads(world.variables["K"])["key"].split("\n")[1:-2])
    return next((canary for canary in ("c4n4ry", body[:20], body[-20:]) if canary in text), None)


@pytest.mark.parametrize("kind", blocks(""))
@pytest.mark.parametrize("trouble", ["none", "refused", "token server", "store", "html"])
async def test_canaries(kind, trouble, world, authority, call, wire, client, spans, caplog):
    certificate, key = authority.issue("saga")
    world.variables |= {"S": NEW, "S_PREVIOUS": CANARY, "C": certificate, "K": json.dumps({"key": key})}

    def token(request):
        # It repeats all it was sent, as a server in its debug mode does.
        said = {"error": "invalid_client", "error_description": request.body.decode() + str(request.headers)}
        if trouble == "token server":
            return 401, said
        return 200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "debug": said}

    def answer(request):
        return {"refused": (401, {}), "html": b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n<p>"}.get(
            trouble, (200, {})
        )

    told: list[str] = []
    with capture_logs() as logs, caplog.at_level(logging.DEBUG):
        async with wire(token) as server, wire(answer) as system:
            credentials = world.credentials(blocks(server.url)[kind])
            async with client(system.url, credentials) as rest:
                for _ in range(3):
                    try:
                        await rest.request("POST", "/vendors", call=call, json={})
                    except ActionError as exc:
                        told += [repr(exc), str(exc.detail), *traceback.format_exception(exc)]
                    if trouble == "store":
                        world.variables.pop("S", None)
                        world.variables["K"] = json.dumps({"key": key, "old": NEW}).replace('"key"', '"nokey"')
                    world.clock.now += 4000
            world.variables["K"] = json.dumps({"key": key})
            # A SOAP client would write what the system refused; here it only asks.
            with contextlib.suppress(ActionError):
                told.append(repr(await credentials.proof()))
            ours = [
                one
                for one in gc.get_objects()
                if isinstance(one, Tokens | Secrets) or str(type(one).__module__).startswith("consumers.connectors")
            ]
            told += [repr(one) for one in (*ours, credentials, rest, world.tokens._held, world.secrets._held)]
    told += [str(line) for line in logs] + [caplog.text]
    told += [span.to_json() for span in spans.get_finished_spans()]
    assert spans.get_finished_spans()
    for text in told:
        assert secret_in(text, world) is None, f"{secret_in(text, world)} in {text[:2000]}"
    if trouble == "none":
        assert len(system.requests) == 3
