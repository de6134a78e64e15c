"""Tries the mappings of a definition on made-up data, so that a wrong one fails at construction and not in a saga."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AwareDatetime, ValidationError

from orchestrator.core.errors import DefinitionError
from orchestrator.core.payload import Outputs, Payload
from schemas.models import Record

if TYPE_CHECKING:
    from orchestrator.core.definition import Mapping_, Saga, Step

__all__ = ["check_mappings", "fitting", "sample"]

_PLAIN: Mapping[type, object] = {
    str: "sample",
    int: 1,
    float: 1.0,
    bool: True,
    bytes: b"sample",
    Decimal: Decimal(1),
    date: date(2026, 1, 1),
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    AwareDatetime: datetime(2026, 1, 1, tzinfo=UTC),
    time: time(12),
    UUID: UUID(int=1),
}

_TEXTS = (
    "ada@example.com", "DE123456789", "EUR", "https://example.com", "2026-01-01", "12.00", "sample-1", "SAMPLE", "DE",
)  # fmt: skip

# Made-up text fits no pattern, and that is the sample's fault; a missing field or a wrong type is the mapping's.
_CONSTRAINTS = frozenset(
    {"string_pattern_mismatch", "string_too_short", "string_too_long", "value_error", "decimal_max_digits"}
)


@dataclass(frozen=True, slots=True)
class _Unsolved:
    """A record that was all right but for the constraints of its values."""

    model: str


def check_mappings(saga: Saga) -> None:
    """Run every mapping on a sample with all optional values, and on one with none.

    An undo is also run without the step's own output, as after an unknown outcome.

    Raises:
        DefinitionError: a mapping raised or gave the wrong record.

    """
    for full in (True, False):
        request = sample(saga.request, full=full)
        outputs: dict[str, Payload] = {}
        for group in saga.groups:
            made: dict[str, Payload] = {}
            for step in group:
                _try(saga, step.name, "input", step.input, step.action, request, outputs)
                assert step.contract.completion is not None
                made[step.name] = Payload.of(sample(step.contract.completion, full=full))
            outputs.update(made)
        _check_undos(saga, request, outputs)
        if saga.business_key is not None:
            key = _call(saga, "business_key", partial(saga.business_key, request))
            if not isinstance(key, str):
                msg = f"saga {saga.name!r}: business_key gave {type(key).__name__}, not a string"
                raise DefinitionError(msg)


def _check_undos(saga: Saga, request: Record, outputs: Mapping[str, Payload]) -> None:
    for step in saga:
        if step.undo:
            known = dict(outputs)
            _try(saga, step.name, "undo input", step.undo.input, step.undo.action, request, known)
            # The step's own answer is missing, and so are those of later steps: they never started. Its siblings in
            # a Parallel may have failed, too.
            for later in _from(saga, step):
                known.pop(later)
            where = "undo input without the step's own output"
            _try(saga, step.name, where, step.undo.input, step.undo.action, request, known)


def _from(saga: Saga, step: Step) -> list[str]:
    return [s.name for s in saga if saga.group_of(s.name) >= saga.group_of(step.name)]


def _try(
    saga: Saga,
    step: str,
    what: str,
    mapping: Mapping_,
    action: type[Record],
    request: Record,
    outputs: Mapping[str, Payload],
) -> None:
    record = _call(saga, f"step {step!r}: {what}", lambda: mapping(request, Outputs(outputs)))
    name = record.model if isinstance(record, _Unsolved) else type(record).__name__
    if name != action.__name__:
        msg = f"saga {saga.name!r}: step {step!r}: {what} gave {name}, not {action.__name__}"
        raise DefinitionError(msg)


def _call(saga: Saga, what: str, function: Any) -> Any:
    try:
        return function()
    except Exception as exc:
        if isinstance(exc, ValidationError) and all(error["type"] in _CONSTRAINTS for error in exc.errors()):
            return _Unsolved(exc.title)
        msg = f"saga {saga.name!r}: {what} failed on sample data: {type(exc).__name__}: {exc}"
        raise DefinitionError(msg) from exc


def sample(model: type[Record], *, full: bool) -> Record:
    """A record of that type with plausible values, or with None wherever None is allowed.

    Patterns and lengths are not solved: the values are placed unchecked, and a mapping that copies them into a
    command is checked against the command's fields and types only.
    """
    values = {name: _value(info.annotation, full=full) for name, info in model.model_fields.items()}
    return model.model_construct(**values)


def fitting(model: type[Record]) -> Record:
    """A sample with all optional values whose texts fit the fields' patterns, where well-known ones do.

    Raises:
        DefinitionError: a field takes none of them.

    """
    values = sample(model, full=True).model_dump()
    for text in _TEXTS:
        try:
            return model.model_validate(values)
        except ValidationError as exc:
            bad = {str(error["loc"][0]) for error in exc.errors()}
            values |= dict.fromkeys(bad, text)
    try:
        return model.model_validate(values)
    except ValidationError as exc:
        msg = f"{model.__name__}: no made-up value fits: {exc}"
        raise DefinitionError(msg) from exc


def _value(annotation: Any, *, full: bool) -> Any:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _value(typing.get_args(annotation)[0], full=full)
    if origin in (typing.Union, types.UnionType):
        arguments = typing.get_args(annotation)
        if type(None) in arguments and not full:
            return None
        return _value(next(a for a in arguments if a is not type(None)), full=full)
    if origin is typing.Literal:
        return typing.get_args(annotation)[0]
    if origin in (list, tuple, dict):
        return _collection(origin, typing.get_args(annotation), full=full)
    if isinstance(annotation, type):
        return _instance(annotation, full=full)
    msg = f"no sample for {annotation!r}"
    raise DefinitionError(msg)


def _collection(origin: type, arguments: tuple[Any, ...], *, full: bool) -> Any:
    if not full:
        return origin()
    if origin is dict:
        return {"sample": _value(arguments[1], full=full)}
    return origin([_value(arguments[0], full=full)])


def _instance(kind: type, *, full: bool) -> Any:
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    if issubclass(kind, Record):
        return sample(kind, full=full)
    for plain, value in _PLAIN.items():
        if kind is plain:
            return value
    msg = f"no sample for {kind!r}"
    raise DefinitionError(msg)
