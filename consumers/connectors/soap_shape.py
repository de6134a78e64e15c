"""What a WSDL wants in a message: the parts of its types, and where a tree of fields does not fit them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zeep.xsd import Element
from zeep.xsd.elements.any import Any as Wildcard
from zeep.xsd.elements.indicators import Choice, Indicator
from zeep.xsd.types.complex import ComplexType
from zeep.xsd.types.simple import AnySimpleType

__all__ = ["Part", "Place", "misfits", "parts_of", "simple_name"]

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An element or attribute of a type. `many`: a list of them may stand there."""

    name: str
    type: Any
    needed: bool
    many: bool = False


def parts_of(kind: Any) -> list[Part] | None:
    """The parts of a complex type; None for a simple one, and where anything may stand (`xs:any`, repeated groups)."""
    if not isinstance(kind, ComplexType):
        return None
    found: list[Part] = []
    try:
        for name, nested in kind.elements_nested:
            if isinstance(nested, Element):  # a text with attributes
                found.append(Part(name, nested.type, needed=False))
            else:
                found += _walk(nested, needed=True)
    except LookupError:
        return None
    for name, attribute in kind.attributes:
        if attribute.name is not None:
            found.append(Part(name, attribute.type, needed=bool(getattr(attribute, "required", False))))
    return found


def _walk(node: Any, *, needed: bool) -> Iterator[Part]:
    """The elements of a group.

    Raises:
        LookupError: they have no names that could be checked.

    """
    if isinstance(node, Wildcard) or (isinstance(node, Indicator) and node.accepts_multiple):
        raise LookupError
    if isinstance(node, Element):
        yield Part(node.attr_name, node.type, needed and not node.is_optional, node.accepts_multiple)
        return
    inner = needed and not isinstance(node, Choice) and node.min_occurs != 0
    for child in node:
        yield from _walk(child, needed=inner)


def simple_name(kind: Any) -> str | None:
    """The name of the XML Schema type that a simple one is made of: `decimal`; None for a complex one."""
    if not isinstance(kind, AnySimpleType):
        return None
    base = next((one for one in type(kind).__mro__ if one.__module__.endswith(".builtins")), None)
    name = getattr(base, "_default_qname", None)
    return "string" if name is None else str(name.localname)


def misfits(kind: Any, tree: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Where a tree of expressions does not fit a type. What an expression gives is not known, and fits."""
    if isinstance(tree, list):
        for number, one in enumerate(tree):
            yield from misfits(kind, one, (*place, number))
    elif isinstance(tree, dict):
        if simple_name(kind) is not None:
            yield place, "is no set of fields in the WSDL"
        elif (parts := parts_of(kind)) is not None:
            yield from _fields(parts, tree, place)
    elif not isinstance(tree, str) and parts_of(kind):
        yield place, "is a set of fields in the WSDL"


def _fields(parts: Sequence[Part], tree: Mapping[str, Any], place: Place) -> Iterator[tuple[Place, str]]:
    known = {part.name: part for part in parts}
    for name, value in tree.items():
        if name not in known:
            yield (*place, name), f"is not in the WSDL; there are {', '.join(known) or 'no fields'}"
        else:
            yield from misfits(known[name].type, value, (*place, name))
    for part in parts:
        if part.needed and part.name not in tree:
            yield place, f"lacks {part.name}, which the WSDL wants"
