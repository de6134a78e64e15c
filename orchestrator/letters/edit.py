"""Mending a letter's value: fields changed by name, checked by the model, encoded anew. The original stays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from orchestrator.letters.errors import Refused
from orchestrator.letters.letter import OPEN_STATES, Letter, Way
from schemas.errors import InvalidRecord
from schemas.models import BY_NAME, Record

if TYPE_CHECKING:
    from schemas.codec import Codec

__all__ = ["check_editable", "edited_value", "model_named", "with_fields"]


def check_editable(letter: Letter) -> None:
    """Whether a replay would send the edited value.

    Raises:
        Refused: it would not, and why.

    """
    if letter.state not in OPEN_STATES:
        raise Refused("SETTLED", f"{letter.place} is {letter.state.value} already")
    if letter.way is Way.RETRY:
        text = (
            "its saga is parked, and makes its command anew from the request and the answers so far; "
            "retry, resolve or skip the step instead"
        )
        raise Refused("NOT_EDITABLE", text)


def model_named(name: str) -> type[Record]:
    """The model of a record.

    Raises:
        Refused: there is none.

    """
    model = BY_NAME.get(name)
    if model is None:
        raise Refused("NO_RECORD", f"no record {name!r}; there are {', '.join(sorted(BY_NAME))}")
    return model


def with_fields(fields: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """The fields with some set: `name=value`, `address.city=value`, `items.0.price=value`.

    A value is JSON, or else the text as it stands.

    Raises:
        Refused: one is no assignment, or its path leads nowhere.

    """
    changed: dict[str, Any] = deepcopy(dict(fields))
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator or not path:
            raise Refused("USAGE", f"--set {assignment!r} is not field=value")
        _set(changed, path, _value(text))
    return changed


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _set(fields: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    inner: Any = fields
    for name in way:
        if isinstance(inner, dict) and inner.get(name) is None:
            inner[name] = {}
        inner = _within(inner, name, path)
    if isinstance(inner, list):
        _within(inner, last, path)
        inner[int(last)] = value
    elif isinstance(inner, dict):
        inner[last] = value
    else:
        raise Refused("USAGE", f"--set {path}: nothing can be set in {inner!r}")


def _within(inner: Any, name: str, path: str) -> Any:
    try:
        return inner[int(name)] if isinstance(inner, list) else inner[name]
    except (ValueError, LookupError, TypeError) as exc:
        raise Refused("USAGE", f"--set {path}: there is no {name!r}") from exc


def edited_value(codec: Codec, model: type[Record], fields: Mapping[str, Any], letter: Letter, most: int) -> bytes:
    """The fields as a value that the model accepts and Kafka takes.

    Raises:
        Refused: they do not fit, and which; or nothing changes.
        RegistryUnavailable: the schema registry is away.

    """
    try:
        # Through JSON text: only pydantic's JSON mode reads base64 bytes and dates strictly.
        value = codec.encode(model.model_validate_json(json.dumps(fields)))
    except ValidationError as exc:
        problems = "; ".join(f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in exc.errors()[:5])
        raise Refused("INVALID", f"{model.contract.name}: {problems}") from exc
    except InvalidRecord as exc:
        raise Refused("INVALID", str(exc)) from exc
    if value == (letter.value if letter.edited is None else letter.edited):
        raise Refused("UNCHANGED", "nothing changes")
    if len(value) > most:
        raise Refused("TOO_LARGE", f"{len(value)} bytes are over the limit of {most}")
    return value
