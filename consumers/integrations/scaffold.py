"""A first integration file out of an OpenAPI 3 document.

It says what the document says, and no more: nothing in it is verified, a POST counts as blind until somebody knows
better, and what an action undoes is for a person to write. Only flat fields are taken; what was left out is a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from consumers.integrations.fields import pascal
from consumers.integrations.spec import RESERVED

__all__ = ["BadDocument", "one_line", "scaffold", "snake", "unique"]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LARGEST: Final = 20 << 20
_MOST_ACTIONS: Final = 200
_FORMATS: Final = {"date": "date", "date-time": "timestamp", "uuid": "uuid", "int32": "int"}
_TYPES: Final = {"string": "string", "boolean": "boolean", "integer": "long", "number": "double"}
_HEAD: Final = """\
# Made by `saga systems scaffold` from an OpenAPI document; nothing here has been tried. Before it is used:
#   effect        POST is `blind`: say `idempotent` where the system honours a key, `queryable` with a probe
#   compensation  which action undoes which
#   errors        the system's codes that mean rejected, failed or unknown
#   auth          who we are, with secrets by reference
# then `saga systems check FILE`, and `verified: true` for what has been tried.
"""


class BadDocument(ValueError):
    """The document is not what it should be; the message says why."""


def scaffold(document: str, name: str) -> str:
    """The text of the file.

    Raises:
        BadDocument: the document is none, or has no operation that could be an action.

    """
    api = _parsed(document)
    actions: dict[str, Any] = {}
    left_out: list[str] = []
    form = False
    for path, method, operation, shared in _operations(api):
        action = _Action(api, name, path, method, operation, shared)
        key = unique(snake(operation.get("operationId") or f"{method}_{path}"), actions)
        try:
            actions[key] = action.made(key)
        except BadDocument as exc:
            left_out.append(f"{method.upper()} {path}: {exc}")
            continue
        form = form or action.form
        left_out += [f"{key}: {what}" for what in action.left_out]
        if len(actions) == _MOST_ACTIONS:
            left_out.append(f"everything after {key}: {_MOST_ACTIONS} actions are enough for one file")
            break
    if not actions:
        raise BadDocument("it has no operations")
    info = api.get("info")
    title = info.get("title") if isinstance(info, Mapping) else None
    spec: dict[str, Any] = {
        "name": name,
        "description": str(title or name)[:200],
        "tier": "api",
        "protocol": "form" if form else "rest",
    }
    if url := _server(api):
        spec["base_url"] = url
    spec |= {"key": "none", "missing_codes": [], "actions": actions}
    text = yaml.safe_dump(spec, sort_keys=False, allow_unicode=True, width=118)
    comment = "".join(f"# left out: {one_line(what)}\n" for what in left_out)
    return _HEAD + comment + "\n" + text


def _parsed(document: str) -> Mapping[str, Any]:
    if len(document) > _LARGEST:
        raise BadDocument(f"it is larger than {_LARGEST} bytes")
    try:
        api = json.loads(document) if document.lstrip().startswith("{") else yaml.safe_load(document)
    except (ValueError, yaml.YAMLError, RecursionError) as exc:
        raise BadDocument(f"it is neither JSON nor YAML: {type(exc).__name__}") from exc
    if not isinstance(api, Mapping) or not str(api.get("openapi", "")).startswith("3"):
        raise BadDocument("it does not say `openapi: 3…`")
    return api


def _operations(api: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any], list[Any]]]:
    paths = api.get("paths")
    if not isinstance(paths, Mapping):
        return
    for path, item in paths.items():
        if not isinstance(item, Mapping) or not isinstance(path, str):
            continue
        for method in _METHODS:
            if isinstance(item.get(method), Mapping):
                yield path, method, item[method], list(item.get("parameters") or [])


def _server(api: Mapping[str, Any]) -> str | None:
    servers = api.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    url = str(first.get("url", "")) if isinstance(first, Mapping) else ""
    return url.rstrip("/") if re.fullmatch(r"https?://[^\s/@?#{}]+[^\s@?#{}]*", url) else None


class _Action:
    """One operation on the way to an action."""

    def __init__(
        self,
        api: Mapping[str, Any],
        system: str,
        path: str,
        method: str,
        operation: Mapping[str, Any],
        shared: list[Any],
    ) -> None:
        self._api, self._system, self._path, self._method = api, system, path, method
        self._operation, self._shared = operation, shared
        self._parameters: dict[str, Any] = {}
        self.left_out: list[str] = []
        self.form = False

    def made(self, key: str) -> dict[str, Any]:
        """The action, in the order in which it is read."""
        path, query = self._from_parameters()
        body = self._from_body()
        returns, response = self._from_response()
        request: dict[str, Any] = {"method": self._method.upper(), "path": path}
        request |= {part: value for part, value in (("query", query), ("body", body)) if value}
        name = pascal(self._system) + pascal(key)
        said = self._operation.get("summary") or self._operation.get("description") or key
        action: dict[str, Any] = {
            "description": one_line(said)[:500],
            "command": name,
            "completion": {"name": f"{name}Done", "description": f"The answer to {name}."},
            "effect": "blind" if self._method in {"post", "patch"} else "idempotent",
            "parameters": self._parameters,
            "returns": returns,
            "request": request,
        }
        if self._method == "delete" and not returns:
            action["returns"] = {
                "found": {"description": "False where there was nothing to delete.", "type": "boolean"}
            }
            action["found"] = "found"
        else:
            action["response"] = response
        return {**action, "verified": False}

    def _from_parameters(self) -> tuple[str, dict[str, str]]:
        path, query = self._path, {}
        for raw in [*self._shared, *(self._operation.get("parameters") or [])]:
            parameter = self._resolved(raw)
            name, place = str(parameter.get("name", "")), parameter.get("in")
            if place not in {"path", "query"}:
                continue
            needed = place == "path" or parameter.get("required") is True
            field = self._field(name, self._resolved(parameter.get("schema")), parameter, needed=needed)
            if field is None:
                if needed:
                    raise BadDocument(f"its parameter {name} is nothing simple")
                continue
            if place == "path":
                path = path.replace("{" + name + "}", "{" + field + "}")
            else:
                query[name] = field
        missing = [part for part in re.findall(r"{([^}]*)}", path) if part not in self._parameters]
        if missing or not path.startswith("/") or re.search(r"[\s?#]", path):
            raise BadDocument("its path says what no parameter does")
        return path, query

    def _from_body(self) -> dict[str, str]:
        if self._method == "get":
            return {}
        content = self._resolved(self._operation.get("requestBody")).get("content")
        kinds = content if isinstance(content, Mapping) else {}
        form = "application/x-www-form-urlencoded"
        self.form = form in kinds and "application/json" not in kinds
        kind = kinds.get(form if self.form else "application/json")
        schema = self._resolved(kind.get("schema")) if isinstance(kind, Mapping) else {}
        needed = schema.get("required") or []
        body = {}
        for name, raw in self._properties(schema):
            field = self._field(name, raw, raw, needed=name in needed)
            if field is not None:
                body[name] = field
            elif name in needed:
                raise BadDocument(f"its field {name} is nothing simple")
        return body

    def _from_response(self) -> tuple[dict[str, Any], dict[str, str]]:
        responses = self._operation.get("responses")
        good = (
            [r for code, r in responses.items() if str(code).startswith("2")] if isinstance(responses, Mapping) else []
        )
        content = self._resolved(good[0]).get("content") if good else None
        kind = content.get("application/json") if isinstance(content, Mapping) else None
        schema = self._resolved(kind.get("schema")) if isinstance(kind, Mapping) else {}
        returns: dict[str, Any] = {}
        response = {}
        for name, raw in self._properties(schema):
            made = _declared(raw, name)
            if made is None:
                continue
            field = unique(snake(name), returns)
            returns[field] = {**made, "optional": True}
            response[field] = f'answer."{name}"'
        return returns, response

    def _properties(self, schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        properties = schema.get("properties")
        for name, raw in (properties if isinstance(properties, Mapping) else {}).items():
            if '"' not in str(name):
                yield str(name), self._resolved(raw)

    def _field(self, name: str, schema: Mapping[str, Any], said: Mapping[str, Any], *, needed: bool) -> str | None:
        made = _declared({**schema, "description": said.get("description") or schema.get("description")}, name)
        if made is None:
            self.left_out.append(f"{name}, which is no simple value")
            return None
        field = snake(name)
        field = f"{field}_value" if field in RESERVED else field
        if field in self._parameters:
            return field
        self._parameters[field] = made if needed else {**made, "optional": True}
        return field

    def _resolved(self, raw: Any) -> Mapping[str, Any]:
        """Behind `$ref`s within the document; empty for what is none."""
        for _ in range(20):
            if not isinstance(raw, Mapping):
                return {}
            reference = raw.get("$ref")
            if not isinstance(reference, str):
                return raw
            raw = self._api
            for part in reference.removeprefix("#/").split("/"):
                name = part.replace("~1", "/").replace("~0", "~")
                raw = raw.get(name) if isinstance(raw, Mapping) else None
        return {}


def _declared(schema: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The field's declaration; None for what is no simple value."""
    kind = schema.get("type")
    kinds = [one for one in kind if one != "null"] if isinstance(kind, list) else [kind]
    if len(kinds) != 1 or kinds[0] not in _TYPES:
        return None
    made: dict[str, Any] = {"description": one_line(schema.get("description") or name)[:500]}
    values = schema.get("enum")
    if kinds[0] == "string" and isinstance(values, list) and values:
        if all(isinstance(v, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", v) for v in values):
            return {**made, "type": "enum", "values": list(dict.fromkeys(values))}
        return {**made, "type": "string"}
    made["type"] = _FORMATS.get(str(schema.get("format")), _TYPES[kinds[0]])
    if made["type"] == "string":
        for theirs, ours in (("minLength", "min"), ("maxLength", "max")):
            limit = schema.get(theirs)
            if isinstance(limit, int) and 1 <= limit <= 1_000_000:
                made[ours] = limit
    return made


def snake(name: str) -> str:
    """A name of theirs as one of ours."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    text = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:60]
    return text if text[:1].isalpha() else f"x_{text}".rstrip("_")


def unique(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with a number where it is taken."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def one_line(text: Any) -> str:
    """A text without line ends."""
    return " ".join(str(text).split()) or "-"
