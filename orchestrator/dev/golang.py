"""Programs written in Go without an installer: built by `go install` once into a cache folder of the user.

Which proxy Go fetches modules from is its own configuration (GOPROXY); the checksum database vouches for them.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from orchestrator.dev.errors import ChildFailed, FetchFailed, MissingTool, NotReady
from orchestrator.dev.maven import cached
from orchestrator.dev.process import Command, run

__all__ = ["has_go", "program"]

_BUILD_SECONDS = 900.0
_NEED_GO = "Go is missing: install it (Debian: apt-get install golang-go)"


def has_go() -> bool:
    """Whether there is a `go` on PATH."""
    return shutil.which("go") is not None


def program(module: str, version: str) -> Path:
    """The program of that module, `github.com/stripe/stripe-mock` for one.

    Args:
        module: path of its main package.
        version: exact, `v0.203.0`.

    Raises:
        MissingTool: there is no Go.
        FetchFailed: it cannot be fetched or built.

    """
    name = module.rpartition("/")[2]

    def fill(into: Path) -> None:
        go = shutil.which("go")
        if go is None:
            raise MissingTool(_NEED_GO)
        environment = {**os.environ, "GOBIN": str(into), "GOFLAGS": "-trimpath"}
        command = Command(
            "go install", [go, "install", f"{module}@{version}"], log=into / "go.log", cwd=into, env=environment
        )
        try:
            run(command, _BUILD_SECONDS)
        except (ChildFailed, NotReady) as exc:
            raise FetchFailed(str(exc)) from exc

    return cached(f"go-{name}-{version}", fill) / name
