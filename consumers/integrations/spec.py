"""The shape of an integration file: one system, who we are to it, its limits, and what it can be asked to do.

Strings under `query`, `headers`, `body`, `response`, `found` and wherever else `Expression` stands are JMESPath, so a
constant text is written `'text'`; numbers and booleans stand for themselves. What an expression may name:

    requests    the command's fields, saga_id, idempotency_key, agent, step, api_version; `lookup` where there is one
    answers     all of these, `answer` (the JSON of the body), and `item` (what a probe's or lookup's `found` found)
    error_body  `answer`, `status` and `headers` (names in lower case); `when` only `answer`

Whether the names exist is checked in `check.py`, where a mistake can be shown at its own place.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, WithJsonSchema, model_validator

from consumers.connectors.auth.spec import AuthSpec, HeaderName
from consumers.connectors.breaker import BreakerPolicy
from consumers.connectors.guard import InPlace
from consumers.connectors.http import Timeouts
from consumers.integrations.fields import FieldSpec, Identifier, Strict, Text
from orchestrator.core.mode import Mode
from schemas.models import EffectClass

__all__ = [
    "PROTOCOLS",
    "RESERVED",
    "ActionSpec",
    "CompareSpec",
    "CompletionSpec",
    "ErrorBody",
    "Expression",
    "IntegrationSpec",
    "KeySpec",
    "LookSpec",
    "MailSpec",
    "ReadSpec",
    "RequestSpec",
]

# What an expression may name beside the command's fields; no parameter may be called so.
RESERVED: Final = frozenset({"saga_id", "idempotency_key", "agent", "step", "api_version", "answer", "item", "lookup"})
# Each protocol and the block by which an action says what is sent. What builds its transport is in `protocols.py`.
PROTOCOLS: Final = {"rest": "request", "form": "request", "smtp": "mail"}


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float):
        msg = "should be an expression, a number or a boolean"
        raise ValueError(msg)
    return value


def _mode(text: str) -> str:
    return str(Mode.of(text))


ModeText = Annotated[
    str, AfterValidator(_mode), WithJsonSchema({"type": "string", "pattern": r"^(live|shadow|canary +[0-9.]+ *%?)$"})
]
Expression = Annotated[
    str, Field(min_length=1, max_length=2000), WithJsonSchema({"type": "string", "format": "jmespath"})
]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Seconds = Annotated[float, Field(gt=0, le=600)]
Ratio = Annotated[float, Field(gt=0, le=1)]
RecordName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=100)]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{1,63}$")]
Errors = dict[Code, Literal["rejected", "failed", "unknown"]]
Url = Annotated[str, Field(pattern=r"^(https?|smtp|smtps|smtp\+starttls)://[^\s/@?#]+[^\s@?#]*$", max_length=500)]
Path = Annotated[
    str,
    Field(
        pattern=r"^/[^\s?#]*$|^/.*\{.*$",
        max_length=500,
        description="with {expression} in places of parts, which are percent-encoded; no query",
    ),
]


class TimeoutsSpec(Strict):
    """Seconds: to connect, between two reads (of mail: for a reply), between two writes, for a free connection."""

    connect: Seconds = 2
    read: Seconds = 5
    write: Seconds = 5
    pool: Seconds = 2

    def made(self) -> Timeouts:
        """As HTTP wants it."""
        return Timeouts(self.connect, self.read, self.write, self.pool)


class BreakerSpec(Strict):
    """See `consumers.connectors.breaker.BreakerPolicy`."""

    window: Seconds = 30
    minimum: Annotated[int, Field(ge=1, le=100_000)] = 20
    failure_ratio: Ratio = 0.5
    slow_seconds: Seconds = 5
    slow_ratio: Ratio = 0.8
    open_seconds: Seconds = 5
    probe_seconds: Seconds = 30

    def made(self) -> BreakerPolicy:
        """The policy."""
        return BreakerPolicy(**self.model_dump())


class RetriesSpec(Strict):
    """Sends within one attempt; see `consumers.connectors.guard.InPlace`."""

    attempts: Annotated[int, Field(ge=1, le=10)] = 3
    first: Seconds = 0.05
    maximum: Seconds = 0.25
    patience: Annotated[float, Field(ge=0, le=600)] = 0.5

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.made()
        return self

    def made(self) -> InPlace:
        """The retries."""
        return InPlace(**self.model_dump())


class ApiVersion(Strict):
    """The pinned version: sent as this header, or written into paths as {api_version}."""

    value: Text
    header: HeaderName | None = None


class KeySpec(Strict):
    """Where the idempotency key goes: a header, or a field of the body."""

    header: HeaderName | None = None
    body: Text | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.header is None) == (self.body is None):
            msg = "name one of `header` and `body`; `key: none` for a system that takes none"
            raise ValueError(msg)
        return self


class ErrorBody(Strict):
    """Where an error body has its code and its message. A code is told in capitals: `card_declined` is CARD_DECLINED.

    Left out, they are `code`, in capitals already, and `message`.

    `when`: for systems that put errors into a 2xx; true where the body is one.
    """

    code: Expression = "answer.code"
    message: Expression = "answer.message"
    when: Expression | None = None


class ReadSpec(Strict):
    """A request that changes nothing. A body makes sense where a system searches by POST."""

    method: Literal["GET", "POST"] = "GET"
    path: Path
    query: dict[str, Scalar] = Field(default_factory=dict)
    headers: dict[HeaderName, Scalar] = Field(default_factory=dict)
    body: JsonValue = None


class LookSpec(Strict):
    """A question. `found` gives a list (empty: there is none; else its first is `item`) or true or false.

    Anything else is a broken answer, and never "there is none". Without `found` any 2xx means that it is there.
    """

    request: ReadSpec
    found: Expression | None = None
    response: dict[Identifier, Scalar] = Field(default_factory=dict)


class CompareSpec(Strict):
    """How an effect that was only recorded is compared with what the existing process did.

    Attributes:
        key: of the command: by what the business knows the thing.
        theirs: the same of what the system says or of a file's row; by default the same expression.
        look: asks the system for it; by default the action's probe.
        fields: the command's, and where what the system says or the row has them; by default those of equal names.

    """

    key: Expression
    theirs: Expression | None = None
    look: LookSpec | None = None
    fields: dict[Identifier, Expression] = Field(default_factory=dict)


class RequestSpec(Strict):
    """What is sent over HTTP. What maps to null is left out, unless `nulls` says to send it in the body."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Path
    query: dict[str, Scalar] = Field(default_factory=dict)
    headers: dict[HeaderName, Scalar] = Field(default_factory=dict)
    body: JsonValue = None
    nulls: bool = False


