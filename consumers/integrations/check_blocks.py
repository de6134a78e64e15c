"""What the shape of an integration file does not tell of SOAP, IDocs and GraphQL. Pure: no WSDL is read here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from consumers.integrations.document import Place
from consumers.integrations.spec import ActionSpec, IntegrationSpec, LookSpec

__all__ = ["check_protocol", "trees"]

Mistake = tuple[Place, str]

# An HTTP 404 says of their one URL that it is wrong, and never that there is no such thing.
_ONE_URL = frozenset({"soap", "graphql"})


def trees(asked: ActionSpec | LookSpec) -> Iterator[tuple[Place, Any]]:
    """Every tree of expressions in the blocks of these protocols, with its place."""
    if (operation := asked.operation) is not None:
        yield ("operation", "message"), operation.message
        yield ("operation", "headers"), operation.headers
    if (query := asked.query) is not None:
        yield ("query", "variables"), query.variables
    if isinstance(asked, ActionSpec) and (document := asked.document) is not None:
        yield ("document", "control"), document.control
        yield ("document", "segments"), document.segments


def check_protocol(spec: IntegrationSpec) -> Iterator[Mistake]:
    """Mistakes that a protocol makes of what would be right with another."""
    protocol = spec.protocol
    if spec.auth is not None and spec.auth.type == "ws_security" and protocol not in {"smtp", "soap"}:
        yield ("auth",), f"type ws_security is for SOAP, and the protocol is {protocol}"
    for block in ("soap", "idoc"):
        if protocol == block and getattr(spec, block) is None:
            yield (block,), f"is missing: protocol {protocol} needs it"
        elif protocol != block and getattr(spec, block) is not None:
            yield (block,), f"is of no use with protocol {protocol}"
    if protocol != "graphql" and "graphql" in spec.model_fields_set:
        yield ("graphql",), f"is of no use with protocol {protocol}"
    yield from _errors(spec, protocol)
    for name, action in spec.actions.items():
        for place, message in _action(spec, action):
            yield ("actions", name, *place), message


def _errors(spec: IntegrationSpec, protocol: str) -> Iterator[Mistake]:
    if spec.error_body is not None and protocol in {"idoc", "graphql", "odata"}:
        yield ("error_body",), f"is of no use with protocol {protocol}, which has a place of its own for errors"
    if spec.error_body is not None and protocol == "soap" and spec.error_body.when is None:
        yield ("error_body",), "needs `when`: a fault is known without it, and everything else is a success"
    if protocol in _ONE_URL and not spec.missing_codes:
        yield ("missing_codes",), f"is empty, and protocol {protocol} says by a code alone that there is no such thing"


def _action(spec: IntegrationSpec, action: ActionSpec) -> Iterator[Mistake]:
    if spec.soap is not None:
        yield from _port(spec, action, ())
    for part in ("lookup", "probe"):
        look = getattr(action, part)
        if look is None:
            continue
        if spec.soap is not None:
            yield from _port(spec, look, (part,))
        if look.query is not None and not look.query.reads:
            yield (part, "query", "text"), "is a mutation, and asking must change nothing"
    if spec.protocol == "idoc":
        yield from _idoc(spec, action)
    key = spec.key_of(action)
    variable = key.body if key is not None and action.query is not None and not action.reads else None
    if variable is not None and not re.search(rf"\${re.escape(variable)}\b", action.query.text if action.query else ""):
        yield ("query", "text"), f"has no variable ${variable}, where the key should go"


def _port(spec: IntegrationSpec, asked: ActionSpec | LookSpec, place: Place) -> Iterator[Mistake]:
    ports = spec.soap or {}
    if asked.operation is None:
        return
    name = asked.operation.port
    if name is None and len(ports) > 1:
        yield (*place, "operation", "port"), f"is missing: `soap` has {', '.join(ports)}"
    elif name is not None and name not in ports:
        yield (*place, "operation", "port"), f"there is no {name} under `soap`"


def _idoc(spec: IntegrationSpec, action: ActionSpec) -> Iterator[Mistake]:
    if action.document is None:
        return
    if action.found is not None:
        yield ("found",), "is of no use with protocol idoc: SAP does not say that there was nothing to undo"
    if spec.idoc is not None and action.timeout <= spec.idoc.within:
        yield ("timeout",), f"must be above idoc.within ({spec.idoc.within:g} s), or nobody hears how it ended"
