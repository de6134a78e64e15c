"""What the shape of an integration file does not tell: names in expressions, compensations, classes, records. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from consumers.integrations.check_blocks import check_protocol, trees
from consumers.integrations.document import Place
from consumers.integrations.expressions import PathTemplate, TextTemplate, compiled, names_of
from consumers.integrations.fields import FieldSpec
from consumers.integrations.spec import (
    PROTOCOLS,
    RESERVED,
    ActionSpec,
    CompareSpec,
    IntegrationSpec,
    KeySpec,
    LookSpec,
    MailSpec,
    ReadSpec,
    RequestSpec,
)
from consumers.integrations.spec_odata import EntitySpec
from schemas.catalogue import load as schemas

__all__ = ["Fields", "Mistake", "check_action", "check_system", "fields_of"]

Mistake = tuple[Place, str]

# The block by which a lookup or probe of that protocol asks.
_ASKS = {"rest": "request", "form": "request", "odata": "entities", "soap": "operation", "graphql": "query"}
_SENT = frozenset({"saga_id", "idempotency_key", "agent", "step", "api_version"})


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of an action's fields, and of those among them that are booleans or need no value."""

    command: frozenset[str] | None
    completion: frozenset[str] | None
    optional: frozenset[str]
    booleans: frozenset[str]


def fields_of(action: ActionSpec, system: str) -> Fields:
    """By the file where it declares them, else by the contracts in `schemas/`; None for a record that nobody knows."""
    namespace = f"saga.{system.replace('-', '_')}"
    command = _known(action.parameters, f"{namespace}.{action.command}")
    completion = _known(action.returns, f"{namespace}.{action.completion.name}")
    returned = completion or {}
    return Fields(
        frozenset(command) if command is not None else None,
        frozenset(completion) if completion is not None else None,
        frozenset(name for name, (_, optional) in returned.items() if optional),
        frozenset(name for name, (kind, _) in returned.items() if kind == "boolean"),
    )


def _known(declared: Mapping[str, FieldSpec] | None, record: str) -> dict[str, tuple[Any, bool]] | None:
    if declared is not None:
        return {name: (field.type, field.optional) for name, field in declared.items()}
    schema = schemas().get(record)
    if schema is None:
        return None
    return {field["name"]: (field["type"], "default" in field) for field in schema["fields"]}


def check_system(spec: IntegrationSpec) -> Iterator[Mistake]:
    """Mistakes outside the actions, and between them."""
    if spec.protocol == "smtp" and spec.sender is None:
        yield ("sender",), "is missing: protocol smtp needs it"
    if spec.protocol == "smtp" and spec.auth is not None:
        yield ("auth",), "is of no use with protocol smtp: user and password are options of the system"
    yield from check_protocol(spec)
    if spec.idoc is not None:
        yield from _tree(spec.idoc.control, ("idoc", "control"), _SENT)
    if isinstance(spec.base_url, dict) and not spec.base_url:
        yield ("base_url",), "names no environment"
    if (body := spec.error_body) is not None:
        known = {"answer", "status", "headers"}
        yield from _expression(body.code, ("error_body", "code"), known)
        yield from _expression(body.message, ("error_body", "message"), known)
        if body.when is not None:
            yield from _expression(body.when, ("error_body", "when"), {"answer"})
    yield from _twice(spec, "command", lambda action: action.command)
    yield from _twice(spec, "completion", lambda action: action.completion.name)


def _twice(spec: IntegrationSpec, field: str, record: Callable[[ActionSpec], str]) -> Iterator[Mistake]:
    counts = Counter(record(action) for action in spec.actions.values())
    for name, action in spec.actions.items():
        if counts[record(action)] > 1:
            yield ("actions", name, field), f"{record(action)} is of another action as well"


