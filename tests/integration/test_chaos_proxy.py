"""The proxy before a real PostgreSQL: a COMMIT is carried out, or not, and nobody learns which."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator

import psycopg
import pytest

from orchestrator.database import StoreUnavailable, connect, translated
from orchestrator.dev.postgres import EmbeddedPostgres
from orchestrator.dev.process import free_port
from orchestrator.testing.chaos.proxy import Cut, Proxy, _Frames

Through = Callable[[], psycopg.Connection]


@pytest.fixture
def proxy(postgres: EmbeddedPostgres) -> Iterator[Proxy]:
    with Proxy(free_port(), postgres.port) as running:
        yield running


@pytest.fixture
def direct(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE TABLE thing (name text)")
        yield connection


@pytest.fixture
def through(database_url: str, postgres: EmbeddedPostgres, proxy: Proxy, direct: psycopg.Connection) -> Through:
    url = database_url.replace("+psycopg", "").replace(f":{postgres.port}/", f":{proxy.port}/")
    return lambda: psycopg.connect(url, connect_timeout=5)


def _insert_and_commit(through: Through, name: str) -> None:
    with through() as connection:
        connection.execute("INSERT INTO thing VALUES (%s)", [name])
        connection.commit()


def _names(direct: psycopg.Connection) -> list[str]:
    return [row[0] for row in direct.execute("SELECT name FROM thing ORDER BY name").fetchall()]


def test_what_is_not_cut_goes_through(through: Through, direct: psycopg.Connection, proxy: Proxy) -> None:
    _insert_and_commit(through, "x" * 3_000_000)
    with through() as connection:
        assert connection.execute("SELECT length(name) FROM thing").fetchone() == (3_000_000,)
    assert len(_names(direct)) == 1


def test_the_commit_is_carried_out_and_its_answer_withheld(
    through: Through, direct: psycopg.Connection, proxy: Proxy
) -> None:
    proxy.cut = lambda: Cut.WITHHELD
    with pytest.raises(psycopg.OperationalError):
        _insert_and_commit(through, "unknown")
    assert _names(direct) == ["unknown"]


def test_a_commit_that_is_lost_on_its_way_did_not_happen(
    through: Through, direct: psycopg.Connection, proxy: Proxy
) -> None:
    proxy.cut = lambda: Cut.LOST
    with pytest.raises(psycopg.OperationalError):
        _insert_and_commit(through, "lost")
    direct.execute("BEGIN; LOCK TABLE thing; COMMIT")  # waits for the other session's end
    assert _names(direct) == []


def test_where_it_is_cut_at_once_postgres_still_reads_the_commit(
    through: Through, direct: psycopg.Connection, proxy: Proxy
) -> None:
    proxy.cut = lambda: Cut.AT_ONCE
    with pytest.raises(psycopg.OperationalError):
        _insert_and_commit(through, "at once")
    direct.execute("BEGIN; LOCK TABLE thing; COMMIT")
    assert _names(direct) == ["at once"]


def test_the_store_takes_it_for_an_unknown_commit(through: Through, proxy: Proxy) -> None:
    with through() as connection:
        url = connection.info.dsn
        password = connection.info.password
        parameters = connection.info.get_parameters()
    assert "password" not in url
    engine = connect(
        f"postgresql+psycopg://{parameters['user']}:{password}@127.0.0.1:{proxy.port}/{parameters['dbname']}"
    )
    proxy.cut = lambda: Cut.WITHHELD
    with pytest.raises(StoreUnavailable), translated(), engine.begin() as session:
        session.exec_driver_sql("INSERT INTO thing VALUES ('engine')")
    engine.dispose()


def test_only_a_commit_is_cut_and_not_a_text_that_says_so(
    through: Through, direct: psycopg.Connection, proxy: Proxy
) -> None:
    asked = []
    proxy.cut = lambda: asked.append(1)
    with through() as connection:
        connection.execute("SELECT 'COMMIT'")
        connection.execute("INSERT INTO thing VALUES (%s)", ["COMMIT"])
        connection.rollback()
    assert asked == []
    _insert_and_commit(through, "COMMIT")
    assert asked == [1]
    with through() as connection, connection.pipeline():
        connection.execute("INSERT INTO thing VALUES (%s)", ["in a pipeline"])
        connection.commit()
    assert asked[1:] != []
    assert _names(direct) == ["COMMIT", "in a pipeline"]


def test_a_share_is_cut_in_every_way_in_turn(through: Through, direct: psycopg.Connection, proxy: Proxy) -> None:
    struck: list[Cut] = []
    proxy.cut_some(random.Random(1), 0.5, struck.append)
    failed = 0
    for number in range(24):
        try:
            _insert_and_commit(through, f"{number:02d}")
        except psycopg.OperationalError:
            failed += 1
    proxy.calm()
    assert 3 <= failed == len(struck) < 24
    assert struck[:3] == [Cut.WITHHELD, Cut.AT_ONCE, Cut.LOST]
    direct.execute("BEGIN; LOCK TABLE thing; COMMIT")
    assert len(_names(direct)) == 24 - struck.count(Cut.LOST)


def test_late_answers_come_whole_and_in_order(through: Through, proxy: Proxy) -> None:
    late = []

    def delay() -> float:
        late.append(1)
        return 0.01 if len(late) % 2 else 0.0

    proxy.delay = delay
    with through() as connection:
        rows = connection.execute("SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) AS i").fetchall()
    assert [row[0] for row in rows] == list(range(1, 2001))
    assert len(late) > 5


def test_without_a_server_connections_end_and_with_it_they_are_there_again(
    postgres: EmbeddedPostgres, through: Through, proxy: Proxy, direct: psycopg.Connection
) -> None:
    proxy.upstream = free_port()
    with pytest.raises(psycopg.OperationalError):
        through()
    proxy.upstream = postgres.port
    _insert_and_commit(through, "back")
    assert _names(direct) == ["back"]


async def test_nothing_is_left_open_at_the_end(postgres: EmbeddedPostgres) -> None:
    with Proxy(free_port(), postgres.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")  # SSLRequest
        assert await reader.readexactly(1) == b"N"
        assert proxy.connections == 1
    assert await reader.read() == b""
    writer.close()


def test_a_commit_is_seen_however_it_is_cut_into_pieces() -> None:
    start = b"\x00\x00\x00\x0d\x00\x03\x00\x00user\x00"
    query = b"Q" + (4 + 200).to_bytes(4, "big") + b"x" * 199 + b"\x00"
    commit = b"Q\x00\x00\x00\x0bCOMMIT\x00"
    sent = start + query + commit + query + commit
    ends = [len(start + query + commit), len(sent)]
    for size in (1, 2, 3, 7, 64, len(sent)):
        frames, found = _Frames(), []
        for at in range(0, len(sent), size):
            found += [at + end for end in frames.commits(sent[at : at + size])]
        assert found == ends
