"""Who acts: a name that stands in the history for good."""

from __future__ import annotations

import getpass
import os

from orchestrator.cli.errors import CliError, Exit

__all__ = ["actor_name", "user"]

_LONGEST = 100


def actor_name(given: str | None) -> str:
    """The name given, or that of the user of this machine.

    Raises:
        CliError: it is no name.

    """
    name = given or user()
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST:
        raise CliError("USAGE", f"--actor: at most {_LONGEST} printable characters", exit_code=Exit.USAGE)
    return name


def user() -> str:
    """The user of the operating system."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number that has no name
        return f"uid {os.getuid()}"
