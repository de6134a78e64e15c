"""From a command to what is sent, and from an answer to the completion. Pure.

A mapping that gives nothing usable before anything was sent is `Rejected`: nothing was done, and the same command will
never fare better. After sending it is `Unknown`: the system said success, so the work may well be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from consumers.connectors.answers import Answer, Fault, code_of, parse, read_json
from consumers.connectors.forms import flat
from consumers.errors import Rejected, Unknown
from consumers.integrations.expressions import MappingError, PathTemplate, Value, compiled, value_of
from consumers.integrations.spec import ErrorBody, IntegrationSpec, KeySpec, ReadSpec, RequestSpec
from consumers.system import Call
from schemas.models import Record

__all__ = [
    "Sent",
    "Template",
    "completion",
    "context_of",
    "fixed_headers",
    "header_of",
    "inside_of",
    "plain",
    "reader_of",
    "refused_of",
    "rejected",
]

R = TypeVar("R", bound=Record)
_LARGEST_EXPONENT = 300


def context_of(spec: IntegrationSpec, command: Record, call: Call) -> dict[str, Any]:
    """What expressions of a request may name. Decimals and dates are text, so that they stay exact."""
    return {
        **command.model_dump(mode="json"),
        **spec.facts(),
        "saga_id": str(call.saga_id),
        "idempotency_key": call.idempotency_key,
        "agent": call.agent,
        "step": call.step,
    }


def rejected(exc: MappingError) -> Rejected:
    """What a mapping comes to that went wrong before anything was sent."""
    return Rejected("BAD_REQUEST_MAPPING", str(exc))


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, ready to be sent. `form` or `xml` is set instead of `json` where the system wants that."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    json: Any = None
    form: Mapping[str, Any] | None = None
    xml: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A request of an integration file, compiled.

    Attributes:
        fixed: headers of every request of the system.
        key: where the idempotency key goes; None for a request that takes none.
        form: the body is sent as a form.

    """

    method: str
    path: PathTemplate
    query: Value
    headers: Value
    body: Value | None
    fixed: Mapping[str, str]
    key: KeySpec | None = None
    nulls: bool = False
    form: bool = False

    @classmethod
    def of(cls, spec: IntegrationSpec, request: RequestSpec | ReadSpec, key: KeySpec | None) -> Template:
        """Compile it."""
        selected = {name: f"'{','.join(fields)}'" for name, fields in request.select.items()}
        return cls(
            method=request.method,
            path=PathTemplate.of(request.path),
            query=Value.of({**request.query, **selected}),
            headers=Value.of(request.headers),
            body=None if request.body is None else Value.of(request.body),
            fixed=fixed_headers(spec),
            key=key,
            nulls=isinstance(request, RequestSpec) and request.nulls,
            form=spec.protocol == "form",
        )

    def fill(self, context: Mapping[str, Any]) -> Sent:
        """The request for that command.

        Raises:
            MappingError: an expression gives nothing that can be sent.

        """
        query = {name: _text(name, value) for name, value in self.query.evaluate(context, nulls=False).items()}
        headers = {name: header_of(name, value) for name, value in self.headers.evaluate(context, nulls=False).items()}
        body = None if self.body is None else plain(self.body.evaluate(context, nulls=self.nulls))
        key = self.key
        if key is not None and key.header is not None:
            headers[key.header] = str(context["idempotency_key"])
        elif key is not None and key.body is not None:
            body = {**(body or {}), key.body: context["idempotency_key"]}
        form = _form(body) if self.form else None
        if form == {}:
            # Stripe refuses a POST without fields that does not say what its body would be.
            headers["content-type"] = "application/x-www-form-urlencoded"
        path = self.path.evaluate(context)
        return Sent(self.method, path, query, {**self.fixed, **headers}, None if self.form else body, form)


def fixed_headers(spec: IntegrationSpec) -> dict[str, str]:
    """Those of every request of the system."""
    version = spec.api_version
    return {**spec.headers, **({version.header: version.value} if version is not None and version.header else {})}


def completion(record: type[R], response: Value, context: Mapping[str, Any], more: Mapping[str, Any]) -> R:
    """The completion from `context` with its `answer`. `more` are fields that no expression gives.

    Raises:
        Unknown: an expression gives nothing that fits.

    """
    try:
        values = response.evaluate(context, nulls=False)
    except MappingError as exc:
        raise Unknown("BAD_RESPONSE", f"the answer is no {record.__name__}: {exc}") from exc
    return parse(record, {**values, **more})


def reader_of(body: ErrorBody | None) -> Callable[[Answer], Fault] | None:
    """What finds code and message in the system's error bodies; None for those that have them as ours do."""
    if body is None:
        return None
    code_at, message_at = compiled(body.code), compiled(body.message)

    def read(answer: Answer) -> Fault:
        context = {"answer": read_json(answer.body or b""), "status": answer.status, "headers": dict(answer.headers)}
        code, message = _tried(code_at, context), _tried(message_at, context)
        return Fault(code_of(code), message if isinstance(message, str) else "")

    return read


def refused_of(body: ErrorBody | None) -> Callable[[Any], bool] | None:
    """Whether the JSON of a 2xx is an error; an answer that cannot be asked is one."""
    if body is None or body.when is None:
        return None
    when = compiled(body.when)

    def refused(value: Any) -> bool:
        try:
            return value_of(when, {"answer": value}) not in (None, False)
        except MappingError:
            return True

    return refused


def inside_of(body: ErrorBody | None) -> Callable[[Any], Fault | None]:
    """What finds the error in the data of a success; an answer that cannot be asked has one."""
    refused = refused_of(body)
    if body is None or refused is None:
        return lambda _: None
    code_at, message_at = compiled(body.code), compiled(body.message)

    def inside(value: Any) -> Fault | None:
        if not refused(value):
            return None
        code, message = (_tried(at, {"answer": value}) for at in (code_at, message_at))
        return Fault(code_of(code), message if isinstance(message, str) else "")

    return inside


def _tried(expression: Any, context: Mapping[str, Any]) -> Any:
    try:
        return value_of(expression, context)
    except MappingError:
        return None


def _form(body: Any) -> Any:
    """The body of a form, of which `flat` will make fields."""
    if body is None:
        return None
    try:
        flat(body)
    except (ValueError, AttributeError) as exc:
        msg = f"the body is no form: {type(exc).__name__}"
        raise MappingError(msg) from exc
    return body


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float | Decimal):
        msg = f"{name}: gives no text"
        raise MappingError(msg)
    return str(value)


def header_of(name: str, value: Any) -> str:
    """The text of a header.

    Raises:
        MappingError: no header can have that.

    """
    text = _text(name, value)
    if not (text.isascii() and text.isprintable()):
        msg = f"{name}: gives what no header can have"
        raise MappingError(msg)
    return text


def plain(value: Any) -> Any:
    """As JSON can say it: fractions of an earlier answer are `Decimal`.

    Raises:
        MappingError: a number is so large that it would fill the memory (1e999999999).

    """
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, Decimal):
        if value.adjusted() > _LARGEST_EXPONENT:
            msg = "a number of the answer is too large to be sent again"
            raise MappingError(msg)
        return int(value) if value == value.to_integral_value() else float(value)
    return value
