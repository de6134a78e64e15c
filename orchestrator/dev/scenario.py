"""A scenario: acts that put a running stack through failures, run the operators' commands, and check the ledger.

What happens is data (`SAGA_DEMO`'s `scenario`), so that a company can write its own for its own systems. Commands are
run as an operator runs them, as processes; every claim is held against what the systems themselves have written down.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, Self, cast
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator import bootstrap
from orchestrator.agent import Agent
from orchestrator.core.state import Status
from orchestrator.database import connect
from orchestrator.dev.errors import NotReady
from orchestrator.dev.stack import Stack
from orchestrator.messaging.kafka import directly
from orchestrator.messaging.kafka_systems import KafkaSystems
from orchestrator.settings import Settings, load_attribute
from orchestrator.store.queries import Filter, Queries
from orchestrator.testing.audit import audit
from schemas.models import Request

__all__ = ["Act", "ActRun", "Narrator", "Scenario", "Stage", "load_scenario"]

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 90.0
_COMMAND_SECONDS = 120.0
# How far the measured rate of a drain may be from the limit.
_DRAIN_TOLERANCE = 0.1


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ByHand(_Data):
    """What a person does in a system itself. `says` in words; the call has no idempotency key."""

    system: str
    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    says: str


class Called(_Data):
    """The raw calls that a system got for the act's first saga, in order."""

    system: str
    actions: list[str]


class Done(_Data):
    """Wait until a system has done an action so many times for the act's sagas."""

    system: str
    action: str
    times: int


class Drained(_Data):
    """The rate at which a system did an action for the act's sagas; `limit` is calls a second."""

    system: str
    action: str
    limit: float


class Move(_Data):
    """One thing that happens; exactly one of these is given. `code` is what a command may end with."""

    faults: list[dict[str, Any]] | None = None
    publish: bool | None = None
    rest: Status | None = None
    again: Status | None = None
    away: str | None = None
    done: Done | None = None
    by_hand: ByHand | None = None
    saga: list[str] | None = None
    code: list[int] = Field(default_factory=lambda: [0])
    called: Called | None = None
    drained: Drained | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(given := self.model_fields_set - {"code"}) != 1:
            msg = f"a move is one thing, this is {', '.join(sorted(given)) or 'none'}"
            raise ValueError(msg)
        return self


class Act(_Data):
    """One act. `ledger` is the work that is to be done for each saga, in order; the last one goes for the rest, too."""

    name: str
    says: str
    definition: str
    requests: list[dict[str, Any]]
    times: int = 1
    moves: list[Move]
    ledger: list[list[str]]


class Scenario(_Data):
    """Acts, and the settings of the stack that they need."""

    settings: dict[str, str] = Field(default_factory=dict)
    acts: list[Act]


class Narrator(Protocol):
    """Who tells what happens."""

    def act(self, number: int, act: Act) -> None:
        """An act begins."""
        ...

    def happens(self, what: str) -> None:
        """Something happens that nobody typed."""
        ...

    def command(self, words: Sequence[str], output: str) -> None:
        """An operator typed this, and saw that."""
        ...

    def ended(self, run: ActRun) -> None:
        """An act is over."""
        ...


@dataclass(slots=True)
class ActRun:
    """How an act came out: its sagas, what was measured, and what was not as it should be."""

    act: Act
    sagas: list[UUID] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def load_scenario(settings: Settings, name: str) -> Scenario:
    """The scenario of that name.

    Raises:
        BadSettings: there is nothing of the kind.
        KeyError: there is none of that name.
        pydantic.ValidationError: it is not as `Scenario` says.

    """
    make: Callable[[str], Mapping[str, Any]] = load_attribute("SAGA_DEMO", f"{settings.demo}:scenario")
    return Scenario.model_validate(make(name))


