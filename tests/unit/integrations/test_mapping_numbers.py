"""Numbers of an answer that are sent again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from consumers.integrations.expressions import MappingError
from consumers.integrations.mapping import plain


def test_fractions_and_wholes_are_as_json_has_them() -> None:
    assert plain({"a": [Decimal("1.5"), Decimal("2.0"), Decimal("1E+30")]}) == {"a": [1.5, 2, 10**30]}


def test_a_number_that_would_fill_the_memory_is_not_sent() -> None:
    with pytest.raises(MappingError):
        plain([Decimal("1E+999999999")])
