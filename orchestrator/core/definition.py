"""The blueprint of a saga: a list of named steps that reads from top to bottom.

What is checked here is checked once, when the definition is constructed, so that `decide` never meets a definition
that it cannot finish.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from orchestrator.core.errors import DefinitionError, UnknownStep
from orchestrator.core.mode import Mode
from orchestrator.core.payload import Outputs
from orchestrator.core.policy import LONGEST_SECONDS, Retry
from orchestrator.core.sample import check_mappings
from schemas.models import Contract, Record

__all__ = ["Catalogue", "Mapping_", "Parallel", "Saga", "Step", "Undo"]

Mapping_: TypeAlias = Callable[[Any, Outputs], Record]
Catalogue: TypeAlias = Mapping[tuple[str, int], "Saga"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Undo:
    """The compensation of a step: an action and how its input follows from the request and the outputs.

    The mapping must work without the step's own output: a step whose outcome stayed unknown is undone too.
    Undoing retries longer than doing, since what it leaves behind is partial completion. `verify` asks the system
    afterwards, by the probe of the step's action, whether what was done is really gone. `leaves` says what an undo that
    succeeded comes to: `clean`, or `offset` where it is balanced by an opposite entry (a credit note, an apology).
    """

    action: type[Record]
    input: Mapping_
    retry: Retry = Retry(attempts=8)
    timeout: float = 30.0
    verify: bool = False
    leaves: Literal["clean", "offset"] = "clean"


@dataclass(frozen=True, slots=True)
class Step:
    """One action of one system.

    `timeout` is the time in seconds after which a missing completion counts as unknown. `pivot` marks the step after
    which the saga only goes forward. `irreversible` says that there is no undo; before a step that can still be
    rejected it is refused unless `residue_accepted`.
    """

    name: str
    action: type[Record]
    input: Mapping_
    undo: Undo | None = None
    irreversible: bool = False
    residue_accepted: bool = False
    pivot: bool = False
    retry: Retry = Retry()
    timeout: float = 30.0

    @property
    def contract(self) -> Contract:
        """The contract of the step's command."""
        return self.action.contract

    @property
    def can_be_rejected(self) -> bool:
        """Whether the action's contract names an error that is final. An action that names none may have any."""
        errors = self.contract.errors
        return not errors or "rejected" in errors.values()


@dataclass(frozen=True, slots=True, init=False)
class Parallel:
    """Steps that run at the same time and are undone together."""

    steps: tuple[Step, ...]

    def __init__(self, *steps: Step) -> None:
        object.__setattr__(self, "steps", steps)


