"""A first integration file out of a GraphQL schema: SDL, or the JSON that introspection answers.

It says what the schema says, and no more: every mutation counts as blind until somebody knows better. Of an answer the
simple fields are asked for, of input objects the simple fields are parameters; what was left out is a comment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import yaml
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    get_named_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.type import get_nullable_type

from consumers.integrations.fields import pascal
from consumers.integrations.scaffold import BadDocument, one_line, snake, unique
from consumers.integrations.spec import RESERVED

__all__ = ["scaffold_graphql"]

_LARGEST: Final = 20 << 20
_MOST_ACTIONS: Final = 200
_MOST_FIELDS: Final = 60
_DEEPEST: Final = 6
_TYPES: Final = {"Int": "int", "Float": "double", "Boolean": "boolean"}
_HEAD: Final = """\
# Made by `saga systems scaffold` from a GraphQL schema; nothing here has been tried. Before it is used:
#   effect        mutations are `blind`: say `idempotent` where the system honours a key, `queryable` with a probe
#   compensation  which action undoes which
#   errors        codes in `extensions.code` that mean rejected, failed or unknown; `problems` for errors in the data
#   auth          who we are, with secrets by reference
# then `saga systems check FILE`, and `verified: true` for what has been tried.
"""


def scaffold_graphql(document: str, name: str) -> str:
    """The text of the file.

    Raises:
        BadDocument: it is no schema, or has no field that could be an action.

    """
    schema = _schema(document)
    actions: dict[str, Any] = {}
    left_out: list[str] = []
    for kind, root in (("mutation", schema.mutation_type), ("query", schema.query_type)):
        for field_name, field in (root.fields if root else {}).items():
            if len(actions) == _MOST_ACTIONS:
                left_out.append(f"{field_name} and what follows: {_MOST_ACTIONS} actions are enough for one file")
                break
            made = _Action(name, kind, field_name, field)
            try:
                action = made.made()
            except BadDocument as exc:
                left_out.append(f"{field_name}: {exc}")
                continue
            actions[unique(snake(field_name), actions)] = action
            left_out += [f"{field_name}: {what}" for what in made.left_out]
    if not actions:
        raise BadDocument("it has no mutation or query of simple fields")
    spec: dict[str, Any] = {
        "name": name,
        "description": name,
        "tier": "api",
        "protocol": "graphql",
        "graphql": {"path": "/graphql"},
        "key": "none",
        "actions": actions,
    }
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=118)
    return _HEAD + "".join(f"# left out: {one_line(what)}\n" for what in left_out) + "\n" + text


def _schema(document: str) -> GraphQLSchema:
    if len(document) > _LARGEST:
        raise BadDocument(f"it is larger than {_LARGEST} bytes")
    try:
        if not document.lstrip().startswith("{"):
            return build_schema(document)
        found = json.loads(document)
        return build_client_schema(found.get("data", found))
    except (GraphQLError, TypeError, ValueError, KeyError, AttributeError, RecursionError) as exc:
        raise BadDocument(f"it is no GraphQL schema: {one_line(str(exc))[:200]}") from exc


class _Action:
    """One field of a root type on the way to an action."""

    def __init__(self, system: str, kind: str, name: str, field: GraphQLField) -> None:
        self._system, self._kind, self._name, self._field = system, kind, name, field
        self._parameters: dict[str, Any] = {}
        self._returns: dict[str, Any] = {}
        self._response: dict[str, str] = {}
        self.left_out: list[str] = []

    def made(self) -> dict[str, Any]:
        """The action, in the order in which it is read.

        Raises:
            BadDocument: the field wants what no simple parameter is, or answers with a list.

        """
        variables, declared, passed = {}, [], []
        for name, argument in self._field.args.items():
            try:
                variables[name] = self._value(name, argument, wanted=is_required_argument(argument), depth=0)
            except BadDocument as exc:
                if is_required_argument(argument):
                    raise BadDocument(f"it wants {name}: {exc}") from exc
                self.left_out.append(f"{name}: {exc}")
                continue
            declared.append(f"${name}: {argument.type}")
            passed.append(f"{name}: ${name}")
        selected = self._selected()
        title = pascal(snake(self._name))
        head = f"{self._kind} {title}" + (f"({', '.join(declared)})" if declared else "")
        call = self._name + (f"({', '.join(passed)})" if passed else "")
        command = pascal(self._system) + title
        query = {"text": f"{head} {{ {call}{selected} }}"} | ({"variables": variables} if variables else {})
        return {
            "description": one_line(self._field.description or f"{self._name}.")[:200],
            "command": command,
            "completion": {"name": f"{command}Done", "description": f"The answer to {command}."},
            "effect": "idempotent" if self._kind == "query" else "blind",
            "parameters": self._parameters,
            "returns": self._returns,
            "query": query,
            "response": self._response,
            "verified": False,
        }

    def _value(self, name: str, wanted_of: GraphQLArgument | GraphQLInputField, *, wanted: bool, depth: int) -> Any:
        kind = get_nullable_type(wanted_of.type)
        if is_list_type(kind):
            raise BadDocument("it is a list")
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return self._parameter(name, wanted_of, kind, wanted=wanted)
        if not isinstance(kind, GraphQLInputObjectType) or depth > _DEEPEST:
            raise BadDocument("it is nested without end")
        value = {}
        for inner, field in kind.fields.items():
            needed = is_required_input_field(field)
            try:
                value[inner] = self._value(inner, field, wanted=wanted and needed, depth=depth + 1)
            except BadDocument as exc:
                if needed:
                    raise BadDocument(f"{inner}: {exc}") from exc
                self.left_out.append(f"{name}.{inner}: {exc}")
        return value

    def _parameter(
        self,
        name: str,
        field: GraphQLArgument | GraphQLInputField,
        kind: GraphQLScalarType | GraphQLEnumType,
        *,
        wanted: bool,
    ) -> str:
        if not wanted and len(self._parameters) >= _MOST_FIELDS:
            raise BadDocument(f"{_MOST_FIELDS} parameters are enough for one action")
        said = snake(name)
        said = unique(f"{said}_value" if said in RESERVED else said, self._parameters)
        text = one_line(field.description or _described(name, kind))[:500]
        made = {"description": text, "type": _TYPES.get(kind.name, "string")}
        self._parameters[said] = made if wanted else {**made, "optional": True}
        return said

    def _selected(self) -> str:
        """The selection of the answer's simple fields; empty where the answer is simple itself."""
        kind = get_nullable_type(self._field.type)
        if is_list_type(kind):
            raise BadDocument("it answers with a list")
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            self._return("result", kind, f"answer.{self._name}")
            return ""
        if not isinstance(kind, GraphQLObjectType):
            raise BadDocument(f"it answers with {kind}, of which the schema does not say what it is")
        names = []
        for name, field in _simple(kind):
            names.append(name)
            self._return(name, get_named_type(field.type), f'answer.{self._name}."{name}"')
        self.left_out += [f"{name} of the answer" for name in kind.fields if name not in names]
        return f" {{ {' '.join(names or ['__typename'])} }}"

    def _return(self, name: str, kind: Any, expression: str) -> None:
        said = unique(snake(name), self._returns)
        made = {"description": _described(name, kind), "type": _TYPES.get(kind.name, "string"), "optional": True}
        self._returns[said] = made
        self._response[said] = expression


def _simple(kind: GraphQLObjectType) -> Iterator[tuple[str, GraphQLField]]:
    for name, field in kind.fields.items():
        plain = get_nullable_type(field.type)
        needs = any(is_required_argument(argument) for argument in field.args.values())
        if isinstance(plain, GraphQLScalarType | GraphQLEnumType) and not needs:
            yield name, field


def _described(name: str, kind: Any) -> str:
    if isinstance(kind, GraphQLEnumType):
        return f"{name}: {', '.join(list(kind.values)[:20])}."
    return f"{name} ({kind.name})."
