"""A small integration file, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.integrations.load import BadIntegration, read
from consumers.integrations.spec import IntegrationSpec

SHOP = (Path(__file__).parent / "shop.yaml").read_text()


@pytest.fixture
def shop() -> str:
    return SHOP


@pytest.fixture
def parsed(tmp_path: Path) -> Callable[[str], IntegrationSpec]:
    def parse(text: str) -> IntegrationSpec:
        path = tmp_path / "shop.yaml"
        path.write_text(text)
        return read(path, name="shop.yaml")

    return parse


@pytest.fixture
def told(parsed: Callable[[str], IntegrationSpec]) -> Callable[[str], list[str]]:
    """What is wrong with a file, a line for each mistake."""

    def tell(text: str) -> list[str]:
        with pytest.raises(BadIntegration) as raised:
            parsed(text)
        return str(raised.value).splitlines()

    return tell
