"""How a system is declared: its actions, their handlers and their probes. No I/O here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from consumers.audit.entry import Exchange
from consumers.limit import Advice, Limit
from orchestrator.core.mode import LIVE, Mode, careful
from orchestrator.redaction import Redactor, current
from schemas.models import Contract, EffectClass, Record

__all__ = ["Action", "Call", "Handler", "Probe", "System", "SystemConfig", "SystemFactory"]

C = TypeVar("C", bound=Record)
R = TypeVar("R", bound=Record)
C_in = TypeVar("C_in", bound=Record, contravariant=True)
R_out = TypeVar("R_out", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler knows of the effect beside its command.

    `idempotency_key` is the same for every attempt of one effect. `renew` must be awaited right before every call
    to the system, in-place retry and probe: it renews the claim by compare-and-set, raises `ClaimLost` where another
    worker owns the effect now, and waits where the system has a limit of calls a second. `keyed`: by its contract the
    system does the work once for each key, so that a call without an answer may be sent again at once. `told` takes
    down every send for the audit, which is written before the action's outcome is; `limited` what an answer says of how
    often the system may be called.
    """

    saga_id: UUID
    step: str
    direction: str
    attempt: int
    idempotency_key: str
    renew: Callable[[], Awaitable[None]]
    deadline: datetime | None = None
    agent: str = ""
    keyed: bool = True
    told: Callable[[Exchange], None] = lambda _: None
    limited: Callable[[Advice], None] = lambda _: None


class Handler(Protocol[C_in, R_out]):
    """Does one action. Raises `Rejected`, `Failed` or `Unknown`."""

    async def __call__(self, command: C_in, call: Call, /) -> R_out: ...


class Probe(Protocol[C_in, R_out]):
    """Asks the system whether the action was done; None where it was not. Raises `Failed` or `Unknown`."""

    async def __call__(self, command: C_in, call: Call, /) -> R_out | None: ...


@dataclass(slots=True)
class Action:
    """One action of a system. `timeout` is the limit of one call in seconds, in-place retries included.

    `reads`: it changes nothing, so that it is done in shadow, too. `mode` is how much of it is done for real.
    `requests` makes what would be sent, as plain data, without sending it. `find` asks what there is of it, whoever did
    it, and `known` does the same and makes the action's completion of it.
    `redactor` hides the system's fields, that of the process where it is None; `keep` is what the audit keeps of
    answers, all of it where it is None.
    """

    command: type[Record]
    handler: Callable[[Any, Call], Awaitable[Record]]
    timeout: float
    probe: Callable[[Any, Call], Awaitable[Record | None]] | None = None
    reads: bool = False
    mode: Mode = LIVE
    requests: Callable[[Any, Call], Sequence[Any]] | None = None
    find: Callable[[Any, Call], Awaitable[Any]] | None = None
    known: Callable[[Any, Call], Awaitable[Record | None]] | None = None
    redactor: Redactor | None = None
    keep: Sequence[str] | None = None

    def hiding(self, command: Record) -> Redactor:
        """What holds while that command is done: what it says in hidden fields is hidden wherever it comes back."""
        return (self.redactor or current()).knowing(command.model_dump(mode="json"), keep=self.keep)

    @property
    def contract(self) -> Contract:
        """The contract of the action's command."""
        return self.command.contract

    @property
    def effect(self) -> EffectClass:
        """The contract's, but without a probe there is nobody to ask: that is as good as blind."""
        effect = self.contract.effect
        return "blind" if effect == "queryable" and self.probe is None else effect


@dataclass(slots=True)
class System:
    """One target system: a consumer group, its actions, and what is opened while it runs.

    `gate` says whether the system is called: None while it is; else it is taken for away, and the answer is the seconds
    until one call may try it, 0 for now. `rate` is how many calls a second all its workers together may make; None is
    no limit. `credential` is the limit of whatever proves who we are, shared with all that prove it by the same.
    `prove` gets the credentials by which the system knows us, and raises `Failed` where there are none.
    """

    name: str
    concurrency: int = 64
    lifespan: Callable[[], AbstractAsyncContextManager[object]] = nullcontext
    gate: Callable[[], float | None] = lambda: None
    rate: float | None = None
    credential: Limit | None = None
    prove: Callable[[], Awaitable[object]] | None = None
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def limits(self) -> Sequence[Limit]:
        """Those that a call keeps, all of them."""
        own = [] if self.rate is None else [Limit(self.name, self.rate)]
        return own if self.credential is None else [*own, self.credential]

    def action(
        self, command: type[C], *, timeout: float = 10.0, reads: bool = False
    ) -> Callable[[Callable[[C, Call], Awaitable[R]]], Callable[[C, Call], Awaitable[R]]]:
        """Declare the handler of a command. The contract in `schemas/` says what it returns.

        `timeout` is also what recovery waits for: the claim of a worker that died lasts a little longer than it.
        `reads`: it changes nothing.

        Raises:
            ValueError: the command belongs to another system, or has a handler already.

        """
        contract = command.contract
        if contract.system != self.name:
            msg = f"{contract.name} is a command of system {contract.system!r}, not {self.name!r}"
            raise ValueError(msg)
        if contract.name in self.actions:
            msg = f"{contract.name} has a handler already"
            raise ValueError(msg)

        def declare(handler: Callable[[C, Call], Awaitable[R]]) -> Callable[[C, Call], Awaitable[R]]:
            self.actions[contract.name] = Action(command, handler, timeout, reads=reads)
            return handler

        return declare

    @property
    def mode(self) -> Mode:
        """The most careful of its actions' modes."""
        return careful(action.mode for action in self.actions.values())

    def probe(
        self, command: type[C]
    ) -> Callable[[Callable[[C, Call], Awaitable[R | None]]], Callable[[C, Call], Awaitable[R | None]]]:
        """Declare the probe of a command that has a handler."""

        def declare(probe: Callable[[C, Call], Awaitable[R | None]]) -> Callable[[C, Call], Awaitable[R | None]]:
            self.actions[command.contract.name].probe = probe
            return probe

        return declare


@dataclass(frozen=True, slots=True)
class SystemConfig:
    """Settings of one system: its base URL (`http://…`, `smtp://…`) and options of its own."""

    base_url: str
    options: Mapping[str, str] = field(default_factory=dict)


class SystemFactory(Protocol):
    """Builds a system from its settings; must not connect."""

    def __call__(self, config: SystemConfig, /) -> System: ...
