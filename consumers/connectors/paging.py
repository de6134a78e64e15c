"""Pages of a collection, one after the other: by link header, next link, cursor or offset; never on another host.

A list that is not read to its end must not read as the whole: more pages than allowed, or a link that leads back, is an
error and not an end.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import urljoin, urlsplit

from consumers.connectors.answers import Answer, judge
from consumers.connectors.connector import Connector
from consumers.connectors.guard import Verdict
from consumers.errors import Failed, Rejected
from consumers.system import Call

__all__ = ["Page", "Paging", "items_at", "pages", "read_pages", "same_host"]

H = TypeVar("H", bound=Hashable)

_PORTS = {"http": 80, "https": 443}
_LINK = re.compile(r'<([^<>]{0,4000})>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^";,\s]*))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^";,\s]*))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """Items of one page, and what leads to the next one; None is the end."""

    items: list[Any]
    follow: Any = None


@dataclass(frozen=True, slots=True)
class Paging:
    """How a system pages a collection of JSON.

    Attributes:
        kind: link (`Link: <…>; rel="next"`, RFC 8288), next (the body has a link), cursor (the body has a value for
            `parameter`), offset (`parameter` counts items; the end is an empty page, since servers cut short ones).
        items: path of the list in the body, `a.b`; empty where the body is the list.
        follow: path of the link or cursor in the body; none, null or empty is the end.
        parameter: of the query.
        most: pages; more is an error.

    """

    kind: Literal["link", "next", "cursor", "offset"]
    items: str = ""
    follow: str = "next"
    parameter: str = "offset"
    most: int = 100


async def pages(fetch: Callable[[H], Awaitable[Page]], first: H, *, most: int) -> AsyncIterator[Any]:
    """The items of all pages, from the one that `first` leads to.

    Raises:
        Rejected: `TOO_MANY_PAGES`, more than `most`.
        Failed: `BAD_RESPONSE`, a page leads to one that was read already.

    """
    seen: set[Hashable] = set()
    at: Any = first
    while at is not None:
        if at in seen:
            raise Failed("BAD_RESPONSE", "the pages lead back to one that was read already")
        if len(seen) >= most:
            raise Rejected("TOO_MANY_PAGES", f"more than {most} pages")
        seen.add(at)
        page = await fetch(at)
        for item in page.items:
            yield item
        at = page.follow


def same_host(base_url: str, link: str, relative_to: str | None = None) -> str:
    """The whole URL of a link out of an answer.

    Raises:
        Failed: `FOREIGN_LINK`, to another scheme, host or port: our credentials would go there.

    """
    try:
        url = urljoin(relative_to or base_url, link)
        if _origin(url) == _origin(base_url) and urlsplit(url).username is None:
            return url
    except ValueError:
        pass
    raise Failed("FOREIGN_LINK", "the answer leads to another host, or nowhere")


def read_pages(
    client: Connector, path: str, paging: Paging, *, call: Call, params: Mapping[str, str] | None = None
) -> AsyncIterator[Any]:
    """The items of a collection of JSON, each page a call of its own.

    Raises:
        Rejected, Failed: as the table in `answers.py` says of a read, and as `pages`.
        ClaimLost: another worker owns the effect.

    """
    source = _Source(client, path, paging, call, dict(params or {}))
    return pages(source.fetch, (path, ""), most=paging.most)


@dataclass(slots=True)
class _Source:
    client: Connector
    path: str
    paging: Paging
    call: Call
    params: dict[str, str]
    read: int = field(default=0)

    async def fetch(self, at: tuple[str, str]) -> Page:
        path, cursor = at
        linked = path != self.path
        params = {} if linked else self.params | ({self.paging.parameter: cursor} if cursor else {})
        headers, body = await self._get(path, params)
        items = items_at(body, self.paging.items)
        self.read += len(items)
        return Page(items, self._follow(path, headers, body, items))

    async def _get(self, path: str, params: Mapping[str, str]) -> Any:
        expected = self.client.expectation(self.call, reads=True)

        def judged(answer: Answer) -> Verdict:
            verdict = judge(answer, expected, self.client.now())
            return Verdict((answer.headers, verdict.value)) if verdict.error is None else verdict

        async def once() -> Verdict:
            return await self.client.send("GET", path, call=self.call, expected=expected, judge=judged, params=params)

        return await self.client.guard.run(self.call, once)

    def _follow(self, path: str, headers: Mapping[str, str], body: Any, items: list[Any]) -> Any:
        paging = self.paging
        if paging.kind == "offset":
            return (self.path, str(self.read)) if items else None
        found = _next_link(headers.get("link", "")) if paging.kind == "link" else _at(body, paging.follow)
        if found is None or found == "":
            return None
        if paging.kind == "cursor":
            return (self.path, str(found))
        base = self.client.http.base_url
        here = path if "://" in path else f"{base.rstrip('/')}/{path.lstrip('/')}"
        return (same_host(base, str(found), here), "")


def items_at(body: Any, path: str) -> list[Any]:
    """The list at a path of the body.

    Raises:
        Failed: `BAD_RESPONSE`, there is none; an answer without its list is broken, and must not read as empty.

    """
    found = _at(body, path)
    if not isinstance(found, list):
        raise Failed("BAD_RESPONSE", f"the answer has no list at {path or 'its top'!r}")
    return found


def _at(body: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        body = body.get(name) if isinstance(body, Mapping) else None
    return body


def _next_link(header: str) -> str | None:
    for target, parameters in _LINK.findall(header):
        relations = [(quoted or plain).lower().split() for quoted, plain in _REL.findall(parameters)]
        if any("next" in names for names in relations):
            return str(target)
    return None


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
