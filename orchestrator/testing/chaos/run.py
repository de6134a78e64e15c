"""One run: the stack, the load, the nemeses by their plan, and then everything brought back and written down."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from orchestrator import bootstrap
from orchestrator.dev.brokers import Kind as BrokerKind
from orchestrator.dev.process import free_port
from orchestrator.dev.stack import StackOptions
from orchestrator.messaging import topics
from orchestrator.messaging.backlog import backlog_of
from orchestrator.settings import load, load_attribute
from orchestrator.testing.chaos.arena import Arena, ChaosStack, repeatedly
from orchestrator.testing.chaos.evidence import gather, read_left, write_left
from orchestrator.testing.chaos.history import History, Type, read_history
from orchestrator.testing.chaos.judge import Judgement, judge
from orchestrator.testing.chaos.load import FAULTS, Load
from orchestrator.testing.chaos.memory import sample
from orchestrator.testing.chaos.nemeses import NEMESES, Blow
from orchestrator.testing.chaos.plan import Plan, Strike, make_plan
from orchestrator.testing.chaos.proxy import Proxy

__all__ = ["HISTORY", "ChaosOptions", "judge_folder", "run"]

HISTORY = "history.jsonl"
_LEFT = "left.msgpack"
_PLAN = "plan"
_REST_SECONDS = 240.0
_QUIET_SECONDS = 3.0
_LOOK_SECONDS = 0.3
_SAMPLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ChaosOptions:
    """What to run: `seconds` under load, `rate` requests a second. `settings` are further `SAGA_` variables."""

    folder: Path
    seed: int
    seconds: float
    rate: float
    kafka: BrokerKind = "native"
    settings: Mapping[str, str] = field(default_factory=dict)


def judge_folder(folder: Path) -> Judgement:
    """Judge what a run left in its folder; needs no server.

    Raises:
        OSError, msgspec.DecodeError: it is not there, or not whole.

    """
    events = read_history(folder / HISTORY)
    (plan,) = [event for event in events if event.what == _PLAN]
    return judge(plan.more["wanted"], events, read_left(folder / _LEFT), bootstrap.load_catalogue(load()))


def run(options: ChaosOptions, say: Callable[[str], None]) -> None:
    """Run, and leave `history.jsonl` and `left.msgpack` in the folder; `say` is told what happens.

    Raises:
        DevError: a part of the stack did not start, or did not come back.

    """
    settings = load()
    plan = make_plan(options.seed, options.seconds, sorted(bootstrap.load_systems(settings)))
    given = StackOptions(
        options.kafka,
        options.folder,
        {"faults": list(FAULTS)},
        coordinators=2,
        consumers=2,
        settings={"SAGA_LOG_FORMAT": "json", **options.settings},
    )
    with contextlib.ExitStack() as exits:
        history = exits.enter_context(History(options.folder / HISTORY))
        about = {"seed": plan.seed, "seconds": plan.seconds, "rate": options.rate, "wanted": list(plan.names)}
        history.write(Type.NOTE, "run", _PLAN, "", **about)
        stack = ChaosStack(given, free_port())
        proxy = exits.enter_context(Proxy(stack.proxy_port, stack.postgres.port))
        say(f"starting the stack; {len(plan.strikes)} strikes of {len(plan.names)} kinds are planned")
        exits.enter_context(stack)
        arena = Arena(stack, proxy, history)
        watching = repeatedly(arena.replace_ended, _LOOK_SECONDS)
        with watching, repeatedly(lambda: sample(arena), _SAMPLE_SECONDS):
            acknowledged = asyncio.run(_under_load(arena, plan, options.rate, say))
            say(f"calm; {acknowledged} operations were acknowledged, waiting for all sagas to rest")
            _settle(arena, say)
        say("gathering the evidence")
        write_left(gather(stack.settings(), stack.postgres.url, stack.ledger), options.folder / _LEFT)


async def _under_load(arena: Arena, plan: Plan, rate: float, say: Callable[[str], None]) -> int:
    """The load until everything has struck and the time is over; how many requests were acknowledged."""
    load_ = Load(arena.stack.settings(), arena.history, plan.seed, rate)
    began = arena.history.now
    publishing = asyncio.create_task(load_.run())
    lanes = sorted({strike.lane for strike in plan.strikes})
    await asyncio.gather(*(_lane(arena, plan, lane, began, say) for lane in lanes))
    await asyncio.sleep(max(0.0, began + plan.seconds - arena.history.now))
    load_.stop()
    await publishing
    arena.proxy.calm()
    return load_.acknowledged


async def _lane(arena: Arena, plan: Plan, lane: int, began: float, say: Callable[[str], None]) -> None:
    """One strike after the other. Where one takes longer than planned, the rest comes later; none is left out."""
    behind = 0.0
    for number, strike in enumerate(plan.strikes):
        if strike.lane == lane:
            due = began + strike.at + behind
            await asyncio.sleep(max(0.0, due - arena.history.now))
            await _strike(arena, strike, number, began, say)
            behind += max(0.0, arena.history.now - due - strike.takes)


async def _strike(arena: Arena, strike: Strike, number: int, began: float, say: Callable[[str], None]) -> None:
    blow = Blow(arena, strike, random.Random(strike.seed))  # noqa: S311 - not for secrets
    lane, id_ = f"nemesis-{strike.lane}", f"strike-{number}"
    target = f" {strike.target}" if strike.target and strike.target not in strike.name else ""
    lasts = f" [dim]for {strike.seconds:.0f} s[/]" if strike.seconds else ""
    say(f"[dim]{arena.history.now - began:6.1f} s[/]  {strike.name}{target}{lasts}")
    arena.history.write(Type.START, lane, strike.name, id_, target=strike.target, seconds=strike.seconds)
    async with arena.alone[strike.name]:
        hits = await NEMESES[strike.kind](blow)
    arena.history.write(Type.STOP, lane, strike.name, id_, hits=hits, **blow.told)
    if strike.seconds or not hits:
        told = "".join(f", {name} {value}" for name, value in blow.told.items() if name != "pids")
        say(f"[dim]{arena.history.now - began:6.1f} s  {strike.name}{target} is over, struck {hits} times{told}[/]")


# -- afterwards ----------------------------------------------------------------------------------------------------


def _settle(arena: Arena, say: Callable[[str], None]) -> None:
    """Wait until every worker is back, every message read and every saga at rest; not for ever."""
    for child in arena.stack.workers():
        if child.running:
            arena.stack.wait_ready(child)
    deadline = time.monotonic() + _REST_SECONDS
    quiet = 0.0
    while time.monotonic() < deadline:
        left = dict(_unfinished(arena))
        quiet = 0.0 if left else quiet + _LOOK_SECONDS
        if quiet >= _QUIET_SECONDS:
            return
        time.sleep(_LOOK_SECONDS)
    say(f"[bold red]not at rest after {_REST_SECONDS:.0f} s[/]: {left}")


_BUSY = "SELECT count(*) FROM saga WHERE ended_at IS NULL AND status <> 'review'"


def _unfinished(arena: Arena) -> Iterator[tuple[str, int]]:
    """What is still to be done: busy sagas, unread messages of each topic."""
    settings = arena.stack.settings()
    with psycopg.connect(arena.stack.postgres.url.replace("postgresql+psycopg", "postgresql")) as connection:
        found: Any = connection.execute(_BUSY).fetchone()
    if found[0]:
        yield "sagas", found[0]
        return
    group_of: Any = load_attribute("SAGA_CONSUMERS", f"{settings.consumers}:consumer_group")
    catalogue = bootstrap.load_catalogue(settings)
    inputs = topics.inputs(catalogue.requests, catalogue.systems)
    read = [(bootstrap.coordinator_group(settings), topic) for topic in inputs]
    read += [(group_of(settings, name), topics.commands(name)) for name in arena.stack.consumers]
    for group, topic in read:
        unread = backlog_of(settings.kafka_settings(), group, topic).messages
        if unread:
            yield topic, unread
            return
