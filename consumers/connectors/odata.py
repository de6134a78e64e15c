"""OData v2 and v4: entities by their keys, CSRF tokens, ETags, deep insert, `$batch`, pages.

What an answer means is the table of `answers.py`, with the code and message of OData's own error bodies, and besides:

    answer                                            write                              read
    2xx that is not OData (HTML, no `d` in v2)        Unknown  BAD_RESPONSE              Failed
    2xx with an `error` inside                        as `errors` says, else Unknown     else Failed
    403 with `x-csrf-token: Required`                 one new token and one more send, then Failed  CSRF_REFUSED
    no token to be had                                Failed, nothing was sent
    412, the ETag was given                           Rejected  PRECONDITION_FAILED
    412 or 428, the ETag was read by us right before  Failed    PRECONDITION_FAILED

A 412 says that nothing was done. An ETag that is given was read when somebody decided: the thing has changed since, and
to write over it would lose that change, however often it is tried. One that we read ourselves was outrun by another
writer, and the next attempt reads again.

A probe asks by filter, never by key: a 404 for a key and one for a wrong path look the same (SAP CAP, same code), and
the second would read as "not done".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import HttpClient
from consumers.connectors.odata_answers import judge_odata
from consumers.connectors.odata_batch import judge_batch
from consumers.connectors.odata_csrf import CsrfToken
from consumers.connectors.odata_requests import ODataRequest, ODataRequests
from consumers.connectors.odata_values import Version
from consumers.connectors.paging import Page, pages, same_host
from consumers.errors import Failed
from consumers.system import Call

__all__ = ["ODataClient"]

_MOST_PAGES = 100


class ODataClient(Connector):
    """One service, whose root is the base URL of `http`.

    Args:
        version: v2 or v4.
        csrf: the service wants a CSRF token with writes (SAP Gateway). Its cookies are kept by `http`.
        others: see `Connector`; `missing_codes` as the service writes them.

    """

    def __init__(
        self, http: HttpClient, guard: Guard, *, version: Version = "v4", csrf: bool = False, **others: Any
    ) -> None:
        super().__init__(http, guard, **others)
        self._version: Version = version
        self._csrf = CsrfToken(http) if csrf else None
        self.requests = ODataRequests(version)

    async def run(
        self,
        request: ODataRequest,
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
        missing_ok: bool = False,
    ) -> Any:
        """Send a request that `requests` made.

        Args:
            errors: codes to rejected | failed | unknown.
            keyed: doing it twice is as good as once, so that an unknown may be sent again. OData itself has no keys.
            missing_ok: where the service says by one of `missing_codes` that there is none, that is the answer.

        Returns:
            The entity as the service has it; `{}` for 204; None only with `missing_ok`; of a batch what each change
            came to, in order.

        Raises:
            Rejected, Failed, Unknown: see the top of the file. Of a batch: of the change that failed; an answer that
                does not tell of every change, or that some were done and others not in no group, is Unknown.
            ClaimLost: another worker owns the effect.

        """
        if request.fresh:
            etag = await self._etag(request.path, call)
            if etag is None and request.method == "DELETE" and missing_ok:
                return None
            if etag is not None:
                request = request.plus({"if-match": etag})
            elif request.absent is not None:
                request = request.absent
        reads = request.method == "GET"
        expected = self.expectation(call, errors, reads=reads, keyed=keyed and not reads, missing_ok=missing_ok)
        if request.changes:
            judged: Callable[[Answer], Verdict] = partial(
                judge_batch, changes=request.changes, expected=expected, version=self._version, now=self.now
            )
        else:

            def judged(answer: Answer) -> Verdict:
                return judge_odata(answer, expected, self.now(), self._version, fresh=request.fresh)

        return await self._guarded(request, call, expected, judged)

    async def create(self, entity_set: str, fields: Mapping[str, Any], **how: Any) -> Any:
        """Insert an entity, with those nested in it (deep insert). `how`: see `run`, also of what follows.

        Raises:
            ValueError: a name or value has no form in OData.

        """
        return await self.run(self.requests.create(entity_set, fields), **how)

    async def update(
        self,
        entity_set: str,
        key: Any,
        fields: Mapping[str, Any],
        *,
        etag: str | None = None,
        fresh: bool = False,
        upsert: bool = False,
        **how: Any,
    ) -> Any:
        """Change some fields of an entity (PATCH; MERGE in v2).

        Args:
            etag: what the entity was when the change was decided.
            fresh: read the ETag first, against writers in between.
            upsert: create it where it is not there; otherwise that is refused (`If-Match: *`).

        """
        made = self.requests.update(entity_set, key, fields, etag=etag, fresh=fresh, upsert=upsert)
        return await self.run(made, **how)

    async def delete(
        self, entity_set: str, key: Any, *, etag: str | None = None, missing_ok: bool = True, **how: Any
    ) -> Any:
        """Delete an entity: `{}`, or None where there is none."""
        return await self.run(self.requests.delete(entity_set, key, etag=etag), missing_ok=missing_ok, **how)

    async def invoke(self, path: str, fields: Mapping[str, Any] | None = None, **how: Any) -> Any:
        """Call an action (v4) or a function import (v2)."""
        return await self.run(self.requests.invoke(path, fields or {}), **how)

    async def read(self, entity_set: str, key: Any, *, query: Mapping[str, str] | None = None, **how: Any) -> Any:
        """One entity; `query` is `$select`, `$expand`. Its ETag is `@odata.etag`, or `__metadata.etag` in v2."""
        return await self.run(self.requests.read(entity_set, key, query or {}), **how)

    async def batch(self, changes: Sequence[Mapping[str, Any]], **how: Any) -> list[Any]:
        """Several changes, all or none; each `{"method": "POST"|"PATCH"|"MERGE"|"DELETE", "entity_set": …, "key": …,
        "fields": …, "etag": …}`, without a key for POST.
        """
        return list(await self.run(self.requests.batch(changes), **how))

    async def look_up(self, entity_set: str, fields: Mapping[str, Any], *, call: Call) -> list[Any]:
        """Ask for a probe: the entities whose fields have these values, of all pages; empty where there is none.

        Raises:
            Unknown: whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        request = self.requests.entities(entity_set, fields, {})
        return list(await probing(self.every(request, call=call)))

    async def every(self, first: ODataRequest, *, call: Call, errors: Mapping[str, str] | None = None) -> list[Any]:
        """The entities of all pages from that one on; they are asked for with the headers of the first."""
        fetch = partial(self._page, call=call, errors=errors, headers=first.headers)
        return [item async for item in pages(fetch, first.path, most=_MOST_PAGES)]

    def pages(
        self, entity_set: str, *, call: Call, query: Mapping[str, str] | None = None, most: int = _MOST_PAGES
    ) -> AsyncIterator[Any]:
        """The entities of a collection, page after page as the service cuts it; at most so many pages."""
        first = self.requests.entities(entity_set, {}, query or {})
        return pages(partial(self._page, call=call), first.path, most=most)

    async def _guarded(
        self, request: ODataRequest, call: Call, expected: Expectation, judged: Callable[[Answer], Verdict]
    ) -> Any:
        async def send(more: Mapping[str, str]) -> Verdict:
            return await self.send(
                request.method,
                request.path,
                call=call,
                expected=expected,
                judge=judged,
                body=request.body,
                headers={**request.headers, **more},
            )

        async def once() -> Verdict:
            if self._csrf is None or expected.reads:
                return await send({})
            return await self._csrf.around(call, request.service, send)

        return await self.guard.run(call, once)

    async def _page(
        self,
        path: str,
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Page:
        found = await self.run(self.requests.page(path).plus(headers or {}), call=call, errors=errors)
        items = found.get("results" if self._version == "v2" else "value") if isinstance(found, dict) else found
        if not isinstance(items, list):
            raise Failed("BAD_RESPONSE", "the answer is no collection")
        link = (found.get("__next") or found.get("@odata.nextLink")) if isinstance(found, dict) else None
        root = self.http.base_url.rstrip("/") + "/"
        return Page(items, same_host(root, str(link)) if link else None)

    async def _etag(self, path: str, call: Call) -> str | None:
        """None where there is no such entity."""
        found = await self.run(self.requests.page(path), call=call, missing_ok=True)
        if found is None:
            return None
        metadata = found.get("__metadata") if isinstance(found, dict) else None
        etag = metadata.get("etag") if isinstance(metadata, dict) else found.get("@odata.etag")
        if not isinstance(etag, str):
            raise Failed("BAD_RESPONSE", "the entity has no ETag")
        return etag
