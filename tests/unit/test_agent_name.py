"""A request that was acknowledged can be read: its headers are as long as a reader takes."""

from __future__ import annotations

import pytest

from orchestrator import Agent


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 501, "ü" * 300, "\ud800"])
def test_a_name_that_fits_no_header_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="an agent has a name"):
        Agent(name)
