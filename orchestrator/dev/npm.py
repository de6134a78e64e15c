"""Programs of the Node world without an installer: packages, fetched by npm once into a cache folder of the user.

Where npm fetches from is its own configuration (.npmrc). Node itself comes as the package `node`, since what a system
has installed is often too old: only npm must be there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from orchestrator.dev.errors import ChildFailed, FetchFailed, MissingTool, NotReady
from orchestrator.dev.maven import cached
from orchestrator.dev.process import Command, run

__all__ = ["NODE", "has_npm", "node", "packages"]

NODE = "22.23.3"
_FETCH_SECONDS = 900.0
_NEED_NPM = "npm is missing: install it (Debian: apt-get install nodejs npm)"


def has_npm() -> bool:
    """Whether there is an `npm` on PATH."""
    return shutil.which("npm") is not None


def packages(name: str, wanted: Mapping[str, str]) -> Path:
    """A cached folder with these packages (name to exact version), Node, and all that they need, in `node_modules`.

    Args:
        name: of the folder, with a version; another list of packages needs another one.
        wanted: packages and their exact versions.

    Raises:
        MissingTool: there is no npm.
        FetchFailed: npm failed.

    """

    def fill(into: Path) -> None:
        npm = shutil.which("npm")
        if npm is None:
            raise MissingTool(_NEED_NPM)
        manifest = {"name": "saga-dev", "version": "1.0.0", "private": True, "dependencies": {**wanted, "node": NODE}}
        (into / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
        # `node` fetches its binary in a script of its own; no package that we ask for needs another.
        argv = [npm, "install", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
        try:
            run(Command(name="npm", argv=argv, log=into / "npm.log", cwd=into), _FETCH_SECONDS)
        except (ChildFailed, NotReady) as exc:
            raise FetchFailed(str(exc)) from exc
        if not node(into).is_file():
            msg = f"npm has fetched everything but Node itself into {into}"
            raise FetchFailed(msg)

    return cached(f"npm-{name}", fill)


def node(folder: Path) -> Path:
    """The `node` program of such a folder."""
    return folder / "node_modules" / "node" / "bin" / "node"
