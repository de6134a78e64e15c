"""Client certificates on a real TLS server: needed, rotated, expired, wrong; and a token server that wants one."""

from __future__ import annotations

import ssl

import pytest

from consumers.connectors.auth.spec import MutualTls
from consumers.connectors.auth.tls import ssl_context
from consumers.errors import ActionError, Failed

MTLS = {"type": "mtls", "certificate": "env:CERT", "key": "env:KEY", "ca": "env:CA"}


@pytest.fixture
def keyed(world, authority):
    """A world with a certificate of the authority."""
    world.variables["CERT"], world.variables["KEY"] = authority.issue("saga 1")
    world.variables["CA"] = authority.pem
    return world


def ok(request):
    return 200, {"by": request.peer}


async def test_a_system_that_wants_a_certificate(keyed, authority, call, wire, client, tmp_path):
    async with wire(ok, authority.server(tmp_path, ask=True)) as system:
        async with client(system.url, keyed.credentials(MTLS)) as rest:
            assert await rest.request("GET", "/vendors", call=call) == {"by": "saga 1"}
        # A protocol without credentials of ours takes the context alone.
        context = await ssl_context(MutualTls.model_validate(MTLS), keyed.secrets, who="erp")
        async with client(system.url, None, verify=context) as rest:
            assert await rest.request("GET", "/vendors", call=call) == {"by": "saga 1"}
        bare = ssl.create_default_context(cadata=authority.pem)
        async with client(system.url, None, verify=bare) as rest:
            with pytest.raises(ActionError):
                await rest.request("GET", "/vendors", call=call)


async def test_a_rotation_is_followed_by_new_connections(keyed, authority, call, wire, client, tmp_path):
    async with wire(ok, authority.server(tmp_path, ask=True)) as system:
        async with client(system.url, keyed.credentials(MTLS)) as rest:
            found = []
            for second in range(8):
                if second == 2:
                    keyed.variables["CERT"], keyed.variables["KEY"] = authority.issue("saga 2")
                if second == 4:
                    keyed.clock.now += 301
                system.hang_up()
                found.append((await rest.request("GET", "/vendors", call=call))["by"])
    assert found == ["saga 1"] * 4 + ["saga 2"] * 4


async def test_certificate_and_key_read_at_different_times_are_read_again(
    keyed, authority, call, wire, client, tmp_path
):
    """Two references: a call has the certificate from before the rotation, and the key from after it."""
    block = MTLS | {"certificate": "file:" + str(tmp_path / "cert.pem")}
    (tmp_path / "cert.pem").write_text(keyed.variables["CERT"])
    async with wire(ok, authority.server(tmp_path, ask=True)) as system:
        async with client(system.url, keyed.credentials(block)) as rest:
            await rest.request("GET", "/vendors", call=call)
            keyed.clock.now += 200
            certificate, keyed.variables["KEY"] = authority.issue("saga 2")
            (tmp_path / "cert.pem").write_text(certificate)
            key = next(one for one in keyed.secrets._held if one[0] == "env" and one[1] == "KEY")
            keyed.secrets._held[key].until = 0.0  # its lease ends first
            system.hang_up()
            assert await rest.request("GET", "/vendors", call=call) == {"by": "saga 2"}


async def test_what_is_wrong_with_a_certificate_is_said_and_nothing_is_sent(
    keyed, authority, call, wire, client, tmp_path
):
    good, key = authority.issue("saga")
    expired, its_key = authority.issue("saga", days=-1)
    _, another = authority.issue("saga")
    wrong = {
        "CERTIFICATE_EXPIRED": (expired, its_key),
        "BAD_CERTIFICATE: env:CERT with its key: KEY_VALUES_MISMATCH": (good, another),
        "BAD_CERTIFICATE: env:CERT with its key: ": ("no PEM, hunter2", key),
        "SECRET_UNAVAILABLE: env:KEY": (good, ""),
    }
    async with wire(ok, authority.server(tmp_path, ask=True)) as system:
        for said, (certificate, private) in wrong.items():
            keyed.variables |= {"CERT": certificate, "KEY": private}
            keyed.clock.now += 4000
            async with client(system.url, keyed.credentials(MTLS)) as rest:
                with pytest.raises(Failed) as failed:
                    await rest.request("POST", "/vendors", call=call, json={})
            assert str(failed.value).startswith(said)
            assert "hunter2" not in repr(failed.value)
    assert system.requests == []


async def test_a_server_of_another_authority_is_not_told_anything(keyed, authority, call, wire, client, tmp_path):
    other = type(authority)()
    async with wire(ok, other.server(tmp_path, ask=False)) as system:
        async with client(system.url, keyed.credentials(MTLS)) as rest:
            with pytest.raises(Failed, match="CANNOT_CONNECT"):
                await rest.request("POST", "/vendors", call=call, json={})
    assert system.requests == []


async def test_a_client_that_proves_itself_by_its_certificate(keyed, authority, call, wire, client, tmp_path):
    """RFC 8705: the token server knows it by the connection, and so does the system that the token is bound to."""
    tls = authority.server(tmp_path, ask=True)
    given = {"access_token": "bound", "expires_in": 3600}
    async with wire(lambda r: (200, given | {"token_type": "Bearer"}), tls) as server, wire(ok, tls) as system:
        block = {
            "type": "oauth2_client_credentials",
            "token_url": server.url + "/token",
            "client_id": "saga",
            "auth_method": "tls_client_auth",
            "mtls": {name: MTLS[name] for name in ("certificate", "key", "ca")},
        }
        async with client(system.url, keyed.credentials(block)) as rest:
            assert await rest.request("GET", "/vendors", call=call) == {"by": "saga 1"}
    assert server.requests[0].form == {"grant_type": "client_credentials", "client_id": "saga"}
    assert server.requests[0].peer == "saga 1"
    assert system.requests[0].headers["authorization"] == "Bearer bound"
