"""Typed data inside a saga's state: a record that is validated only when somebody looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from schemas.models import BY_NAME, Record

__all__ = ["Outputs", "Payload"]

R = TypeVar("R", bound=Record)


class Payload:
    """A record and its JSON form, each made from the other when first needed.

    A saga of many steps is loaded and stored far more often than its old outputs are read, so reading them is lazy.
    Unknown fields are dropped when reading: a newer reader meets state that an older writer left (the schemas allow
    only compatible changes).
    """

    __slots__ = ("_json", "_record", "name")

    def __init__(self, name: str, *, record: Record | None = None, value: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self._record = record
        self._json = value

    @classmethod
    def of(cls, record: Record) -> Payload:
        """Wrap a record."""
        return cls(record.contract.name, record=record)

    @property
    def json(self) -> Mapping[str, Any]:
        """The JSON form: plain dicts, lists, strings, numbers, None."""
        if self._json is None:
            assert self._record is not None
            # By its text: `model_dump` leaves an infinite number as it is, which no JSON column takes.
            self._json = msgspec.json.decode(self._record.model_dump_json())
        return self._json

    @property
    def record(self) -> Record:
        """The record.

        Raises:
            KeyError: no model of that name is known here.
            pydantic.ValidationError: the stored data does not fit the model any more.

        """
        if self._record is None:
            # Through JSON text, not the dict: only pydantic's JSON mode reads base64 bytes and date strings strictly.
            text = msgspec.json.encode(self._json)
            self._record = BY_NAME[self.name].model_validate_json(text, extra="ignore")
        return self._record

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Payload) and self.name == other.name and self.json == other.json

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Payload({self.name}, {dict(self.json)!r})"


class Outputs:
    """What the steps of a saga have answered so far, for input mappings.

    `done[VendorCreated]` is the one output of that type; `done.of("erp-vendor", VendorCreated)` names the step where
    two steps answer with the same type; `done.get(VendorCreated)` is None where there is none (an undo after an
    unknown outcome).
    """

    __slots__ = ("_by_step",)

    def __init__(self, by_step: Mapping[str, Payload]) -> None:
        self._by_step = by_step

    def get(self, kind: type[R]) -> R | None:
        """The output of that type, or None.

        Raises:
            LookupError: two steps answered with that type; name the step with `of`.

        """
        found = [payload for payload in self._by_step.values() if payload.name == kind.contract.name]
        if len(found) > 1:
            msg = f"{len(found)} steps answered with {kind.__name__}: name the step, done.of(step, {kind.__name__})"
            raise LookupError(msg)
        return _typed(found[0], kind) if found else None

    def __getitem__(self, kind: type[R]) -> R:
        output = self.get(kind)
        if output is None:
            msg = f"no step has answered with {kind.__name__}"
            raise LookupError(msg)
        return output

    def of(self, step: str, kind: type[R]) -> R:
        """The output of one step.

        Raises:
            LookupError: that step has no output of that type.

        """
        payload = self._by_step.get(step)
        if payload is None or payload.name != kind.contract.name:
            msg = f"step {step!r} has not answered with {kind.__name__}"
            raise LookupError(msg)
        return _typed(payload, kind)


def _typed(payload: Payload, kind: type[R]) -> R:
    record = payload.record
    if not isinstance(record, kind):
        msg = f"{payload.name} is {type(record).__name__}, not {kind.__name__}"
        raise LookupError(msg)
    return record
