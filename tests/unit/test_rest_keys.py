"""Sending again in place is for targets that honour the key: the contract says which do."""

from __future__ import annotations

from typing import Any

import pytest
from uuid_utils.compat import uuid7

from consumers.connectors.answers import Expectation
from consumers.connectors.guard import Verdict
from consumers.connectors.rest import RestClient, Timeouts
from consumers.errors import Unknown
from consumers.system import Call


async def _renew() -> None: ...


@pytest.mark.parametrize(("honours", "sends"), [(True, 3), (False, 1)])
async def test_a_lost_answer_is_asked_for_again_only_under_a_key(
    honours: bool, sends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Expectation] = []

    async def lost(*_: Any, expected: Expectation, **__: Any) -> Verdict:
        sent.append(expected)
        return expected.lost("NO_ANSWER", "silence")

    client = RestClient("http://erp", timeouts=Timeouts(1, 1, 1, 1))
    monkeypatch.setattr(client, "send", lost)
    call = Call(uuid7(), "s", "do", 1, "key", _renew, keyed=honours)
    with pytest.raises(Unknown):
        await client.request("POST", "/vendors", call=call)
    assert len(sent) == sends
