"""OData v2 and v4: entities by their keys, CSRF tokens, ETags, deep insert, `$batch`, pages.

What an answer means is the table of `answers.py`, with the code and message of OData's own error bodies, and besides:

    answer                                            write                              read
    2xx that is not OData (HTML, no `d` in v2)        Unknown  BAD_RESPONSE              Failed
    2xx with an `error` inside                        as `errors` says, else Unknown     else Failed
    403 with `x-csrf-token: Required`                 one new token and one more send, then Failed  CSRF_REFUSED
    no token to be had                                Failed, nothing was sent
    412, the ETag was given                           Rejected  PRECONDITION_FAILED
    412, the ETag was read by us right before         Failed    PRECONDITION_FAILED

A 412 says that nothing was done. An ETag that is given was read when somebody decided: the thing has changed since, and
to write over it would lose that change, however often it is tried. One that we read ourselves was outrun by another
writer, and the next attempt reads again.

A probe asks by filter, never by key: a 404 for a key and one for a wrong path look the same (SAP CAP, same code), and
the second would read as "not done".
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, HttpClient
from consumers.connectors.odata_answers import judge_odata
from consumers.connectors.odata_batch import Change, batch_of, judge_batch
from consumers.connectors.odata_csrf import CsrfToken
from consumers.connectors.odata_values import Version, body_value, filter_of, key_path, literal
from consumers.connectors.paging import Page, pages, same_host
from consumers.errors import Failed
from consumers.system import Call

__all__ = ["ODataClient"]

_SAFE = "'(),/:$="
_JSON = {"content-type": "application/json", "accept": "application/json"}
_EXACT = {"content-type": "application/json;IEEE754Compatible=true", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Request:
    """One request: `path` with its query, percent-encoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Body | None = None


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
        self._version = version
        self._csrf = CsrfToken(http) if csrf else None

    async def create(
        self,
        entity_set: str,
        fields: Mapping[str, Any],
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
    ) -> Any:
        """Insert an entity, with those nested in it (deep insert); the entity as the service has it, `{}` for 204.

        Args:
            fields: values as plain data; see `odata_values.py`.
            errors: codes to rejected | failed | unknown.
            keyed: the service honours `Idempotency-Key`, so that an unknown may be sent again. OData itself has none.

        Raises:
            Rejected, Failed, Unknown: see the top of the file.
            ValueError: a name or value has no form in OData.
            ClaimLost: another worker owns the effect.

        """
        request = self._with_body("POST", f"/{entity_set}", fields)
        return await self._run(request, call, self.expectation(call, errors, keyed=keyed))

    async def update(
        self,
        entity_set: str,
        key: Any,
        fields: Mapping[str, Any],
        *,
        call: Call,
        etag: str | None = None,
        fresh: bool = False,
        upsert: bool = False,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
    ) -> Any:
        """Change some fields of an entity (PATCH; MERGE in v2). Arguments and errors as `create`, and:

        Args:
            etag: what the entity was when the change was decided.
            fresh: read the ETag first, against writers in between.
            upsert: create it where it is not there; otherwise that is refused (`If-Match: *`).

        """
        path = key_path(entity_set, key, self._version)
        if fresh:
            etag = await self._etag(path, call)
        match = {} if upsert else {"if-match": etag or "*"}
        request = self._with_body("MERGE" if self._version == "v2" else "PATCH", path, fields, match)
        return await self._run(request, call, self.expectation(call, errors, keyed=keyed), fresh=fresh)

    async def delete(
        self,
        entity_set: str,
        key: Any,
        *,
        call: Call,
        etag: str | None = None,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
        missing_ok: bool = True,
    ) -> Any:
        """Delete an entity: `{}`, or None where the service says by one of `missing_codes` that there is none."""
        match = {"if-match": etag} if etag else {}
        request = _Request("DELETE", key_path(entity_set, key, self._version), {**_JSON, **match})
        return await self._run(request, call, self.expectation(call, errors, keyed=keyed, missing_ok=missing_ok))

    async def invoke(
        self,
        path: str,
        fields: Mapping[str, Any] | None = None,
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
    ) -> Any:
        """Call an action (v4: fields in the body) or a function import (v2: in the query). As `create`."""
        request = self._with_body("POST", f"/{path}", fields or {})
        if self._version == "v2":
            query = {name: literal(value, "v2") for name, value in (fields or {}).items()}
            request = _Request("POST", _with_query(f"/{path}", query), _JSON)
        return await self._run(request, call, self.expectation(call, errors, keyed=keyed))

    async def read(
        self,
        entity_set: str,
        key: Any,
        *,
        call: Call,
        query: Mapping[str, str] | None = None,
        missing_ok: bool = False,
    ) -> Any:
        """One entity; `query` is `$select`, `$expand`. Its ETag is `@odata.etag`, or `__metadata.etag` in v2."""
        request = _Request("GET", _with_query(key_path(entity_set, key, self._version), query or {}), _JSON)
        return await self._run(request, call, self.expectation(call, reads=True, missing_ok=missing_ok))

    async def look_up(self, entity_set: str, fields: Mapping[str, Any], *, call: Call) -> list[Any]:
        """Ask for a probe: the entities whose fields have these values, of all pages; empty where there is none.

        Raises:
            Unknown: whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        query = {"$filter": filter_of(fields, self._version)}

        async def every() -> list[Any]:
            return [item async for item in self.pages(entity_set, call=call, query=query)]

        return list(await probing(every()))

    def pages(
        self, entity_set: str, *, call: Call, query: Mapping[str, str] | None = None, most: int = 100
    ) -> AsyncIterator[Any]:
        """The entities of a collection, page after page as the service cuts it; at most so many pages."""
        fetch = partial(self._page, call=call)
        return pages(fetch, _with_query(f"/{entity_set}", query or {}), most=most)

    async def batch(
        self,
        changes: Sequence[Mapping[str, Any]],
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
        keyed: bool = False,
    ) -> list[Any]:
        """Several changes, all or none: a changeset (v2), an atomicity group (v4). What each came to, in order.

        Args:
            changes: each `{"method": "POST"|"PATCH"|"MERGE"|"DELETE", "entity_set": …, "key": …, "fields": …,
                "etag": …}`, without a key for POST.
            errors, keyed: as `create`.

        Raises:
            Rejected, Failed, Unknown: of the change that failed. An answer that does not tell of every change, or
                that some were done and others not in no group, is Unknown.

        """
        made = [_change(change, self._version) for change in changes]
        content, kind, accept = batch_of(made, self._version)
        request = _Request("POST", "/$batch", {"content-type": kind, "accept": accept}, Body(content=content))
        expected = self.expectation(call, errors, keyed=keyed)
        judged = partial(judge_batch, changes=len(made), expected=expected, version=self._version, now=self.now)
        return list(await self._guarded(request, call, expected, judged))

    async def _run(self, request: _Request, call: Call, expected: Expectation, *, fresh: bool = False) -> Any:
        def judged(answer: Answer) -> Verdict:
            return judge_odata(answer, expected, self.now(), self._version, fresh=fresh)

        return await self._guarded(request, call, expected, judged)

    async def _guarded(self, request: _Request, call: Call, expected: Expectation, judged: Any) -> Any:
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
            return await self._csrf.around(call, send)

        return await self.guard.run(call, once)

    async def _page(self, path: str, *, call: Call) -> Page:
        found = await self._run(_Request("GET", path, _JSON), call, self.expectation(call, reads=True))
        items = found.get("results" if self._version == "v2" else "value") if isinstance(found, dict) else found
        if not isinstance(items, list):
            raise Failed("BAD_RESPONSE", "the answer is no collection")
        link = (found.get("__next") or found.get("@odata.nextLink")) if isinstance(found, dict) else None
        root = self.http.base_url.rstrip("/") + "/"
        return Page(items, same_host(root, str(link)) if link else None)

    async def _etag(self, path: str, call: Call) -> str:
        found = await self._run(_Request("GET", path, _JSON), call, self.expectation(call, reads=True))
        metadata = found.get("__metadata") if isinstance(found, dict) else None
        etag = metadata.get("etag") if isinstance(metadata, dict) else found.get("@odata.etag")
        if not isinstance(etag, str):
            raise Failed("BAD_RESPONSE", "the entity has no ETag")
        return etag

    def _with_body(
        self, method: str, path: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> _Request:
        content = json.dumps(body_value(fields, self._version), allow_nan=False).encode()
        kind = _EXACT if self._version == "v4" else _JSON
        return _Request(method, path, {**kind, **(headers or {})}, Body(content=content))


def _change(change: Mapping[str, Any], version: Version) -> Change:
    entity_set = str(change["entity_set"])
    path = key_path(entity_set, change["key"], version) if "key" in change else f"/{entity_set}"
    fields = change.get("fields")
    content = None if fields is None else body_value(fields, version)
    headers = {"if-match": str(change["etag"])} if change.get("etag") else {}
    return Change(str(change["method"]), path.removeprefix("/"), content, headers)


def _with_query(path: str, query: Mapping[str, str]) -> str:
    """Spaces as %20: `+` is no space in OData's grammar, and SAP CAP refuses it."""
    parts = [f"{quote(name, safe='$')}={quote(value, safe=_SAFE)}" for name, value in query.items()]
    return f"{path}?{'&'.join(parts)}" if parts else path
