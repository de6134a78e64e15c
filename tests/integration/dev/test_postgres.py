"""The embedded PostgreSQL: what it promises to be, and how it comes back."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from orchestrator.dev.errors import BadRequest, ChildFailed
from orchestrator.dev.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), fsync=False) as found:
        yield found


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True, connect_timeout=5)


def _one(url: str, query: str) -> object:
    with _connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_it_is_what_production_has(server: EmbeddedPostgres) -> None:
    assert str(_one(server.url, "SHOW server_version")).startswith("18.")
    assert _one(server.url, "SHOW server_encoding") == "UTF8"
    assert _one(server.url, "SHOW max_connections") == "100"
    assert _one(server.url, "SHOW fsync") == "off"
    assert _one(server.url, "SELECT upper('straße ñ')") == "STRASSE Ñ" or _one(server.url, "SELECT upper('ñ')") == "Ñ"


def test_its_url_works_with_sqlalchemy(server: EmbeddedPostgres) -> None:
    assert server.url.startswith("postgresql+psycopg://")
    engine = create_engine(server.url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == "saga"
    engine.dispose()


def test_databases_are_apart(server: EmbeddedPostgres) -> None:
    one, two = server.create_database("one"), server.create_database('t"wo')
    with _connect(one) as connection:
        connection.execute("CREATE TABLE here (n int)")
    assert _one(two, "SELECT count(*) FROM pg_tables WHERE tablename = 'here'") == 0
    with pytest.raises(BadRequest, match="already exists"):
        server.create_database("one")
    with _connect(one):
        server.drop_database("one")
    server.drop_database("one")
    assert _one(server.create_database("one"), "SELECT count(*) FROM pg_tables WHERE tablename = 'here'") == 0


def test_only_who_has_the_password_comes_in(server: EmbeddedPostgres) -> None:
    password = server.url.partition("://saga:")[2].partition("@")[0]
    assert len(password) == 48
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        _connect(server.url.replace(password, "guess"))


def test_it_listens_on_loopback_only(server: EmbeddedPostgres) -> None:
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    found = [fields[1] for fields in listening if fields[3] == "0A" and int(fields[1].split(":")[1], 16) == server.port]
    assert found == [f"{int.from_bytes(socket.inet_aton('127.0.0.1'), 'little'):08X}:{server.port:04X}"]


def test_it_does_not_run_as_root(server: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0


def test_committed_work_survives_a_crash(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path) as server:
        url = server.url
        with _connect(url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (1)")
            server.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("INSERT INTO kept VALUES (2)")
        server.start()
        assert server.url == url
        assert _one(url, "SELECT count(*) FROM kept") == 1
        for mode in ("fast", "immediate"):
            server.stop(mode)  # type: ignore[arg-type]
            with pytest.raises(psycopg.OperationalError):
                _connect(url)
            server.start()
            assert _one(url, "SELECT count(*) FROM kept") == 1
        with pytest.raises(BadRequest, match="runs already"):
            server.start()


def test_a_paused_server_does_not_answer_and_goes_on(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path, fsync=False) as server, _connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        server.pause()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url.replace("+psycopg", ""), connect_timeout=2)
        server.resume()
        assert connection.execute("SELECT 2").fetchone() == (2,)


def test_the_next_server_on_a_folder_finds_the_data(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, fsync=False) as server, _connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    assert stat.S_IMODE((open_folder / "data").stat().st_mode) == 0o700
    assert stat.S_IMODE((open_folder / "password").stat().st_mode) == 0o600
    with EmbeddedPostgres(open_folder, fsync=False) as server:
        assert _one(server.url, "SELECT n FROM kept") == 42


def test_two_servers_on_one_folder_are_refused(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, fsync=False), pytest.raises(ChildFailed, match=r"postmaster\.pid"):
        EmbeddedPostgres(open_folder).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step aside")
def test_as_root_a_private_folder_is_not_used_and_nothing_is_left(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with EmbeddedPostgres(tmp_path, fsync=False) as server:
        place = Path(str(_one(server.url, "SHOW data_directory"))).parent
        assert place.is_dir()
        assert tmp_path not in place.parents
    assert not place.exists()
    assert not (tmp_path / "data").exists()


def test_it_does_not_outlive_us(dies_with_its_parent: Callable[..., int], tmp_path: Path) -> None:
    before = set(Path("/tmp").glob("saga-postgres-*"))
    program = """
import sys, time
from pathlib import Path
from orchestrator.dev.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), fsync=False)
server.start()
print("ready", flush=True)
time.sleep(600)
"""
    assert dies_with_its_parent(program, str(tmp_path)) > 5
    deadline = time.monotonic() + 10
    while left := set(Path("/tmp").glob("saga-postgres-*")) - before:
        left = {path for path in left if str(path) in (tmp_path / "postgres.log").read_text()}
        if not left:
            break
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.05)
