"""A WSDL as zeep reads it: envelopes from plain data, plain data from envelopes. Nothing here touches the network."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lxml import etree
from zeep import Settings, helpers
from zeep.exceptions import Error as ZeepError
from zeep.transports import Transport
from zeep.wsdl import Document
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding, SoapBinding

from consumers.connectors.soap_shape import Place, misfits, parts_of

__all__ = ["BadReply", "BadRequest", "BadWsdl", "Operation", "Wsdl"]

_SETTINGS = Settings(strict=True, xml_huge_tree=False, forbid_dtd=True, forbid_entities=True, forbid_external=True)
_serialize: Any = helpers.serialize_object  # half of zeep has no types
# What zeep lets through of its own beside its errors, on values and XML that do not fit.
_MISFIT = (ZeepError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_BINDINGS: Final = {None: SoapBinding, "1.1": Soap11Binding, "1.2": Soap12Binding}
_LONGEST_WHOLE = 40


class BadWsdl(Exception):
    """The WSDL cannot be used: {0}"""


class BadRequest(Exception):
    """The fields do not fit the operation's input: {0}"""


class BadReply(Exception):
    """The envelope is not the operation's output: {0}"""


class _Files(Transport):
    """Loads files and nothing else."""

    def load(self, url: str) -> bytes:
        return Path(url).read_bytes()


class Operation:
    """One operation of a port.

    Attributes:
        name: in the WSDL.
        namespace: of the envelope, which says the version of SOAP.
        headers: `content-type`, and `soapaction` in SOAP 1.1.
        has_output: whether the WSDL has an answer for it.

    """

    def __init__(self, document: Any, binding: Any, name: str) -> None:
        found = binding.get(name)
        self.name = name
        self.namespace: str = binding.nsmap["soap-env"]
        self.has_output = found.output is not None and getattr(found.output, "body", None) is not None
        self._document = document
        self._found = found
        action = found.soapaction or ""
        if isinstance(binding, Soap12Binding):  # SOAP 1.2, part 2, §A
            self.headers = {"content-type": f'application/soap+xml; charset=utf-8; action="{action}"'}
        else:
            self.headers = {"content-type": "text/xml; charset=utf-8", "soapaction": f'"{action}"'}

    def envelope(self, fields: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> Any:
        """The envelope, an lxml element of its own. `headers`: blocks of its header, by the names of their parts.

        Raises:
            BadRequest: the fields or headers do not fit.

        """
        try:
            return self._found.create(**fields, **({"_soapheaders": dict(headers)} if headers else {})).content
        except _MISFIT as exc:
            raise BadRequest(f"{self.name}: {exc}"[:500]) from exc

    def reply(self, root: Any) -> Any:
        """The fields of the output; values as JSON has them, fractions as `Decimal`.

        Elements that the WSDL does not know are left alone.

        Raises:
            BadReply: it is not that.

        """
        if root.tag != f"{{{self.namespace}}}Envelope":
            raise BadReply(f"{root.tag} is no envelope of this version of SOAP"[:500])
        body = root.find(f"{{{self.namespace}}}Body")
        if body is None:
            raise BadReply("the envelope has no body")
        if not self.has_output:
            return {}
        element = getattr(self._found.output.body, "qname", None)
        if len(body) == 0 or (self._found.style == "document" and element is not None and body[0].tag != element.text):
            raise BadReply(f"the body has no {element}")
        try:
            # Not strict: a target adds elements to its answers without asking.
            with self._document.settings(strict=False):
                # Not `process_reply`: that takes away the name of an output that has one field only.
                value = self._found.output._deserialize_body(body)["body"]  # noqa: SLF001
        except _MISFIT as exc:
            raise BadReply(f"{self.name}: {exc}"[:500]) from exc
        found = _plain(_serialize(value, dict))
        if found is None:  # the element is there, and empty
            return {part.name: [] if part.many else None for part in parts_of(self.output) or ()}
        return found if isinstance(found, dict) else {"result": found}

    @property
    def input(self) -> Any:
        """The type of its input, for `soap_shape`."""
        return self._found.input.body.type

    @property
    def output(self) -> Any:
        """The type of its output; None where it has none."""
        return self._found.output.body.type if self.has_output else None

    def misfits(self, message: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
        """Where a tree of expressions does not fit the input."""
        return misfits(self.input, message)

    def header_misfits(self, headers: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
        """The same for the blocks of the SOAP header; all of them may be left out."""
        header = self._found.input.header
        blocks = {} if header is None else {part.name: part for part in parts_of(header.type) or ()}
        for name, tree in headers.items():
            if name not in blocks:
                yield (name,), f"is no block of the header; there are {', '.join(blocks) or 'none'}"
            else:
                yield from misfits(blocks[name].type, tree, (name,))


class Wsdl:
    """A WSDL, loaded. Takes its time and reads files: in a thread.

    Raises:
        BadWsdl: it, or what it imports, is no file, is broken, has a document type or entities, leads to the network,
            or has no SOAP port of that name.

    """

    def __init__(
        self, path: Path, service: str | None = None, port: str | None = None, version: str | None = None
    ) -> None:
        try:
            files: Any = _Files
            self._document = Document(str(path.resolve()), files(), settings=_SETTINGS)
            self._binding = self._find(service, port, _BINDINGS[version])
        except (*_MISFIT, OSError, etree.LxmlError) as exc:
            raise BadWsdl(f"{path.name}: {type(exc).__name__}: {exc}"[:500]) from exc

    def operation(self, name: str) -> Operation:
        """One of its operations.

        Raises:
            ValueError: there is none of that name.

        """
        if name not in self.names:
            msg = f"the WSDL has no operation {name!r}; it has {', '.join(self.names)}"
            raise ValueError(msg)
        return Operation(self._document, self._binding, name)

    @property
    def names(self) -> list[str]:
        """Of all its operations."""
        return sorted(self._binding.all())

    def _find(self, service: str | None, port: str | None, kind: type[Any]) -> Any:
        for name, found in self._document.services.items():
            for at, one in found.ports.items():
                wanted = service in (None, name) and port in (None, at)
                if wanted and isinstance(one.binding, kind):
                    return one.binding
        raise ValueError("no SOAP port of that name and version")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items() if name != "_raw_elements"}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() < _LONGEST_WHOLE:
        return int(value) if value == value.to_integral_value() else value
    return value if value is None or isinstance(value, str | int | float | Decimal) else str(value)
