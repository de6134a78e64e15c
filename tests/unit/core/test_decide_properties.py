"""`decide` under any order, duplication and loss of completions, wakes and decisions.

A world of workers is played against it: each command may be done or not, its answer may be lost, doubled or late. A
do whose undo was done first is refused, as the consumer's effect table refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.definition import Saga
from orchestrator.core.endings import Ending, endings
from orchestrator.core.messages import (
    GONE,
    Answer,
    Command,
    Control,
    ControlCommand,
    Direction,
    Failure,
    Message,
    Outcome,
    Parked,
    Succeeded,
    Wake,
)
from orchestrator.core.sample import sample
from orchestrator.core.state import TERMINAL, EffectStatus, Status
from orchestrator.testing.script import Script
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import VendorOnboardingRequested

FATES = st.sampled_from(["done", "done", "done", "rejected", "failed", "unknown-done", "unknown-not", "lost"])


@dataclass
class World:
    """What the systems really did, and the answers that are on their way."""

    script: Script
    truthful: bool = True
    done: set[tuple[str, Direction, int]] = field(default_factory=set)
    undone: set[tuple[str, int]] = field(default_factory=set)
    mail: list[Message] = field(default_factory=list)
    seen: int = 0
    history: list[tuple[str, str]] = field(default_factory=list)

    def work(self, data: Any) -> None:
        """Every command that is new gets its fate."""
        commands = self.script.commands
        while self.seen < len(commands):
            command = commands[self.seen]
            self.seen += 1
            self.history.append((command.direction.value, command.step))
            self.check_undo(command)
            self.check_round(command)
            self.perform(command, data.draw(FATES, label=f"{command.direction} {command.step}"))

    def check_undo(self, command: Command) -> None:
        """Never an undo before every do of the saga has ended, and in reverse order between groups."""
        assert self.script.state is not None
        if command.direction is not Direction.UNDO:
            return
        states = self.script.state.steps
        assert not any(s.do and s.do.status is EffectStatus.IN_FLIGHT for s in states.values())
        group = self.script.definition.group_of(command.step)
        if self.script.state.rewind is not None:
            assert group >= self.script.definition.group_of(self.script.state.rewind.step), "undone too far"
        for name, state in states.items():
            undo = self.script.definition.step(name).undo
            if self.script.definition.group_of(name) > group and undo is not None:
                maybe = state.do is not None and state.do.status in (EffectStatus.DONE, EffectStatus.UNKNOWN)
                settled = state.undo is not None and state.undo.status in (EffectStatus.DONE, EffectStatus.SKIPPED)
                left = any((p.step, p.direction) == (name, Direction.UNDO) for p in self.script.state.parks)
                settled = settled or (left and self.script.definition.on_compensation_failure == "continue")
                assert not maybe or settled, f"undo of {command.step} before that of {name}"

    def check_round(self, command: Command) -> None:
        """A step is done again only once nothing of its earlier rounds is left, and nothing can come of them."""
        if command.direction is Direction.DO and self.truthful:
            for earlier in range(1, command.round):
                assert not self.lives(command.step, earlier), f"{command.step} is there twice"

    def lives(self, step: str, round_: int) -> bool:
        return (step, Direction.DO, round_) in self.done and (step, Direction.UNDO, round_) not in self.done

    def living(self, step: str) -> list[int]:
        return [round_ for name, _, round_ in self.done if name == step and self.lives(step, round_)]

    def perform(self, command: Command, fate: str) -> None:
        key = (command.step, command.direction, command.round)
        if command.direction is Direction.PROBE:
            self.look(command, fate)
            return
        if command.direction is Direction.DO and (command.step, command.round) in self.undone:
            self.answer(command, Failure(Outcome.REJECTED, "UNDONE"))
            return
        if command.direction is Direction.UNDO:
            self.undone.add((command.step, command.round))
        if key in self.done or fate in {"done", "unknown-done"}:
            self.done.add(key)
        if key in self.done and fate != "unknown-done":
            completion = command.record.contract.completion
            assert completion is not None
            if fate != "lost":
                self.answer(command, Succeeded(sample(completion, full=True)))
        elif fate == "rejected":
            self.answer(command, Failure(Outcome.REJECTED, "NO"))
        elif fate == "failed":
            self.answer(command, Failure(Outcome.FAILED, "LATER"))
        elif fate.startswith("unknown"):
            self.answer(command, Failure(Outcome.UNKNOWN, "WHO_KNOWS"))

    def look(self, command: Command, fate: str) -> None:
        completion = command.record.contract.completion
        assert completion is not None
        if fate in {"failed", "rejected"}:
            self.answer(command, Failure(Outcome.FAILED, "LATER"))
        elif fate.startswith("unknown"):
            self.answer(command, Failure(Outcome.UNKNOWN, "WHO_KNOWS"))
        elif fate == "done":
            there = self.lives(command.step, command.round)
            found = Succeeded(sample(completion, full=True)) if there else Failure(Outcome.REJECTED, GONE)
            self.answer(command, found)

    def answer(self, command: Command, result: Succeeded | Failure) -> None:
        self.mail.append(Answer(command.step, command.direction, command.round, command.attempt, result))


def turn(world: World, data: Any, commands: tuple[ControlCommand, ...]) -> None:
    """Something happens: an answer arrives (perhaps not for the last time), time passes, somebody decides."""
    kinds = ["answer", "answer", "answer", "again", "drop", "wake"] + (["control"] if commands else [])
    kind = data.draw(st.sampled_from(kinds), label="turn")
    if kind == "wake" or (not world.mail and kind != "control"):
        world.script.wait(
            data.draw(st.sampled_from([0, 1, 40]), label="seconds"), deaf=data.draw(st.booleans(), label="deaf")
        )
    elif kind == "control":
        command = data.draw(st.sampled_from(commands), label="command")
        resolved = None if world.truthful else data.draw(st.sampled_from([None, "done", "not-done"]), label="resolved")
        steps = [step.name for step in world.script.definition]
        step = data.draw(st.sampled_from(steps), label="step") if command is ControlCommand.RERUN else None
        world.script.deliver(Control(command, "operator", "why", step, resolved=resolved))
    else:
        index = data.draw(st.integers(0, len(world.mail) - 1), label="which")
        message = world.mail[index] if kind == "again" else world.mail.pop(index)
        if kind != "drop":
            world.script.deliver(message)
    world.work(data)


def play(
    definition: Saga,
    vendor: VendorOnboardingRequested,
    data: Any,
    commands: tuple[ControlCommand, ...] = (),
    *,
    truthful: bool = True,
) -> World:
    world = World(Script(definition), truthful)
    world.script.request(vendor)
    world.work(data)
    for _ in range(data.draw(st.integers(5, 60), label="turns")):
        turn(world, data, commands)
    return world


def settle(world: World, data: Any) -> None:
    """No more faults: every answer arrives and time passes, until nothing moves any more."""
    if world.script.state is not None and world.script.state.paused:
        world.script.control(ControlCommand.RESUME)
    for _ in range(400):
        world.work(data)
        if world.mail:
            world.script.deliver(world.mail.pop(0))
            continue
        world.script.deliver(Wake())  # sets the true deadline: the stored one is a lower bound
        assert world.script.state is not None
        if world.script.state.wake_at is None:
            return
        world.script.wait_until_due()
    msg = "it does not come to rest"
    raise AssertionError(msg)


def check_end(world: World) -> None:
    state = world.script.state
    assert state is not None
    assert state.status in TERMINAL or state.status is Status.REVIEW, state
    if state.status in (Status.COMPENSATED, Status.CANCELLED):
        for step in world.script.definition:
            if world.living(step.name):
                state_of = state.steps[step.name]
                skipped = EffectStatus.SKIPPED in {e.status for e in (state_of.do, state_of.undo) if e}
                assert skipped, f"{step.name} was left behind"
    if state.status is Status.COMPLETED:
        for step in world.script.definition:
            assert len(world.living(step.name)) == 1, step.name


SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@SETTINGS
@given(data=st.data())
def test_it_ends_and_leaves_nothing_behind(vendor: VendorOnboardingRequested, data: Any) -> None:
    world = play(vendor_onboarding, vendor, data)
    settle(world, data)
    check_end(world)


@SETTINGS
@given(data=st.data())
def test_it_ends_with_parallel_steps(forked: Saga, vendor: VendorOnboardingRequested, data: Any) -> None:
    world = play(forked, vendor, data)
    settle(world, data)
    check_end(world)


@SETTINGS
@given(data=st.data())
def test_it_ends_where_one_undo_does_not_hold_up_the_others(
    forgiving: Saga, vendor: VendorOnboardingRequested, data: Any
) -> None:
    world = play(forgiving, vendor, data)
    settle(world, data)
    check_end(world)
    state = world.script.state
    assert state is not None
    if state.status is Status.REVIEW and state.backward:
        # Whatever can be undone without a person is.
        parked = {park.step for park in state.parks}
        for step in forgiving:
            do = state.steps[step.name].do if step.name in state.steps else None
            maybe = do is not None and do.status in (EffectStatus.DONE, EffectStatus.UNKNOWN)
            if maybe and step.name not in parked and None not in parked:
                undo = state.steps[step.name].undo
                assert undo is not None
                assert undo.status is EffectStatus.DONE
        letters = [
            (letter.step, letter.direction) for letter in world.script.dead_letters if isinstance(letter, Parked)
        ]
        assert sorted(letters, key=str) == sorted({(p.step, p.direction) for p in state.parks}, key=str)


@SETTINGS
@given(data=st.data())
@pytest.mark.parametrize("name", ["forked", "pivoted", "forgiving", "verified"])
def test_operators_who_press_everything_never_break_it(
    request: pytest.FixtureRequest, vendor: VendorOnboardingRequested, name: str, data: Any
) -> None:
    # An operator may say that something is done which is not; so only totality and the order of undos are checked.
    world = play(request.getfixturevalue(name), vendor, data, tuple(ControlCommand), truthful=False)
    settle(world, data)
    state = world.script.state
    assert state is not None
    assert state.status in TERMINAL or state.status is Status.REVIEW or state.paused


_HONEST = (
    ControlCommand.RERUN,
    ControlCommand.RERUN,
    ControlCommand.CANCEL,
    ControlCommand.PAUSE,
    ControlCommand.RESUME,
)


@SETTINGS
@given(data=st.data())
@pytest.mark.parametrize("name", ["forked", "pivoted", "forgiving", "verified"])
def test_reruns_leave_nothing_twice(
    request: pytest.FixtureRequest, vendor: VendorOnboardingRequested, name: str, data: Any
) -> None:
    world = play(request.getfixturevalue(name), vendor, data, _HONEST)
    settle(world, data)
    check_end(world)


@SETTINGS
@given(data=st.data())
def test_a_verified_undo_is_really_gone(verified: Saga, vendor: VendorOnboardingRequested, data: Any) -> None:
    world = play(verified, vendor, data)
    settle(world, data)
    check_end(world)
    state = world.script.state
    assert state is not None
    for name, ending in endings(verified, state).items():
        if ending in (Ending.CLEAN, Ending.OFFSET):
            assert not world.living(name)
