"""XML of strangers, read safely: no document type, no entities, no other encodings, no depth without end.

A document type is refused before the parser sees it, so that there is nothing to expand (billion laughs, external
entities: OWASP's XXE sheet; libxml2 expands entities in attributes even where it is told to resolve none).
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

__all__ = ["BadXml", "as_data", "local", "read_xml", "text_at"]

_ENCODINGS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
_DECLARATION = re.compile(rb"""\A\s*<\?xml\s[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_PROLOG = re.compile(r"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*", re.DOTALL)
_LARGEST = 8 << 20


class BadXml(Exception):
    """The bytes are no XML that is read here: {0}"""


def read_xml(body: bytes, *, largest: int = _LARGEST) -> Any:
    """The root element, without comments and processing instructions.

    Raises:
        BadXml: it is larger than `largest` bytes, has a document type, is nested deeper than 256, is in an encoding
            other than UTF-8 and the common ones of one byte, or is not well-formed.

    """
    if len(body) > largest:
        raise BadXml("it is too large")
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARATION.match(body)
    encoding = declared.group(1).decode().lower() if declared else "utf-8"
    if encoding not in _ENCODINGS:
        raise BadXml(f"its encoding {encoding!r} is not read")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as exc:
        raise BadXml(f"it is not in {encoding}") from exc
    prolog = _PROLOG.match(text)
    if text.startswith("<!", prolog.end() if prolog else 0):
        raise BadXml("it has a document type")
    # A parser is used once: one that is shared would not be safe among threads.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as exc:
        raise BadXml(str(exc)[:200]) from exc
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXml("it has a document type")
    return root


def local(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(element).localname)


def text_at(element: Any, *names: str) -> str | None:
    """The text of the first element below, by local names whatever the namespaces; None where there is none."""
    for name in names:
        element = next((child for child in element if local(child) == name), None)
        if element is None:
            return None
    return "".join(element.itertext()).strip()


def as_data(element: Any) -> Any:
    """An element as plain data by local names: its text, or its children; those of one name are a list."""
    if len(element) == 0:
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        name, value = local(child), as_data(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
