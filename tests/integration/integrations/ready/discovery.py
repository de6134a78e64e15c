"""Requests and answers checked by the discovery documents that Google ships with google-api-python-client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

KINDS = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list}


class Discovery:
    """Several APIs of Google together."""

    def __init__(self, *names: str) -> None:
        folder = files("googleapiclient") / "discovery_cache" / "documents"
        self.apis = [json.loads((folder / f"{name}.json").read_text()) for name in names]

    def violations(self, method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
        """What of a request is not as the documents say."""
        api, known = self._method(method, path)
        if known is None:
            return [f"there is no {method} {path}"]
        parameters = {**api["parameters"], **known.get("parameters", {})}
        found = [f"no parameter {name}" for name in query if parameters.get(name, {}).get("location") != "query"]
        for name, value in query.items():
            found += _text(parameters.get(name, {}), name, value)
        found += [
            f"{name} is missing" for name, one in parameters.items()
            if one.get("required") and one["location"] == "query" and name not in query
        ]  # fmt: skip
        if "request" not in known:
            return found + ([] if body is None else ["a body that nobody asked for"])
        return found + list(self._wrong(api, known["request"], body, "body"))

    def answer_violations(self, method: str, path: str, body: Any) -> list[str]:
        """What of a success is not as the documents say."""
        api, known = self._method(method, path)
        if known is None or "response" not in known:
            return [] if body is None else ["a body where there is none"]
        return list(self._wrong(api, known["response"], body, "answer"))

    def _method(self, method: str, path: str) -> tuple[Any, Any]:
        """The most exact one: `files/generateIds` and not `files/{fileId}`."""
        found = [
            (len(known.get("parameterOrder", [])), api, known)
            for api in self.apis
            for known in _methods(api["resources"])
            if known["httpMethod"] == method
            and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(f"/{api['servicePath']}{known['path']}")), path)
        ]
        return min(found, key=lambda one: one[0])[1:] if found else (None, None)

    def _wrong(self, api: Any, schema: Any, value: Any, place: str) -> Iterator[str]:
        schema = api["schemas"][schema["$ref"]] if "$ref" in schema else schema
        kind = schema.get("type", "any")
        if kind != "any" and (not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool))):
            yield f"{place} is no {kind}"
        elif kind == "object":
            for name, part in value.items():
                known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
                if known is None:
                    yield f"{place}.{name} is unknown"
                else:
                    yield from self._wrong(api, known, part, f"{place}.{name}")
        elif kind == "array":
            for part in value:
                yield from self._wrong(api, schema["items"], part, f"{place}[]")
        elif schema.get("format") == "date-time" and not re.fullmatch(
            r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)", value
        ):
            yield f"{place} is no time"


def _methods(resources: Mapping[str, Any]) -> Iterator[Any]:
    for resource in resources.values():
        yield from resource.get("methods", {}).values()
        yield from _methods(resource.get("resources", {}))


def _text(schema: Mapping[str, Any], name: str, value: str) -> list[str]:
    kind, choices = schema.get("type", "string"), schema.get("enum")
    right = {"boolean": value in ("true", "false"), "integer": value.isdigit()}.get(kind, True)
    return [] if right and (choices is None or unquote(value) in choices) else [f"{name} is no {kind}"]
