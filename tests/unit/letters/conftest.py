"""Letters as the engine writes them, and the terms on which they are replayed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from orchestrator.letters.letter import Letter, read_letter
from orchestrator.letters.plan import Terms
from orchestrator.letters.wanted import By
from orchestrator.messaging.dead_letter import Grave, bury
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Incoming, Outgoing
from orchestrator.store.partitions import uuid_at
from schemas.codec import Codec
from schemas.models import Record, VendorOnboardingRequested
from schemas.registry import FixedIds

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPICS = frozenset(
    {"vendor-onboarding.requests", "erp.commands", "erp.completions", "mail.commands", "saga.control", "new.requests"}
)


@pytest.fixture
def codec() -> Codec:
    return Codec(FixedIds())


@pytest.fixture
def saga_id() -> UUID:
    return UUID(int=uuid_at(NOW).int | 0x7 << 76 | 0x2 << 62 | 77)


@pytest.fixture
def vendor() -> VendorOnboardingRequested:
    return VendorOnboardingRequested.model_validate(
        {
            "vendor_name": "ACME", "vendor_type": "SUPPLIER", "tax_id": "DE12345678", "payment_terms": "NET_30",
            "primary_contact_name": "Ada", "primary_contact_email": "ada@example.com", "category": "bearings",
        }
    )  # fmt: skip


@pytest.fixture
def terms() -> Callable[..., Terms]:
    def make(**changes: Any) -> Terms:
        return Terms(**{"by": By("ada", "mended"), "now": NOW, "limit": 5, "topics": TOPICS, **changes})

    return make


@pytest.fixture
def make_letter(codec: Codec, saga_id: UUID) -> Callable[..., Letter]:
    """A letter of a message that was sent to `topic`, buried and read again."""

    def make(topic: str, value: Record | bytes | None, event: dict[str, Any] | None = None, **grave: Any) -> Letter:
        facts = {"id": "e1", "source": "agent/bot", "type": "t", "time": NOW, "saga_id": saga_id, "agent": "bot"}
        headers = Event(**{**facts, **(event or {})}).headers()
        data = codec.encode(value) if isinstance(value, Record) else value
        why = {"reason": "R", "message": "m", "stage": "read", "group": "g", "failed_at": NOW, **grave}
        source = (
            Outgoing(topic, b"key", data, headers)
            if why["stage"] == "saga"
            else Incoming(topic, 1, 5, b"key", data, headers)
        )
        dead = bury(source, Grave(**why))
        return read_letter(Incoming(dead.topic, 2, 9, dead.key, dead.value, dead.headers), NOW)

    return make


@pytest.fixture
def new_id() -> Callable[[], UUID]:
    return uuid7
