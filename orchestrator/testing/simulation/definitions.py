"""Random definitions from every construct that exists, so that a run tests the engine and not one saga.

A construct is declared once: a function in `_STEP` or `_SAGA` that may change the sketch of a step or of a saga.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from orchestrator.core.definition import Parallel, Saga, Step, Undo
from orchestrator.core.payload import Outputs
from orchestrator.core.policy import Retry
from orchestrator.core.sample import sample
from schemas.models import (
    ApproveSupplier,
    ClosePortalAccount,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    ErpPaymentTerms,
    ErpVendorType,
    PaymentTerms,
    ProcessInvoice,
    Record,
    ReverseInvoice,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    VendorOnboardingRequested,
    VendorType,
)

__all__ = ["ACTIONS", "UNMAPPABLE", "random_saga", "request"]

UNMAPPABLE = "unmappable"
"""The category of a request that some mappings raise for."""

# What made-up values must look like to pass the fields' patterns.
_FITTING = {"currency": "EUR", "recipient": "ada@example.com"}
_VENDOR = {"vendor_id": "V", "vendor_name": "Müller & Söhne"}
_COMMANDS: Mapping[type[Record], Record] = {
    CreateVendor: CreateVendor(
        vendor_name="Müller & Söhne",
        vendor_type=ErpVendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=ErpPaymentTerms.NET_30,
        primary_contact_email="ada@example.com",
    ),
    DeactivateVendor: DeactivateVendor(tax_id="DE123456789"),
    CreatePortalAccount: CreatePortalAccount(**_VENDOR, primary_contact_email="ada@example.com"),
    ClosePortalAccount: ClosePortalAccount(vendor_id="V"),
    ApproveSupplier: ApproveSupplier(**_VENDOR, tax_id="DE123456789", category="x"),
    RevokeSupplier: RevokeSupplier(tax_id="DE123456789"),
}

# Idempotent, queryable and blind, each with what takes it back. Where that is another system's work, the two commands
# lie in two topics, and the undo may overtake its do.
_PAIRS: tuple[tuple[type[Record], type[Record]], ...] = (
    (CreateVendor, DeactivateVendor),
    (ProcessInvoice, ReverseInvoice),
    (CreatePortalAccount, ClosePortalAccount),
    (ApproveSupplier, RevokeSupplier),
    (ApproveSupplier, RevokeSupplier),
    (SendWelcomeEmail, SendApologyEmail),
    (CreatePortalAccount, RevokeSupplier),
    (ApproveSupplier, DeactivateVendor),
)

ACTIONS: tuple[type[Record], ...] = tuple(dict.fromkeys(action for pair in _PAIRS for action in pair))
"""Every action that a step of a random definition may ask for."""


@dataclass(slots=True)
class _StepSketch:
    """A step on the way to becoming one. `after`: it stands behind the pivot."""

    name: str
    pair: tuple[type[Record], type[Record]]
    after: bool = False
    alone: bool = True
    touchy: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    undo: dict[str, Any] | None = field(default_factory=dict)

    @property
    def blind(self) -> bool:
        return self.pair[0].contract.effect == "blind"

    def made(self) -> Step:
        action, back = self.pair
        undo = None if self.undo is None else Undo(back, _mapping(back, touchy=False), **self.undo)
        return Step(self.name, action, _mapping(action, touchy=self.touchy), undo=undo, **self.options)


@dataclass(slots=True)
class _SagaSketch:
    groups: list[list[_StepSketch]]
    options: dict[str, Any] = field(default_factory=dict)


def _irreversible(dice: Random, step: _StepSketch) -> None:
    if step.after and dice.random() < 0.5:
        step.undo = None
    elif dice.random() < 0.15:
        step.undo = None
        step.options |= {"irreversible": True, "residue_accepted": True}


def _verify(dice: Random, step: _StepSketch) -> None:
    if step.undo is not None and not step.blind and dice.random() < 0.25:
        step.undo["verify"] = True


def _leaves(dice: Random, step: _StepSketch) -> None:
    if step.undo is not None and dice.random() < 0.2:
        step.undo["leaves"] = "offset"


def _retry(dice: Random, step: _StepSketch) -> None:
    step.options["retry"] = Retry(attempts=dice.randint(1, 4), initial=dice.choice([0.1, 0.5, 2.0]), maximum=6.0)
    if step.undo is not None:
        step.undo["retry"] = Retry(attempts=dice.randint(2, 6), initial=0.5, maximum=6.0)


def _timeout(dice: Random, step: _StepSketch) -> None:
    step.options["timeout"] = dice.choice([6.0, 12.0, 30.0])
    if step.undo is not None:
        step.undo["timeout"] = dice.choice([6.0, 12.0, 30.0])


def _touchy(dice: Random, step: _StepSketch) -> None:
    step.touchy = dice.random() < 0.3


def _pivot(dice: Random, saga: _SagaSketch) -> None:
    places = [at for at, group in enumerate(saga.groups) if len(group) == 1]
    if not places or dice.random() < 0.5:
        return
    at = dice.choice(places)
    (pivot,) = saga.groups[at]
    pivot.options["pivot"] = True
    if dice.random() < 0.6:
        pivot.undo = None
        pivot.options["irreversible"] = True
    for group in saga.groups[at + 1 :]:
        for step in group:
            step.after = True


def _deadline(dice: Random, saga: _SagaSketch) -> None:
    if dice.random() < 0.2:
        saga.options["deadline"] = dice.choice([20.0, 60.0, 300.0])


def _on_compensation_failure(dice: Random, saga: _SagaSketch) -> None:
    if dice.random() < 0.35:
        saga.options["on_compensation_failure"] = "continue"


_SAGA: tuple[Callable[[Random, _SagaSketch], None], ...] = (_pivot, _deadline, _on_compensation_failure)
_STEP: tuple[Callable[[Random, _StepSketch], None], ...] = (
    _irreversible, _verify, _leaves, _retry, _timeout, _touchy,
)  # fmt: skip


def random_saga(dice: Random, name: str) -> Saga:
    """A definition that the engine takes."""
    sketch = _SagaSketch([])
    # Neither the order of names nor that of the alphabet follows the order of the steps.
    names = ["amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heron"]
    dice.shuffle(names)
    for _ in range(dice.randint(1, 4)):
        width = dice.choice([1, 1, 1, 2, 3]) if len(names) > 3 else 1
        sketch.groups.append([_StepSketch(names.pop(), dice.choice(_PAIRS)) for _ in range(width)])
    for of_saga in _SAGA:
        of_saga(dice, sketch)
    for group in sketch.groups:
        for step in group:
            for of_step in _STEP:
                if not (step.options.get("pivot") and of_step is _irreversible):
                    of_step(dice, step)
    steps = [
        group[0].made() if len(group) == 1 else Parallel(*(step.made() for step in group)) for group in sketch.groups
    ]
    return Saga(name, version=1, request=VendorOnboardingRequested, steps=steps, **sketch.options)


@cache
def _command(action: type[Record]) -> Record:
    if action in _COMMANDS:
        return _COMMANDS[action]
    made = sample(action, full=True)
    return made.model_copy(update={name: value for name, value in _FITTING.items() if name in type(made).model_fields})


def _mapping(action: type[Record], *, touchy: bool) -> Callable[[Any, Outputs], Record]:
    record = _command(action)

    def mapping(asked: Any, done: Outputs) -> Record:
        del done
        if touchy and asked.category == UNMAPPABLE:
            msg = "nobody can map this"
            raise ValueError(msg)
        return record

    return mapping


@cache
def request(number: int, *, unmappable: bool) -> VendorOnboardingRequested:
    """What an agent asks for."""
    return VendorOnboardingRequested(
        vendor_name=f"Vendor {number}",
        vendor_type=VendorType.SUPPLIER,
        tax_id="DE123456789",
        payment_terms=PaymentTerms.NET_30,
        primary_contact_name="Ada",
        primary_contact_email="ada@example.com",
        category=UNMAPPABLE if unmappable else "bearings",
    )
