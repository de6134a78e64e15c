"""Whether the operations and messages of an integration file are those of its WSDLs. Reads them; takes its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from consumers.connectors.soap_wsdl import BadWsdl, Wsdl
from consumers.integrations.blocks import OperationSpec
from consumers.integrations.check import Mistake
from consumers.integrations.spec import IntegrationSpec

__all__ = ["check_wsdl"]


def check_wsdl(spec: IntegrationSpec) -> Iterator[Mistake]:
    """Mistakes that only the WSDLs show; none for another protocol."""
    ports: dict[str, Wsdl] = {}
    for name, port in (spec.soap or {}).items():
        try:
            ports[name] = Wsdl(port.wsdl, port.service, port.port, port.version)
        except BadWsdl as exc:
            yield ("soap", name, "wsdl"), str(exc)
    for name, action in spec.actions.items():
        key = spec.key_of(action)
        body = key.body if key is not None and not action.reads else None
        if action.operation is not None:
            for place, message in _operation(action.operation, ports, body):
                yield ("actions", name, "operation", *place), message
        for part in ("lookup", "probe"):
            look = getattr(action, part)
            if look is not None and look.operation is not None:
                for place, message in _operation(look.operation, ports, None):
                    yield ("actions", name, part, "operation", *place), message


def _operation(asked: OperationSpec, ports: Mapping[str, Wsdl], key: str | None) -> Iterator[Mistake]:
    wsdl = ports.get(asked.port) if asked.port is not None else next(iter(ports.values()), None)
    if wsdl is None:  # told already
        return
    try:
        operation = wsdl.operation(asked.name)
    except ValueError as exc:
        yield ("name",), str(exc)
        return
    message = dict(asked.message) if key is None else {**asked.message, key: "idempotency_key"}
    for place, text in operation.misfits(message):
        yield ("message", *place), text
    for place, text in operation.header_misfits(asked.headers):
        yield ("headers", *place), text