def check_action(
    name: str, action: ActionSpec, protocol: str, fields: Fields, actions: Collection[str]
) -> Iterator[Mistake]:
    """Mistakes of one action, with their places in it. `actions`: names of all of the system's."""
    yield from _check_relations(name, action, protocol, actions)
    if fields.command is None:
        yield ("command",), f"{action.command} is no record of schemas/, and `parameters` say nothing"
        return
    if fields.completion is None:
        yield (
            ("completion",),
            f"{action.completion.name} is no record of schemas/, and `returns` do not say what it has",
        )
    for taken in sorted(RESERVED & (action.parameters or {}).keys()):
        yield ("parameters", taken), "is a name that expressions have for something else"
    asked = _SENT | fields.command
    yield from _sent(action, asked)
    if action.lookup is not None:
        asked |= {"lookup"}
    if action.handler is None:
        yield from _mapping(action.response, ("response",), asked | {"answer", "headers"}, fields, action.found)
    yield from _found(action, fields)
    if action.probe is not None:
        yield from _look(action.probe, ("probe",), asked - {"lookup"})
        known = (asked - {"lookup"}) | {"answer", "item"}
        yield from _mapping(action.probe.response, ("probe", "response"), known, fields, action.found)
    if action.compare is not None:
        yield from _compare(action, action.compare, fields)


def _compare(action: ActionSpec, compare: CompareSpec, fields: Fields) -> Iterator[Mistake]:
    command = fields.command or frozenset()
    yield from _expression(compare.key, ("compare", "key"), command)
    for name in sorted(compare.fields.keys() - command):
        yield ("compare", "fields", name), f"{name} is no field of {action.command}"
    for name, expression in compare.fields.items():
        yield from _expression(expression, ("compare", "fields", name), None)
    if compare.theirs is not None:
        yield from _expression(compare.theirs, ("compare", "theirs"), None)
    if compare.look is not None:
        if action.request is None:
            yield ("compare", "look"), "is of no use without `request`"
        known = _SENT | command
        yield from _look(compare.look, ("compare", "look"), known)
        if compare.look.response:
            known |= {"answer", "item"}
            yield from _mapping(compare.look.response, ("compare", "look", "response"), known, fields, action.found)


def _sent(action: ActionSpec, known: Collection[str]) -> Iterator[Mistake]:
    if action.lookup is not None:
        yield from _look(action.lookup, ("lookup",), known)
        known = {*known, "lookup"}
    if action.request is not None:
        yield from _request(action.request, ("request",), known)
    if action.entity is not None:
        yield from _entity(action.entity, ("entity",), known)
    if action.mail is not None:
        yield from _mail(action.mail, ("mail",), known)
    yield from _blocks(action, (), known)


def _found(action: ActionSpec, fields: Fields) -> Iterator[Mistake]:
    if action.found is None or fields.completion is None:
        return
    if action.found not in fields.booleans:
        yield ("found",), f"{action.found} is no boolean of {action.completion.name}"
    for needed in sorted(fields.completion - fields.optional - {action.found}):
        yield ("found",), f"where nothing is found there is no {needed} either: make it optional"


def _check_relations(name: str, action: ActionSpec, protocol: str, actions: Collection[str]) -> Iterator[Mistake]:
    block = PROTOCOLS.get(protocol)
    given = [b for b in (*dict.fromkeys(PROTOCOLS.values()), "handler") if getattr(action, b) is not None]
    if block is not None and given not in ([block], ["handler"]):
        said = " and ".join(given) or "neither"
        yield (given[-1],) if given else (), f"needs `{block}` (protocol {protocol}) or `handler`, and has {said}"
    yield from _class(action)
    if block is not None:
        yield from _asks(action, protocol)
    if action.compensation == name:
        yield ("compensation",), "is this very action"
    elif action.compensation is not None and action.compensation not in actions:
        yield ("compensation",), f"there is no action {action.compensation}"
    if action.handler is not None and action.response:
        yield ("response",), "is of no use: the handler returns the completion itself"


def _asks(action: ActionSpec, protocol: str) -> Iterator[Mistake]:
    wanted = _ASKS.get(protocol)
    for name, look in (("lookup", action.lookup), ("probe", action.probe)):
        if look is None:
            continue
        given = [block for block in dict.fromkeys(_ASKS.values()) if getattr(look, block) is not None]
        if protocol == "idoc" and name == "probe":
            if given:
                yield (name, given[0]), "is of no use with protocol idoc: a status is asked for by its reference"
        elif wanted is None:
            yield (name,), f"is of no use with protocol {protocol}"
        elif given != [wanted]:
            yield (name,), f"needs `{wanted}` (protocol {protocol}), and nothing else that asks"