class MailSpec(Strict):
    """What is sent by mail. Subject and text are templates: {field}, and nothing else in braces."""

    recipient: Expression
    recipient_name: Expression
    subject: Text
    text: Annotated[str, Field(min_length=1, max_length=100_000)]
    in_reply_to: Expression | None = None
    tags: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")], Expression] = Field(default_factory=dict)


class CompletionSpec(Strict):
    """The record that says it is done; `event` is its CloudEvents type where that is not the record's name."""

    name: RecordName
    description: Text
    event: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+$")] | None = None


class ActionSpec(Strict):
    """One thing that the system can be asked to do.

    Attributes:
        effect: idempotent (the same again under the same key does nothing), queryable (a probe can ask whether it was
            done) or blind.
        errors: the system's codes that belong to this action's contract. `HTTP_409` stands for a status.
        found: the boolean of the completion that says whether there was anything to undo; with it "not found" is
            success.
        lookup: asked first, for a system that is undone by its own id and not by ours.
        compensation: the action that undoes this one.
        handler: `module:function`, in place of `request` or `mail`.
        timeout: seconds of one attempt, retries in place included.
        mode: live, shadow (only recorded) or canary N %; by default that of the system.
        verified: somebody has tried it, or read the page that `source` names.

    """

    description: Text
    command: RecordName
    completion: CompletionSpec
    effect: EffectClass
    parameters: dict[Identifier, FieldSpec] | None = None
    returns: dict[Identifier, FieldSpec] | None = None
    errors: Errors = Field(default_factory=dict)
    request: RequestSpec | None = None
    mail: MailSpec | None = None
    handler: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None
    response: dict[Identifier, Scalar] = Field(default_factory=dict)
    found: Identifier | None = None
    lookup: LookSpec | None = None
    probe: LookSpec | None = None
    compare: CompareSpec | None = None
    compensation: Identifier | None = None
    key: KeySpec | Literal["none"] | None = None
    timeout: Seconds = 10
    mode: ModeText | None = None
    verified: bool = True
    source: Annotated[str, Field(pattern=r"^https://\S+$", max_length=500)] | None = None

    @property
    def reads(self) -> bool:
        """It changes nothing."""
        return self.request is not None and self.request.method == "GET"


class IntegrationSpec(Strict):
    """One system.

    Attributes:
        base_url: one, or one for each environment (`SAGA_ENVIRONMENT`); `SAGA_SYSTEM_URLS__<NAME>` goes before it.
        mode: live, shadow (only recorded) or canary N % of the sagas; `SAGA_SYSTEM_OPTIONS__<NAME>__MODE`, or
            `…__MODE_<ACTION>`, goes before it.
        rate: calls a second of all workers together; `SAGA_SYSTEM_OPTIONS__<NAME>__RATE` goes before it.
        concurrency: calls at once of one worker.
        errors: the system's codes that mean the same for every action.
        missing_codes: codes by which a 404 says "no such thing"; with none, every 404 says so.
        headers: constants that go with every request.
        key: for all actions; by default the header Idempotency-Key.
        sender: of mails.

    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
    description: Text
    tier: Literal["api", "legacy", "files", "warehouse"]
    protocol: Literal["rest", "form", "smtp"]
    base_url: Url | dict[Identifier, Url] | None = None
    api_version: ApiVersion | None = None
    auth: AuthSpec | None = None
    mode: ModeText = "live"
    rate: Annotated[float, Field(ge=1e-4, le=1e5)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 64
    breaker: BreakerSpec = BreakerSpec()
    timeouts: TimeoutsSpec = TimeoutsSpec()
    retries: RetriesSpec = RetriesSpec()
    error_body: ErrorBody | None = None
    errors: Errors = Field(default_factory=dict)
    missing_codes: list[Code] = Field(default_factory=lambda: ["NOT_FOUND"])
    headers: dict[HeaderName, Text] = Field(default_factory=dict)
    key: KeySpec | Literal["none"] = KeySpec(header="Idempotency-Key")
    sender: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    actions: Annotated[dict[Identifier, ActionSpec], Field(min_length=1)]

    @property
    def namespace(self) -> str:
        """Of its records."""
        return f"saga.{self.name.replace('-', '_')}"

    def full_name(self, record: str) -> str:
        """Of one of its records."""
        return f"{self.namespace}.{record}"

    def key_of(self, action: ActionSpec) -> KeySpec | None:
        """Where the idempotency key of that action goes."""
        key = self.key if action.key is None else action.key
        return key if isinstance(key, KeySpec) else None

    def facts(self) -> dict[str, Any]:
        """What expressions may name of the system itself."""
        return {"api_version": self.api_version.value if self.api_version else None}
