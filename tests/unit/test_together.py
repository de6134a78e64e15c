"""Coordinator and consumers together over ports in memory, with faults: each effect once, undone or shown to a person.

A random walk, not a search: the seed of a failure plays it again.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call, System
from orchestrator.core.sample import sample
from orchestrator.core.state import TERMINAL, Status
from orchestrator.database import StoreUnavailable
from orchestrator.messaging.errors import BrokerUnavailable
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import (
    BY_NAME,
    ControlCommand,
    PaymentTerms,
    Record,
    SagaControl,
    SagaRerun,
    VendorOnboardingRequested,
    VendorType,
)


class World:
    """What the systems really did under each key, four consumers, one coordinator, and what is between them."""

    def __init__(self, make_replica: Any, make_worker: Any, seed: int) -> None:
        self.dice = random.Random(seed)
        self.faults = True
        self.done: dict[str, int] = {}
        self.replica = make_replica(vendor_onboarding)
        self.workers: dict[str, Any] = {}
        for name in ("erp", "portal", "mail", "suppliers"):
            effects = next((w.effects for w in self.workers.values()), None)
            self.workers[name] = make_worker(self._system(name), clock=self.replica.clock, effects=effects, commit=0.0)
        for outbox in (self.replica.outbox, *(w.outbox for w in self.workers.values())):
            outbox.send = self._lossy(outbox.send)
        self.replica.store.begin = self._forgetful(self.replica.store.begin)
        self.routed: dict[int, int] = {}

    def _system(self, name: str) -> System:
        system = System(name)
        for record in BY_NAME.values():
            if record.contract.kind == "command" and record.contract.system == name:
                system.action(record, timeout=2.0)(self._handler(record))
                if record.contract.effect != "blind":
                    system.probe(record)(self._probe(record))
        return system

    def _handler(self, record: type[Record]) -> Any:
        async def handle(command: Record, call: Call) -> Record:
            await call.renew()
            key, keyed = call.idempotency_key, record.contract.effect == "idempotent"
            fate = self.dice.choice(["done"] * 6 + ["rejected", "failed", "cut-done", "cut"]) if self.faults else "done"
            if key in self.done and keyed:
                fate = "cut-done" if fate.startswith("cut") else "done"
            if fate.endswith("done"):
                self.done[key] = 1 if keyed else self.done.get(key, 0) + 1
            if fate.startswith("cut"):
                raise Unknown("CUT")
            if fate == "rejected":
                raise Rejected("NO")
            if fate == "failed":
                raise Failed("LATER")
            assert record.contract.completion is not None
            return sample(record.contract.completion, full=True)

        return handle

    def _probe(self, record: type[Record]) -> Any:
        async def probe(command: Record, call: Call) -> Record | None:
            await call.renew()
            if self.faults and self.dice.random() < 0.2:
                raise Unknown("CUT")
            assert record.contract.completion is not None
            effect, _, round_ = call.idempotency_key.rsplit(":", 2)
            return sample(record.contract.completion, full=True) if self.is_there(effect, int(round_)) else None

        return probe

    def is_there(self, effect: str, round_: int) -> bool:
        """Whether what a step did in that round is still there; `effect` is saga:step."""
        return f"{effect}:do:{round_}" in self.done and f"{effect}:undo:{round_}" not in self.done

    def there(self, effect: str) -> list[int]:
        return [round_ for round_ in range(1, 100) if self.is_there(effect, round_)]

    def rerun(self) -> None:
        """An operator does some step of some saga again."""
        saga_id = self.dice.choice(list(self.replica.store.sagas))
        step = self.dice.choice([step.name for step in vendor_onboarding])
        self.replica.control(saga_id, SagaRerun(step=step, actor="ops"), str(uuid7()))

    def _lossy(self, send: Any) -> Any:
        async def lossy(messages: Any) -> Any:
            if self.faults and self.dice.random() < 0.1:
                await send(messages[: self.dice.randint(0, len(messages))])
                raise BrokerUnavailable("no acknowledgement")
            return await send(messages)

        return lossy

    def _forgetful(self, begin: Any) -> Any:
        @asynccontextmanager
        async def forgetful() -> Any:
            async with begin() as transaction:
                commit = transaction.commit

                async def unknown() -> None:
                    lost = self.faults and self.dice.random() < 0.1
                    if lost and self.dice.random() < 0.5:
                        raise StoreUnavailable("before the commit")
                    await commit()
                    if lost:
                        raise StoreUnavailable("after the commit")

                transaction.commit = unknown
                yield transaction

        return forgetful

    def route(self) -> bool:
        """Carry what was sent to where it is read; some of it twice."""
        moved = False
        boxes = [self.replica.outbox, *(w.outbox for w in self.workers.values())]
        for outbox in boxes:
            start = self.routed.get(id(outbox), 0)
            self.routed[id(outbox)] = len(outbox.sent)
            for message in outbox.sent[start:]:
                system, _, kind = message.topic.partition(".")
                target = self.workers[system].inbox if kind == "commands" else self.replica.inbox
                if kind in {"commands", "completions"} or message.topic == "saga.control":
                    for _ in range(2 if self.faults and self.dice.random() < 0.1 else 1):
                        target.put_again(message)
                    moved = True
        return moved

    def wake(self) -> None:
        for saga_id, state in self.replica.store.sagas.items():
            if state.wake_at is not None and state.wake_at <= self.replica.clock.now():
                self.replica.control(saga_id, SagaControl(command=ControlCommand.wake), str(uuid7()))

    async def turn(self, seconds: float) -> None:
        self.replica.clock.seconds += seconds
        self.wake()
        await self.replica.coordinator.step()
        self.route()
        for worker in self.workers.values():
            await worker.runtime.step()
        for _ in range(40):
            await asyncio.sleep(0)
        assert all(w.runtime._failure is None for w in self.workers.values())
        self.route()


@pytest.mark.parametrize("seed", range(60))
async def test_each_effect_happens_once_and_is_undone_or_shown(make_replica: Any, make_worker: Any, seed: int) -> None:
    await play(make_replica, make_worker, seed)


async def play(make_replica: Any, make_worker: Any, seed: int) -> list[int]:
    """One walk; the rounds that its steps got to."""
    rounds: list[int] = []
    world = World(make_replica, make_worker, seed)
    vendors = [
        VendorOnboardingRequested(
            vendor_name=f"Vendor {number}",
            vendor_type=VendorType.SUPPLIER,
            tax_id="DE123456789",
            payment_terms=PaymentTerms.NET_30,
            primary_contact_name="Ada",
            primary_contact_email="ada@example.com",
            category="bearings",
        )
        for number in range(4)
    ]
    for vendor in vendors:
        world.replica.request(vendor)
        if world.dice.random() < 0.3:
            world.replica.control(vendor.saga_id, SagaControl(command=ControlCommand.cancel, actor="ops"), "cancel")
    for _ in range(60):
        await world.turn(world.dice.choice([0.0, 0.1, 1.0, 40.0]))
        if world.replica.store.sagas and world.dice.random() < 0.1:
            world.rerun()
    world.faults = False
    for _ in range(120):
        await world.turn(10.0)
    assert len(world.replica.store.sagas) == len(vendors)
    assert all(count == 1 for count in world.done.values()), world.done
    for saga_id, state in world.replica.store.sagas.items():
        assert state.status in TERMINAL or state.status is Status.REVIEW, state
        for step in vendor_onboarding:
            there = world.there(f"{saga_id}:{step.name}")
            if state.status is Status.COMPLETED:
                assert len(there) == 1
            elif state.status in TERMINAL:
                assert not there, f"{step.name} was left behind"
            assert len(there) <= 1, f"{step.name} is there twice"
            rounds.append(state.steps[step.name].round if step.name in state.steps else 1)
    return rounds
