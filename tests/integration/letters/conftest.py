"""A running engine whose systems fail as a test says, and the desk where its dead letters are dealt with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from consumers.errors import Rejected
from consumers.system import Call, System, SystemConfig
from orchestrator import Agent, bootstrap, database
from orchestrator.cli.errors import CliError
from orchestrator.cli.main import app
from orchestrator.core.sample import sample
from orchestrator.database import connect
from orchestrator.letters.desk import Desk
from orchestrator.settings import Settings
from schemas.models import (
    ApproveSupplier,
    ClosePortalAccount,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    Record,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
)


class Systems:
    """Handlers that record every call, and fail as a test says."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.plans: dict[type[Record], list[Any]] = {}

    def factory(self, name: str, *commands: type[Record]) -> Callable[[SystemConfig], System]:
        def build(config: SystemConfig) -> System:
            system = System(name)
            for command in commands:
                system.action(command, timeout=1.0)(self._handler(command))
            if CreateVendor in commands:
                system.probe(CreateVendor)(self._find_vendor)
            return system

        return build

    async def _find_vendor(self, command: CreateVendor, call: Call) -> None:
        """It is asked after it was undone, and it is gone."""

    def _handler(self, record: type[Record]) -> Callable[[Record, Call], Any]:
        async def handle(command: Record, call: Call) -> Record:
            await call.renew()
            self.calls.append(record.__name__)
            plan = self.plans.get(record, [])
            if plan:
                step = plan.pop(0)
                if isinstance(step, Exception):
                    raise step
            assert record.contract.completion is not None
            return sample(record.contract.completion, full=True)

        return handle


@pytest.fixture
def systems(engine: Any) -> Systems:
    made = Systems()
    engine.factories = {
        "erp": made.factory("erp", CreateVendor, DeactivateVendor),
        "portal": made.factory("portal", CreatePortalAccount, ClosePortalAccount),
        "mail": made.factory("mail", SendWelcomeEmail, SendApologyEmail),
        "suppliers": made.factory("suppliers", ApproveSupplier, RevokeSupplier),
    }
    return made


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    with bootstrap.make_desk(settings) as made:
        yield made


class Cli:
    """`saga …` in a thread of this process, on the test's settings. `said` is the last one's stderr."""

    said = ""

    async def __call__(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments), input=stdin)
        self.said = result.stderr
        got = int(result.exception.exit_code) if isinstance(result.exception, CliError) else result.exit_code
        if got != code and result.exception is not None:
            raise result.exception
        assert got == code, result.output
        return f"{result.stdout}\n{result.exception or ''}"

    async def rows(self, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
        # The engine of the test logs to the same stdout.
        lines = (await self(*arguments, "-o", "jsonl", code=code)).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    async def letters(self, *arguments: str) -> list[dict[str, Any]]:
        return await self.rows("dlq", "list", *arguments)


@pytest.fixture
def saga(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    monkeypatch.setenv("SAGA_KAFKA_BOOTSTRAP_SERVERS", settings.kafka_bootstrap_servers)
    monkeypatch.setenv("SAGA_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SAGA_SYSTEMS", settings.systems)
    monkeypatch.setenv("SAGA_KAFKA__FETCH__WAIT__MAX__MS", "20")
    # The engine of the test logs in this process too, longer than a command's stderr lasts.
    monkeypatch.setattr(bootstrap, "configure_logs", lambda settings: None)
    # A command leaves its connections to the end of its process, which here is the end of the test.
    engines: list[Any] = []

    def remembered(*arguments: Any, **options: Any) -> Any:
        engines.append(connect(*arguments, **options))
        return engines[-1]

    monkeypatch.setattr(database, "connect", remembered)
    yield Cli()
    for engine in engines:
        engine.dispose()


@pytest.fixture
def compensated(
    agent: Agent, systems: Systems, make_vendor: Callable[[int], VendorOnboardingRequested]
) -> Callable[[int], Any]:
    """Sagas that were undone because the portal refused them."""

    async def make(count: int) -> list[UUID]:
        systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "taken")] * count
        vendors = [make_vendor(number) for number in range(count)]
        await agent.publish_all(vendors)
        for vendor in vendors:
            assert (await agent.outcome(vendor.saga_id, 60)).status.value == "compensated"
        return [vendor.saga_id for vendor in vendors]

    return make


@pytest.fixture
def parked(
    agent: Agent, systems: Systems, make_vendor: Callable[[int], VendorOnboardingRequested]
) -> Callable[[], Any]:
    """A saga whose first undo the ERP refuses: it waits for a person."""

    async def make() -> UUID:
        systems.plans[CreatePortalAccount] = [Rejected("EMAIL_IN_USE", "taken")]
        systems.plans[DeactivateVendor] = [Rejected("LOCKED", "in use")]
        vendor = make_vendor(1)
        await agent.publish(vendor)
        assert (await agent.outcome(vendor.saga_id, 60)).status.value == "review"
        return vendor.saga_id

    return make
