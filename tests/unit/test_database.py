"""What the driver's errors mean: a value that will never fit is the message's fault, not the database's."""

from __future__ import annotations

import psycopg
import pytest

from orchestrator.database import BadData, StoreConflict, StoreUnavailable, translated


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (psycopg.errors.ProgramLimitExceeded("index row size 3016 exceeds btree version 4 maximum 2704"), BadData),
        (psycopg.errors.NumericValueOutOfRange("integer out of range"), BadData),
        (psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"), BadData),
        (psycopg.errors.DeadlockDetected("deadlock"), StoreConflict),
        (psycopg.OperationalError("connection refused"), StoreUnavailable),
        (psycopg.errors.AdminShutdown("terminating connection"), StoreUnavailable),
    ],
)
def test_what_an_error_means(error: psycopg.Error, ours: type[Exception]) -> None:
    with pytest.raises(ours), translated():
        raise error


def test_text_that_is_no_unicode_is_refused_like_any_other_value() -> None:
    with pytest.raises(BadData), translated():
        "\ud800".encode()