class Stage:
    """Plays acts on a running stack."""

    def __init__(self, stack: Stack, narrator: Narrator) -> None:
        self._stack = stack
        self._narrator = narrator
        self._settings = stack.settings()
        self._engine = connect(self._settings.database_url)
        self._queries = Queries(self._engine)
        self._catalogue = bootstrap.load_catalogue(self._settings)
        self._ledger: Any = load_attribute("SAGA_SANDBOX", f"{self._settings.sandbox}.ledger:Ledger")

    def play(self, scenario: Scenario) -> list[ActRun]:
        """All acts, one after the other; then everything that was done against everything that the sagas say.

        Raises:
            ChildFailed: a worker ended.
            NotReady: something that was to happen did not happen in time.

        """
        runs = []
        try:
            for number, act in enumerate(scenario.acts, 1):
                self._narrator.act(number, act)
                run = self._act(act)
                self._narrator.ended(run)
                runs.append(run)
            return runs
        finally:
            self._engine.dispose()

    def audit(self, runs: Sequence[ActRun]) -> list[str]:
        """What the ledger and the sagas disagree about; empty where all is well."""
        rows = self._queries.some([saga_id for run in runs for saga_id in run.sagas])
        known = {}
        for row in rows:
            definition = self._catalogue.get(row.state.definition, row.state.version)
            assert definition is not None
            known[row.id] = (definition, row.state)
        ledger = self._ledger.read(self._stack.ledger)
        return audit(known, ledger.applied()) + [f"{key} was done {n} times" for key, n in ledger.doubled().items()]

    # -- one act --------------------------------------------------------------------------------------------------

    def _act(self, act: Act) -> ActRun:
        run, requests = ActRun(act), self._requests(act)
        run.sagas = [request.saga_id for request in requests]
        for move in act.moves:
            self._move(run, requests, move)
        ledger = self._ledger.read(self._stack.ledger)
        for number, saga_id in enumerate(run.sagas):
            expected = act.ledger[min(number, len(act.ledger) - 1)]
            found = ledger.sequence(reference=str(saga_id))
            if found != expected:
                run.wrong.append(f"the systems did {', '.join(found) or 'nothing'} for saga {saga_id}")
        return run

    def _requests(self, act: Act) -> list[Request]:
        model = self._catalogue.requests[act.definition]
        bodies = [body for _ in range(act.times) for body in act.requests]
        filled = [
            {name: value.format(number=number) if isinstance(value, str) else value for name, value in body.items()}
            for number, body in enumerate(bodies, 1)
        ]
        return [cast("Request", model.model_validate_json(json.dumps(body))) for body in filled]

    def _move(self, run: ActRun, requests: Sequence[Request], move: Move) -> None:
        if move.publish:
            self._publish(run, requests)
        if move.saga is not None:
            self._command(run, move.saga, move.code)
        handlers: Mapping[str, Callable[[ActRun, Any], None]] = {
            "faults": self._order_faults,
            "rest": self._rest,
            "again": self._again,
            "away": self._is_away,
            "done": self._done,
            "by_hand": self._by_hand,
            "called": self._called,
            "drained": self._drained,
        }
        for name, handle in handlers.items():
            if (wanted := getattr(move, name)) is not None:
                handle(run, wanted)

    def _filled(self, run: ActRun, text: str) -> str:
        """The text with `{saga}`, `{letter}` and `{step.field}` of what a step answered."""
        text = text.replace("{saga}", str(run.sagas[0]))
        if "{letter}" in text:
            text = text.replace("{letter}", self._letter(run))
        (row,) = self._queries.some(run.sagas[:1]) or (None,)
        for name, step in row.state.steps.items() if row else ():
            for field_, value in step.output.json.items() if step.output else ():
                text = text.replace(f"{{{name}.{field_}}}", str(value))
        return text

    def _letter(self, run: ActRun) -> str:
        found = self._saga("dlq", "list", "--saga", str(run.sagas[0]), "--state", "open", "--state", "edited",
                           "--state", "replayed", "-o", "jsonl")  # fmt: skip
        lines = found.stdout.splitlines()
        if not lines:
            msg = f"saga {run.sagas[0]} has no dead letter: {found.stderr}"
            raise NotReady(msg)
        return str(json.loads(lines[0])["id"])

    # -- what happens ---------------------------------------------------------------------------------------------

    def _publish(self, run: ActRun, requests: Sequence[Request]) -> None:
        async def publish() -> None:
            async with Agent("saga-demo", self._settings) as agent:
                await agent.publish_all(requests)

        asyncio.run(publish())
        some = f"{len(requests)} sagas" if len(requests) > 1 else f"saga {run.sagas[0]}"
        self._narrator.happens(f"An agent asks for {some}.")

    def _order_faults(self, run: ActRun, wanted: Sequence[Mapping[str, Any]]) -> None:
        rules = json.loads(self._filled(run, json.dumps(wanted)))
        url = f"{self._stack.urls['control']}/_sandbox/faults"
        _call("DELETE", url)
        if rules:
            _call("POST", url, json.dumps(rules).encode())
        said = "; ".join(f"{r['system']} {r.get('action', 'as a whole')}: {r.get('code', r['fault'])}" for r in rules)
        self._narrator.happens(f"Fault on order: {said}." if said else "No faults any more.")

    def _by_hand(self, run: ActRun, hand: ByHand) -> None:
        _call(hand.method, self._stack.urls[hand.system] + quote(self._filled(run, hand.path), safe="/?&="))
        self._narrator.happens(hand.says)

    def _command(self, run: ActRun, words: Sequence[str], codes: Sequence[int]) -> None:
        filled = [self._filled(run, word) for word in words]
        done = self._saga(*filled)
        self._narrator.command(filled, done.stdout + done.stderr)
        if done.returncode not in codes:
            run.wrong.append(f"saga {' '.join(filled)} ended with {done.returncode}")

    def _saga(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAGA_")}
        env = {**kept, "COLUMNS": "118", **self._stack.environment()}
        argv = [sys.executable, "-m", "orchestrator.cli.main", *arguments]
        return subprocess.run(  # noqa: S603 - our own command
            argv, check=False, env=env, text=True, capture_output=True, timeout=_COMMAND_SECONDS
        )

    # -- what is waited for ---------------------------------------------------------------------------------------

    def _until(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready():
            self._stack.check()
            if time.monotonic() > deadline:
                msg = f"waited {_PATIENCE_SECONDS:g} s in vain for it to {what}"
                raise NotReady(msg)
            time.sleep(_LOOK_SECONDS)

    def _rest(self, run: ActRun, status: Status) -> None:
        def ready() -> bool:
            rows = self._queries.some(run.sagas)
            ended = [row for row in rows if row.state.terminal and row.state.status is not status]
            if ended:
                msg = f"saga {ended[0].id} ended {ended[0].state.status}, and not {status}"
                raise NotReady(msg)
            return sum(row.state.status is status for row in rows) == len(run.sagas)

        self._until(f"rest as {status}", ready)

    def _again(self, run: ActRun, status: Status) -> None:
        def ready() -> bool:
            (first,) = self._queries.some(run.sagas[:1])
            found = self._queries.list(Filter(key=first.state.business_key, limit=10))
            new = [row.id for row in found if row.id not in run.sagas and row.state.status is status]
            run.sagas += new
            return bool(new)

        self._until(f"see a new saga {status}", ready)

    def _done(self, run: ActRun, done: Done) -> None:
        self._until(f"see {done.system}'s work", lambda: len(self._times(run, done.system, done.action)) >= done.times)

    def _is_away(self, run: ActRun, system: str) -> None:
        del run
        self._until(f"learn that {system} is away", lambda: system in self._away())

    def _away(self) -> frozenset[str]:
        async def ask() -> frozenset[str]:
            kafka, codec = self._settings.kafka_settings(), bootstrap.make_codec(self._settings)
            systems = KafkaSystems(kafka, codec, run=directly, clock=time.monotonic)
            try:
                return await systems.away()
            finally:
                await systems.close()

        return asyncio.run(ask())

    # -- what is checked ------------------------------------------------------------------------------------------

    def _times(self, run: ActRun, system: str, action: str) -> list[datetime]:
        """When the system did the action for the act's sagas."""
        ours = {str(saga_id) for saga_id in run.sagas}
        lines = self._ledger.read(self._stack.ledger).applied(system=system, action=action)
        return sorted(datetime.fromisoformat(line.at) for line in lines if line.reference in ours)

    def _called(self, run: ActRun, called: Called) -> None:
        ledger = self._ledger.read(self._stack.ledger)
        found = [line.action for line in ledger.calls(system=called.system, reference=str(run.sagas[0]))]
        run.facts["called"] = found
        if found != called.actions:
            run.wrong.append(f"{called.system} was called {', '.join(found)}, not {', '.join(called.actions)}")
        else:
            self._narrator.happens(f"{called.system} was called: {', '.join(found)}. Done once.")

    def _drained(self, run: ActRun, drained: Drained) -> None:
        times = self._times(run, drained.system, drained.action)
        rate = (len(times) - 1) / (times[-1] - times[0]).total_seconds()
        run.facts |= {"rate": round(rate, 2), "limit": drained.limit}
        self._narrator.happens(
            f"{len(times)} calls waited, and went out at {rate:.1f} a second; the limit is {drained.limit:g}."
        )
        if abs(rate / drained.limit - 1) > _DRAIN_TOLERANCE:
            run.facts["drain"] = f"off the limit by {rate / drained.limit - 1:+.0%}"


def _call(method: str, url: str, body: bytes | None = None) -> None:
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method)):  # noqa: S310 - the sandbox's
        pass
