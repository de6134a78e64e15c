"""Agents that ask for sagas at a steady rate, whatever happens, and write down what they were told."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.agent import Agent
from orchestrator.messaging.errors import BrokerUnavailable
from orchestrator.settings import Settings
from orchestrator.testing.chaos.history import History, Type
from schemas.models import PaymentTerms, VendorOnboardingRequested, VendorType

__all__ = ["FAULTS", "REQUEST", "Load", "vendor"]

REQUEST = "request"

_REFUSED = "refused by {}"


def _refusal(system: str, action: str, code: str) -> Mapping[str, Any]:
    match = {"vendor_name": _REFUSED.format(system)}
    return {"system": system, "action": action, "match": match, "fault": "error", "status": 422, "code": code}


FAULTS: Sequence[Mapping[str, Any]] = [
    _refusal("erp", "create_vendor", "INVALID_PAYMENT_TERMS"),
    _refusal("portal", "create_account", "EMAIL_IN_USE"),
    _refusal("suppliers", "approve", "NOT_ELIGIBLE"),
    # Done and not answered for a while: what dies then has done work that nobody has heard of.
    *({"system": system, "fault": "late_answer", "seconds": 0.1} for system in ("erp", "portal", "suppliers", "mail")),
]
"""The sandbox's plan: vendors of these names are refused by that system, and every answer comes late."""

_COMPENSATING = 1 / 3
# Of two sagas that ask for the same vendor, the second is one in twenty: so one in ten shares its key.
_SHARED = 1 / 20
_AGAIN = 1 / 50
_BATCH = 50
_ACKNOWLEDGED_SECONDS = 5.0
_AGAIN_SECONDS = 1.0


def vendor(chance: random.Random, series: str, number: int) -> VendorOnboardingRequested:
    """The request of that number; some ask for the same vendor as the one before them."""
    if number and chance.random() < _SHARED:
        number -= 1
    name = f"Vendor {series} {number}"
    if chance.random() < _COMPENSATING:
        # Most from furthest on, so that there is much to undo.
        name = _REFUSED.format(chance.choice(["suppliers", "suppliers", "portal", "erp"]))
    return VendorOnboardingRequested(
        vendor_name=name,
        vendor_type=VendorType.SUPPLIER,
        tax_id=f"DE{series}{number:06d}",
        payment_terms=PaymentTerms.NET_30,
        primary_contact_name=f"Ada {number}",
        primary_contact_email=f"ada{number}@{series.lower()}.example",
        category="bearings",
    )


class Load:
    """So many agents that together publish `rate` requests a second until `stop` is called.

    Open loop: what could not be published in time is published as soon as it can be. A request whose publishing nobody
    confirmed is published again by half of the agents, as one that remembers it would; by the others it is forgotten.
    """

    def __init__(self, settings: Settings, history: History, seed: int, rate: float, agents: int = 4) -> None:
        quick = {**settings.kafka, "delivery.timeout.ms": int(_ACKNOWLEDGED_SECONDS * 1000)}
        self._settings = settings.model_copy(update={"kafka": quick})
        self._history = history
        self._seed = seed
        self._rate = rate
        self._agents = agents
        self._stopping = asyncio.Event()
        self.acknowledged = 0

    def stop(self) -> None:
        """Publish nothing new."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish until stopped."""
        await asyncio.gather(*(self._agent(number) for number in range(self._agents)))

    async def _agent(self, number: int) -> None:
        name, chance = f"agent-{number}", random.Random(f"{self._seed}/{number}")  # noqa: S311 - not for secrets
        series = f"{self._seed % 10_000:04d}{number}"
        began, made = asyncio.get_running_loop().time(), 0
        async with Agent(name, self._settings) as agent:
            while not self._stopping.is_set():
                due = int((asyncio.get_running_loop().time() - began) * self._rate / self._agents) - made
                requests = [vendor(chance, series, made + n) for n in range(min(due, _BATCH))]
                made += len(requests)
                again = [request for request in requests if chance.random() < _AGAIN]
                await self._publish(agent, requests, persistent=number % 2 == 0)
                await self._publish(agent, again, persistent=False)
                if due < _BATCH:
                    await asyncio.sleep(0.5 * self._agents / self._rate)

    async def _publish(self, agent: Agent, requests: Sequence[VendorOnboardingRequested], *, persistent: bool) -> None:
        while requests:
            for request in requests:
                self._history.write(Type.INVOKE, agent.name, REQUEST, str(request.saga_id))
            told, error = Type.OK, {}
            try:
                await agent.publish_all(requests)
            except BrokerUnavailable as exc:
                told, error = Type.INFO, {"error": str(exc)}
            for request in requests:
                self._history.write(told, agent.name, REQUEST, str(request.saga_id), **error)
            self.acknowledged += len(requests) if told is Type.OK else 0
            if told is Type.OK or not persistent:
                return
            await asyncio.sleep(_AGAIN_SECONDS)