@dataclass(frozen=True)
class Saga:
    """A definition: name, version, request, and the steps in order.

    `on_compensation_failure` says what an undo that is given up means for those that are still to come: `park` waits
    for a person before them; `continue` undoes the rest, and waits for a person at the end. `deadline` is the time in
    seconds, from the request on, after which a saga that still goes forward is undone; not after the pivot, and not
    where a person has decided about it. `mode`: `live`, `shadow` (its steps are only recorded) or `canary N %`; a
    system's own mode may be more careful, and the more careful one holds.

    Raises:
        DefinitionError: anything about it is wrong; the message says what.

    """

    name: str
    version: int
    request: type[Record]
    steps: Sequence[Step | Parallel]
    business_key: Callable[[Any], str] | None = None
    on_compensation_failure: Literal["park", "continue"] = "park"
    deadline: float | None = None
    mode: str = "live"
    groups: tuple[tuple[Step, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        groups = tuple(item.steps if isinstance(item, Parallel) else (item,) for item in self.steps)
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "_by_name", {step.name: step for step in self})
        object.__setattr__(self, "_group_of", {s.name: i for i, group in enumerate(groups) for s in group})
        for check in (_check_names, _check_mode, _check_actions, _check_undo, _check_pivot, check_mappings):
            check(self)

    def __iter__(self) -> Iterator[Step]:
        return (step for group in self.groups for step in group)

    def step(self, name: str) -> Step:
        """The step of that name.

        Raises:
            UnknownStep: there is none.

        """
        try:
            return self._by_name[name]  # type: ignore[attr-defined,no-any-return]
        except KeyError:
            msg = f"saga {self.name!r} version {self.version} has no step {name!r}"
            raise UnknownStep(msg) from None

    def has_step(self, name: str) -> bool:
        """Whether there is a step of that name."""
        return name in self._by_name  # type: ignore[attr-defined]

    def group_of(self, name: str) -> int:
        """Position of the step's group; steps of one `Parallel` share it."""
        return self._group_of[name]  # type: ignore[attr-defined,no-any-return]

    @property
    def pivot(self) -> Step | None:
        """The step after which the saga only goes forward."""
        return next((step for step in self if step.pivot), None)

    @property
    def systems(self) -> frozenset[str]:
        """Names of the systems that its actions and compensations ask."""
        records = [s.action for s in self] + [s.undo.action for s in self if s.undo]
        return frozenset(r.contract.system for r in records if r.contract.system)

    @property
    def fingerprint(self) -> str:
        """Hash of the structure: what must not change without a new version. Time-outs and retries may."""
        structure = [self.name, self.version, self.request.contract.name]
        structure += [[_shape(step) for step in group] for group in self.groups]
        structure += [self.on_compensation_failure] if self.on_compensation_failure != "park" else []
        return hashlib.sha256(json.dumps(structure).encode()).hexdigest()[:32]

    def key_of(self, request: Record) -> str:
        """What people know a saga by; empty where the definition names no business key."""
        return self.business_key(request) if self.business_key else ""


def _shape(step: Step) -> list[object]:
    undo = step.undo.action.contract.name if step.undo else None
    verified = ["verify"] if step.undo and step.undo.verify else []
    return [step.name, step.action.contract.name, undo, step.irreversible, step.pivot, *verified]


def _fail(saga: Saga, what: str) -> None:
    msg = f"saga {saga.name!r} version {saga.version}: {what}"
    raise DefinitionError(msg)


def _check_names(saga: Saga) -> None:
    for name in (saga.name, *(step.name for step in saga)):
        if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
            _fail(saga, f"name {name!r} must be lower-case words joined by '-', at most {_LONGEST_NAME} characters")
    names = [step.name for step in saga]
    if not names or not all(saga.groups):
        _fail(saga, "has no steps, or an empty Parallel")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        _fail(saga, f"step names must be unique, these are not: {', '.join(twice)}")
    if saga.version < 1:
        _fail(saga, "versions count from 1")


def _check_mode(saga: Saga) -> None:
    try:
        Mode.of(saga.mode)
    except ValueError as exc:
        _fail(saga, str(exc))


def _check_actions(saga: Saga) -> None:
    if saga.request.contract.kind != "request":
        _fail(saga, f"{saga.request.__name__} is a {saga.request.contract.kind}, not a request")
    for step in saga:
        for action in (step.action, *([step.undo.action] if step.undo else [])):
            contract = action.contract
            if contract.kind != "command" or contract.completion is None or contract.system is None:
                _fail(saga, f"step {step.name!r}: {contract.name} is not a command with a completion and a system")
        for timeout in (step.timeout, step.undo.timeout if step.undo else step.timeout):
            if not 0 < timeout <= LONGEST_SECONDS:
                _fail(saga, f"step {step.name!r}: a time-out is longer than nothing, and at most a year")
        if step.undo and step.undo.verify and step.contract.effect == "blind":
            _fail(saga, f"step {step.name!r}: {step.contract.name} is blind, so nobody can verify that it was undone")
    if saga.deadline is not None and not 0 < saga.deadline <= LONGEST_SECONDS:
        _fail(saga, "a deadline is longer than nothing, and at most a year")


def _check_undo(saga: Saga) -> None:
    pivot = saga.pivot
    last = len(saga.groups) if pivot is None else saga.group_of(pivot.name)
    for step in saga:
        if step.undo and step.irreversible:
            _fail(saga, f"step {step.name!r} has an undo and is irreversible: it is one of them")
        if step.undo is None and not step.irreversible and saga.group_of(step.name) <= last:
            _fail(saga, f"step {step.name!r} needs an undo, or irreversible=True")
        if step.irreversible and not step.pivot and not step.residue_accepted:
            later = [s.name for s in saga if _may_fail_after(saga, step, s, last)]
            if later:
                _fail(
                    saga,
                    f"step {step.name!r} is irreversible, and after it these can still be rejected: "
                    f"{', '.join(later)}. Move it, make it the pivot, or say residue_accepted=True",
                )


def _may_fail_after(saga: Saga, step: Step, other: Step, last: int) -> bool:
    """Whether `other` can make the saga compensate once `step` is done."""
    here, there = saga.group_of(step.name), saga.group_of(other.name)
    return other is not step and here <= there <= last and other.can_be_rejected


def _check_pivot(saga: Saga) -> None:
    pivots = [step.name for step in saga if step.pivot]
    if len(pivots) > 1:
        _fail(saga, f"one pivot at most, these are: {', '.join(pivots)}")
    if pivots and len(saga.groups[saga.group_of(pivots[0])]) > 1:
        _fail(saga, f"pivot {pivots[0]!r} stands in a Parallel: its siblings could fail after it")
