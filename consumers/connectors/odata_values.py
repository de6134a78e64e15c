"""Values in OData's URLs and bodies, v2 and v4. Pure.

    in a URL            v2                                          v4
    text                'O''Reilly'                                 the same
    uuid                guid'…'                                     bare
    decimal             1.50M                                       1.50
    date                datetime'2026-01-31T00:00:00'               2026-01-31
    aware time          datetimeoffset'2026-01-31T10:00:00Z'        2026-01-31T10:00:00Z

    in a body           v2                                          v4
    decimal             "1.50"                                      "1.50" (IEEE754Compatible)
    date, time          "/Date(1769817600000)/"                     "2026-01-31", "2026-01-31T10:00:00Z"

Sources: OData 2.0 "Overview" §6 and JSON format §4; OData 4.01 URL Conventions §5.1.1.6, ABNF; JSON format §3.2.
What a plain value cannot say of itself is said by `{"type": "Edm.Guid", "value": "…"}`, in a URL and in a body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

__all__ = ["Version", "body_value", "filter_of", "key_path", "literal", "plain"]

Version = Literal["v2", "v4"]

_NAME = re.compile(r"[_A-Za-z]\w{0,127}(/[_A-Za-z]\w{0,127})*")
_V2_DATE = re.compile(r"/Date\((-?\d{1,16})([+-]\d{1,4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# What stands between quotes in v2, by its type; the rest is bare.
_V2_PREFIX = {
    "Edm.Guid": "guid",
    "Edm.DateTime": "datetime",
    "Edm.DateTimeOffset": "datetimeoffset",
    "Edm.Time": "time",
    "Edm.Binary": "X",
}
_V2_SUFFIX = {"Edm.Int64": "L", "Edm.Decimal": "M", "Edm.Double": "d", "Edm.Single": "f"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_BARE = re.compile(r"[A-Za-z0-9:.+_-]{1,100}")


def literal(value: Any, version: Version) -> str:
    """The value as it stands in a key or filter, before percent-encoding.

    Raises:
        ValueError: it has no literal form.

    """
    if isinstance(value, Mapping):
        return _typed(str(value["type"]), value["value"], version)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    edm = _edm_of(value, version)
    if edm is None:
        msg = f"a {type(value).__name__} has no literal"
        raise ValueError(msg)
    return _typed(edm, value, version)


def key_path(entity_set: str, key: Any, version: Version) -> str:
    """`/Vendors('V-1')` or `/Items(Order='1',Line=2)`, percent-encoded.

    Args:
        entity_set: a constant of the system's file.
        key: one value, or the values of a key of several properties by their names.

    Raises:
        ValueError: a name is none, or a value has no literal form.

    """
    if isinstance(key, Mapping) and set(key) != {"type", "value"}:
        parts = [f"{_name(name)}={_encoded(literal(value, version))}" for name, value in key.items()]
        return f"/{_name(entity_set)}({','.join(parts)})"
    return f"/{_name(entity_set)}({_encoded(literal(key, version))})"


def filter_of(fields: Mapping[str, Any], version: Version) -> str:
    """`taxId eq 'D''1' and active eq true`, not percent-encoded."""
    return " and ".join(f"{_name(name)} eq {literal(value, version)}" for name, value in fields.items())


def body_value(value: Any, version: Version) -> Any:
    """The value as JSON of that version has it; nested entities (deep insert) are gone through."""
    if isinstance(value, Mapping):
        if set(value) == {"type", "value"} and str(value["type"]).startswith("Edm."):
            return body_value(_of_type(str(value["type"]), value["value"]), version)
        return {name: body_value(inner, version) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [body_value(inner, version) for inner in value]
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return f"/Date({(_aware(value) - _EPOCH) // _MILLISECOND})/" if version == "v2" else _iso(value)
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=UTC)
        return body_value(midnight, version) if version == "v2" else value.isoformat()
    return value


def plain(value: Any) -> Any:
    """A value of an answer of v2 without what only v2 has: `results` around lists, `/Date(…)/`, deferred links."""
    if isinstance(value, dict):
        if set(value) <= {"results", "__next", "__count"} and isinstance(value.get("results"), list):
            return plain(value["results"])
        return {name: plain(inner) for name, inner in value.items() if not _deferred(inner)}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, str) and (found := _V2_DATE.fullmatch(value)):
        return _from_v2(value, int(found.group(1)), int(found.group(2) or 0))
    return value


def _from_v2(text: str, milliseconds: int, minutes: int) -> str:
    """ISO 8601. The number is UTC; the offset is only how it is shown. Without one, Edm.DateTime has no zone at all."""
    try:
        return _iso((_EPOCH + milliseconds * _MILLISECOND).astimezone(timezone(timedelta(minutes=minutes))))
    except (OverflowError, ValueError):
        return text


def _deferred(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"__deferred"}


def _typed(edm: str, value: Any, version: Version) -> str:
    if edm == "Edm.String":
        return _quoted(str(value))
    text = _text(edm, value)
    if not _BARE.fullmatch(text):
        msg = f"{text!r} is no {edm}"
        raise ValueError(msg)
    if version == "v2" and edm in _V2_PREFIX:
        return f"{_V2_PREFIX[edm]}'{text}'"
    return text + (_V2_SUFFIX.get(edm, "") if version == "v2" else "")


def _text(edm: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _aware(value).replace(tzinfo=None).isoformat() if edm == "Edm.DateTime" else _iso(value)
    if isinstance(value, date):
        return value.isoformat() + ("T00:00:00" if edm == "Edm.DateTime" else "")
    if edm == "Edm.DateTime" and isinstance(value, str) and _DATE.fullmatch(value):
        return f"{value}T00:00:00"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _of_type(edm: str, value: Any) -> Any:
    if edm in {"Edm.DateTime", "Edm.DateTimeOffset"} and isinstance(value, str):
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if edm == "Edm.Date" and isinstance(value, str):
        return date.fromisoformat(value)
    return Decimal(str(value)) if edm in {"Edm.Decimal", "Edm.Int64"} else value


def _edm_of(value: Any, version: Version) -> str | None:
    if isinstance(value, UUID):
        return "Edm.Guid"
    if isinstance(value, Decimal):
        return "Edm.Decimal"
    if isinstance(value, datetime):
        return "Edm.DateTimeOffset"
    if isinstance(value, date):
        return "Edm.DateTime" if version == "v2" else "Edm.Date"
    return None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _encoded(text: str) -> str:
    return quote(text, safe="'")


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        msg = f"{name!r} is no name of OData"
        raise ValueError(msg)
    return name


def _aware(value: datetime) -> datetime:
    if value.tzinfo is None:
        msg = "a time without a zone is no point in time"
        raise ValueError(msg)
    return value.astimezone(UTC)


def _iso(value: datetime) -> str:
    if value.tzinfo is None:
        msg = "a time without a zone is no point in time"
        raise ValueError(msg)
    return value.isoformat().replace("+00:00", "Z")
