"""A first integration file out of a WSDL.

It says what the WSDL says, and no more: every operation counts as blind until somebody knows better. Fields of nested
types are taken as parameters of their own; lists and whatever has no names are left out, with a comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from consumers.connectors.soap_shape import Part, parts_of, simple_name
from consumers.connectors.soap_wsdl import BadWsdl, Operation, Wsdl
from consumers.integrations.fields import pascal
from consumers.integrations.scaffold import BadDocument, one_line, snake, unique
from consumers.integrations.spec import RESERVED

__all__ = ["scaffold_wsdl"]

_MOST_ACTIONS: Final = 200
_MOST_FIELDS: Final = 60
_DEEPEST: Final = 6
_TYPES: Final = {
    "boolean": "boolean",
    "byte": "int",
    "short": "int",
    "int": "int",
    "unsignedByte": "int",
    "unsignedShort": "int",
    "unsignedInt": "long",
    "long": "long",
    "integer": "long",
    "nonNegativeInteger": "long",
    "positiveInteger": "long",
    "float": "double",
    "double": "double",
    "date": "date",
    "dateTime": "timestamp",
}
_HEAD: Final = """\
# Made by `saga systems scaffold` from a WSDL; nothing here has been tried. Before it is used:
#   effect        all are `blind`: say `idempotent` where the system honours a key (`key`), `queryable` with a probe
#   reads         true for an operation that changes nothing
#   compensation  which action undoes which
#   errors        codes of faults that mean rejected, failed or unknown; `error_body` for errors in a success
#   auth          who we are, with secrets by reference
# then `saga systems check FILE`, and `verified: true` for what has been tried.
"""


def scaffold_wsdl(path: Path, name: str, *, beside: str | None = None) -> str:
    """The text of the file. `beside` is how the file names the WSDL; by default by its path.

    Raises:
        BadDocument: it is no WSDL that could be used, or has no operation that could be an action.

    """
    try:
        wsdl = Wsdl(path)
    except BadWsdl as exc:
        raise BadDocument(str(exc)) from exc
    actions: dict[str, Any] = {}
    left_out: list[str] = []
    for operation in wsdl.names:
        made = _Action(name, wsdl.operation(operation))
        try:
            action = made.made()
        except BadDocument as exc:
            left_out.append(f"{operation}: {exc}")
            continue
        actions[unique(snake(operation), actions)] = action
        left_out += [f"{operation}: {what}" for what in made.left_out]
        if len(actions) == _MOST_ACTIONS:
            left_out.append(f"everything after {operation}: {_MOST_ACTIONS} actions are enough for one file")
            break
    if not actions:
        raise BadDocument("it has no operations of simple fields")
    spec: dict[str, Any] = {
        "name": name,
        "description": name,
        "tier": "legacy",
        "protocol": "soap",
        "soap": {snake(name): {"wsdl": beside or str(path), "path": "/"}},
        "key": "none",
        "actions": actions,
    }
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=118)
    return _HEAD + "".join(f"# left out: {one_line(what)}\n" for what in left_out) + "\n" + text


class _Action:
    """One operation on the way to an action."""

    def __init__(self, system: str, operation: Operation) -> None:
        self._system, self._operation = system, operation
        self._parameters: dict[str, Any] = {}
        self._returns: dict[str, Any] = {}
        self._response: dict[str, str] = {}
        self.left_out: list[str] = []

    def made(self) -> dict[str, Any]:
        """The action, in the order in which it is read.

        Raises:
            BadDocument: the operation wants what no simple field is.

        """
        message = self._message(self._operation.input, needed=True, depth=0)
        for names, part in _leaves(self._operation.output, ()):
            self._return(names, part)
        name = pascal(self._system) + pascal(snake(self._operation.name))
        return {
            "description": f"{self._operation.name}.",
            "command": name,
            "completion": {"name": f"{name}Done", "description": f"The answer to {name}."},
            "effect": "blind",
            "parameters": self._parameters,
            "returns": self._returns,
            "operation": {"name": self._operation.name, **({"message": message} if message else {})},
            "response": self._response,
            "verified": False,
        }

    def _message(self, kind: Any, *, needed: bool, depth: int) -> dict[str, Any]:
        parts = parts_of(kind)
        if parts is None or depth > _DEEPEST:
            raise BadDocument("its input has no names, or is nested without end")
        message: dict[str, Any] = {}
        for part in parts:
            wanted = needed and part.needed
            if not part.needed and len(self._parameters) >= _MOST_FIELDS:
                self.left_out.append(f"{part.name}: {_MOST_FIELDS} parameters are enough for one action")
            elif (simple := simple_name(part.type)) is not None:
                message[part.name] = _listed(part, self._parameter(part.name, simple, wanted=wanted))
            else:
                try:
                    message[part.name] = _listed(part, self._message(part.type, needed=wanted, depth=depth + 1))
                except BadDocument as exc:
                    self._leave(f"{part.name}: {exc}", part)
            if part.many and part.name in message:
                self.left_out.append(f"{part.name}: one of a list")
        return message

    def _leave(self, what: str, part: Part) -> None:
        if part.needed:
            raise BadDocument(f"it wants {what}")
        self.left_out.append(what)

    def _parameter(self, name: str, simple: str, *, wanted: bool) -> str:
        field = snake(name)
        field = unique(f"{field}_value" if field in RESERVED else field, self._parameters)
        made = {"description": f"{name} (xs:{simple}).", "type": _TYPES.get(simple, "string")}
        self._parameters[field] = made if wanted else {**made, "optional": True}
        return field

    def _return(self, names: tuple[str, ...], part: Part) -> None:
        simple = simple_name(part.type)
        if simple is None or simple == "decimal":  # whether it is a number or an amount, nobody says
            self.left_out.append(f"{'.'.join(names)} of the answer, which is a {simple or 'list'}")
            return
        field = unique(snake(names[-1]), self._returns)
        said = f"{names[-1]} (xs:{simple})."
        self._returns[field] = {"description": said, "type": _TYPES.get(simple, "string"), "optional": True}
        self._response[field] = "answer" + "".join(f'."{name}"' for name in names)


def _listed(part: Part, made: Any) -> Any:
    return [made] if part.many else made


def _leaves(kind: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Part]]:
    """The simple parts of an answer; a list is one that is none."""
    if len(names) > _DEEPEST:
        return
    for part in parts_of(kind) or ():
        if part.many or simple_name(part.type) is not None:
            listed = Part(part.name, None, needed=False) if part.many else part
            yield (*names, part.name), listed
        else:
            yield from _leaves(part.type, (*names, part.name))
