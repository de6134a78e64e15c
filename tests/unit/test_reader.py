"""What an operator, or anybody, may put into a control message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from uuid_utils.compat import uuid7

from orchestrator.messaging.errors import BadMessage
from orchestrator.messaging.event import Event
from orchestrator.messaging.message import Incoming
from orchestrator.messaging.reader import Reader
from schemas.codec import Codec
from schemas.models import ControlCommand, SagaControl
from schemas.registry import FixedIds


@pytest.mark.parametrize("resolved", ["Done", "", "not-done\x00", "x" * 600])
def test_resolved_says_done_or_not_done(resolved: str) -> None:
    codec = Codec(FixedIds())
    control = SagaControl(command=ControlCommand.retry, resolved=resolved)
    event = Event("c", "operator/ops", "t", datetime.now(UTC), uuid7())
    message = Incoming("saga.control", 0, 0, b"k", codec.encode(control), event.headers())
    with pytest.raises(BadMessage, match="resolved"):
        Reader(codec, {}).read(message)
