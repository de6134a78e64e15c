"""Requests of OData v2 and v4, made without sending them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from consumers.connectors.http import Body
from consumers.connectors.odata_batch import Change, batch_of
from consumers.connectors.odata_values import Version, body_value, filter_of, key_path, literal

__all__ = ["ODataRequest", "ODataRequests", "with_query"]

_SAFE = "'(),/:$="
_JSON = {"content-type": "application/json", "accept": "application/json"}
_EXACT = {"content-type": "application/json;IEEE754Compatible=true", "accept": "application/json"}


@dataclass(frozen=True, slots=True)
class ODataRequest:
    """One request.

    Attributes:
        path: from the service's root, with its query, percent-encoded.
        content: the body's bytes.
        fields: the same as plain data, to be shown.
        fresh: the entity's ETag is to be read right before, and sent with it.
        absent: what to send instead where that read finds nothing.
        changes: how many changes of a batch it carries; 0 for every other request.

    """

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes | None = None
    fields: Any = None
    fresh: bool = False
    absent: ODataRequest | None = None
    changes: int = 0

    @property
    def body(self) -> Body | None:
        """As `HttpClient` takes it."""
        return None if self.content is None else Body(content=self.content)

    @property
    def service(self) -> str:
        """The root of its service, where several stand below the base URL: `/API_X/` of `/API_X/A_Y('1')`."""
        return self.path.partition("?")[0].rpartition("/")[0] + "/"

    def plus(self, headers: Mapping[str, str]) -> ODataRequest:
        """The same with further headers."""
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class ODataRequests:
    """Makes them for one version.

    Every method raises `ValueError` where a name or value has no form in OData.
    """

    version: Version = "v4"

    @property
    def update_method(self) -> str:
        """PATCH; MERGE in v2."""
        return "MERGE" if self.version == "v2" else "PATCH"

    def create(self, entity_set: str, fields: Mapping[str, Any]) -> ODataRequest:
        """Insert an entity, with those nested in it (deep insert)."""
        return self._with_body("POST", f"/{entity_set}", fields)

    def update(
        self,
        entity_set: str,
        key: Any,
        fields: Mapping[str, Any],
        *,
        etag: str | None = None,
        fresh: bool = False,
        upsert: bool = False,
    ) -> ODataRequest:
        """Change some fields of an entity. Without `upsert` an entity that is not there is refused (`If-Match: *`).

        With `upsert` and `fresh` it is created by POST where it is not there, and needs its key by names: where a
        service insists on ETags, there is none to name (SAP CAP answers 428 to an upsert).
        """
        match = {"if-match": etag} if etag else {} if upsert else {"if-match": "*"}
        made = self._with_body(self.update_method, key_path(entity_set, key, self.version), fields)
        absent = self.create(entity_set, {**key, **fields}) if upsert and fresh else None
        return replace(made, headers={**made.headers, **match}, fresh=fresh, absent=absent)

    def delete(self, entity_set: str, key: Any, *, etag: str | None = None, fresh: bool = False) -> ODataRequest:
        """Delete an entity."""
        match = {"if-match": etag} if etag else {}
        return ODataRequest("DELETE", key_path(entity_set, key, self.version), {**_JSON, **match}, fresh=fresh)

    def invoke(self, path: str, fields: Mapping[str, Any]) -> ODataRequest:
        """Call an action (v4: fields in the body) or a function import (v2: in the query)."""
        if self.version == "v4":
            return self._with_body("POST", f"/{path}", fields)
        query = {name: literal(value, "v2") for name, value in fields.items()}
        return ODataRequest("POST", with_query(f"/{path}", query), _JSON, fields=dict(fields))

    def read(self, entity_set: str, key: Any, query: Mapping[str, str]) -> ODataRequest:
        """One entity; `query` is `$select`, `$expand`."""
        return ODataRequest("GET", with_query(key_path(entity_set, key, self.version), query), _JSON)

    def entities(self, entity_set: str, where: Mapping[str, Any], query: Mapping[str, str]) -> ODataRequest:
        """Those whose fields have these values; the first page."""
        filtered = {"$filter": filter_of(where, self.version)} if where else {}
        return self.page(with_query(f"/{entity_set}", {**filtered, **query}))

    def page(self, path: str) -> ODataRequest:
        """A page of a collection, by its path or link."""
        return ODataRequest("GET", path, _JSON)

    def batch(self, changes: Sequence[Mapping[str, Any]]) -> ODataRequest:
        """Several changes, all or none: a changeset (v2), an atomicity group (v4). See `ODataClient.batch`."""
        made = [self._change(change) for change in changes]
        content, kind, accept = batch_of(made, self.version)
        shown = [{**change, "method": one.method} for change, one in zip(changes, made, strict=True)]
        headers = {"content-type": kind, "accept": accept}
        return ODataRequest("POST", "/$batch", headers, content, shown, changes=len(made))

    def _change(self, change: Mapping[str, Any]) -> Change:
        entity_set = str(change["entity_set"])
        path = key_path(entity_set, change["key"], self.version) if "key" in change else f"/{entity_set}"
        fields = change.get("fields")
        content = None if fields is None else body_value(fields, self.version)
        headers = {"if-match": str(change["etag"])} if change.get("etag") else {}
        return Change(str(change["method"]), path.removeprefix("/"), content, headers)

    def _with_body(self, method: str, path: str, fields: Mapping[str, Any]) -> ODataRequest:
        shown = body_value(fields, self.version)
        content = json.dumps(shown, allow_nan=False).encode()
        return ODataRequest(method, path, _EXACT if self.version == "v4" else _JSON, content, shown)


def with_query(path: str, query: Mapping[str, str]) -> str:
    """Spaces as %20: `+` is no space in OData's grammar, and SAP CAP refuses it."""
    parts = [f"{quote(name, safe='$')}={quote(value, safe=_SAFE)}" for name, value in query.items()]
    return f"{path}?{'&'.join(parts)}" if parts else path
