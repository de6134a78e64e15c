"""Java programs without an installer: their jars, fetched by Maven once into a cache folder of the user.

Where Maven fetches from, and through what, is its own configuration (settings.xml); nothing of it is known here.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from orchestrator.dev.errors import ChildFailed, FetchFailed, MissingTool, NotReady
from orchestrator.dev.process import Command, run

__all__ = ["cached", "copy_artifact", "copy_dependencies", "has_java", "has_maven", "java"]

log = structlog.get_logger(__name__)

# Named with its version: without one, each Maven has another idea of which to take.
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0"
_FETCH_SECONDS = 900.0
_NEED_JAVA = (
    "Java is missing: install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME"
)
_NEED_MAVEN = "Maven is missing: install it (Debian: apt-get install maven)"

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>saga.orchestrator.dev</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"


def java() -> str:
    """Path of the `java` program: that of JAVA_HOME, else of PATH.

    Raises:
        MissingTool: there is none.

    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    found = found or shutil.which("java")
    if found is None:
        raise MissingTool(_NEED_JAVA)
    return found


def has_java() -> bool:
    """Whether `java` finds one."""
    try:
        java()
    except MissingTool:
        return False
    return True


def has_maven() -> bool:
    """Whether there is an `mvn` on PATH."""
    return shutil.which("mvn") is not None


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """The folder of that name in our cache; the first to ask fills it, others wait for that one.

    The cache is `saga-orchestrator` in XDG_CACHE_HOME or `~/.cache`. A folder appears there only when it is complete.

    Args:
        name: of the folder, with the version of what is in it.
        fill: puts the content into the empty folder that it is given.

    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saga-orchestrator"
    target = root / name
    if target.is_dir():
        return target
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the kernel gives it back, however we end
        if target.is_dir():
            return target
        for left in root.glob(f".{name}-*"):  # of one that was killed; nobody else is here now
            shutil.rmtree(left, ignore_errors=True)
        log.info("dev.fetching", what=name, into=str(target))
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
        try:
            fill(scratch)
            scratch.chmod(0o755)
            scratch.rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target


def copy_dependencies(wanted: Sequence[tuple[str, str, str]], into: Path) -> None:
    """Put these artifacts (group, artifact, version) and all that they need at run time into a folder.

    Raises:
        MissingTool: there is no Maven, or no Java to run it.
        FetchFailed: Maven failed.

    """
    pom = _POM.format(dependencies="\n".join(_DEPENDENCY.format(*one) for one in wanted))
    with tempfile.TemporaryDirectory(prefix="saga-maven-") as work:
        path = Path(work) / "pom.xml"
        path.write_text(pom, encoding="utf-8")
        goal = [f"{_PLUGIN}:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        _maven(["-f", str(path), *goal], Path(work))


def copy_artifact(coordinates: str, into: Path) -> None:
    """Put one file, `group:artifact:version[:type[:classifier]]`, into a folder.

    Raises:
        MissingTool: there is no Maven, or no Java to run it.
        FetchFailed: Maven failed.

    """
    with tempfile.TemporaryDirectory(prefix="saga-maven-") as work:
        _maven([f"{_PLUGIN}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={into}"], Path(work))


def _maven(arguments: Sequence[str], work: Path) -> None:
    java()
    mvn = shutil.which("mvn")
    if mvn is None:
        raise MissingTool(_NEED_MAVEN)
    argv = [mvn, "--batch-mode", "--quiet", "-Dstyle.color=never", *arguments]
    try:
        run(Command(name="Maven", argv=argv, log=work / "maven.log", cwd=work), _FETCH_SECONDS)
    except (ChildFailed, NotReady) as exc:
        raise FetchFailed(str(exc)) from exc