def _class(action: ActionSpec) -> Iterator[Mistake]:
    if action.effect == "queryable" and action.probe is None:
        yield ("effect",), "queryable needs a `probe`: who else would say whether it was done?"
    if isinstance(action.key, KeySpec) and action.key.body is not None:
        body = action.request.body if action.request is not None else None
        if action.request is not None and not isinstance(body, dict):
            yield ("key", "body"), "there is no body that is a set of fields"
    if action.probe is None:
        return
    if action.effect == "blind":
        yield ("probe",), "is of no use: effect blind says that nobody can ask"


def _request(request: RequestSpec | ReadSpec, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    try:
        path = PathTemplate.of(request.path)
    except ValueError as exc:
        yield (*place, "path"), str(exc)
    else:
        for expression in path.expressions:
            yield from _names(names_of(expression), (*place, "path"), known)
    if request.method == "GET" and request.body is not None:
        yield (*place, "body"), "a GET has none"
    for part in ("query", "headers", "body"):
        yield from _tree(getattr(request, part), (*place, part), known)


def _entity(entity: EntitySpec, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    parts: list[tuple[Place, Any]] = [((*place, part), getattr(entity, part)) for part in ("key", "fields", "etag")]
    for number, change in enumerate(entity.changes):
        parts += [((*place, "changes", number, part), getattr(change, part)) for part in ("key", "fields", "etag")]
    for where, shape in parts:
        yield from _tree(shape, where, known)


def _look(look: LookSpec, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    if look.request is not None:
        yield from _request(look.request, (*place, "request"), known)
    if look.entities is not None:
        yield from _tree(look.entities.where, (*place, "entities", "where"), known)
    yield from _blocks(look, place, known)
    if look.found is not None:
        yield from _expression(look.found, (*place, "found"), {*known, "answer"})


def _blocks(asked: ActionSpec | LookSpec, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    for inner, tree in trees(asked):
        yield from _tree(tree, (*place, *inner), known)


def _mail(mail: MailSpec, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    for part in ("recipient", "recipient_name", "in_reply_to", "tags"):
        yield from _tree(getattr(mail, part), (*place, part), known)
    for part in ("subject", "text"):
        try:
            template = TextTemplate.of(getattr(mail, part))
        except ValueError as exc:
            yield (*place, part), str(exc)
        else:
            yield from _names(template.names, (*place, part), known)


def _mapping(
    mapping: Mapping[str, Any], place: Place, known: Collection[str], fields: Fields, found: str | None
) -> Iterator[Mistake]:
    yield from _tree(mapping, place, known)
    if fields.completion is None:
        return
    for name in mapping:
        if name not in fields.completion:
            yield (*place, name), "is no field of the completion"
        elif name == found:
            yield (*place, name), "is set by `found` already"
    for name in sorted(fields.completion - fields.optional - mapping.keys() - {found}):
        yield place, f"does not say what {name} is"


def _tree(shape: Any, place: Place, known: Collection[str]) -> Iterator[Mistake]:
    if isinstance(shape, str):
        yield from _expression(shape, place, known)
    elif isinstance(shape, dict):
        for name, part in shape.items():
            yield from _tree(part, (*place, name), known)
    elif isinstance(shape, list):
        for number, part in enumerate(shape):
            yield from _tree(part, (*place, number), known)


def _expression(text: str, place: Place, known: Collection[str] | None) -> Iterator[Mistake]:
    """`known` is None where nobody knows what may be named."""
    try:
        expression = compiled(text)
    except ValueError as exc:
        yield place, str(exc)
        return
    if known is not None:
        yield from _names(names_of(expression), place, known)


def _names(names: Iterable[str], place: Place, known: Collection[str]) -> Iterator[Mistake]:
    for name in sorted(set(names) - set(known)):
        yield place, f"there is no {name} here; a constant text is written '{name}'"
