"""The shape of an integration file: one system, who we are to it, its limits, and what it can be asked to do.

Strings under `query`, `headers`, `body`, `response`, `found` and wherever else `Expression` stands are JMESPath, so a
constant text is written `'text'`; numbers and booleans stand for themselves. Beside JMESPath's own functions there
are split(text, separator), replace(text, old, new), lower, upper, uuid5(uuid, name) of RFC 9562, digest(text, `16`): so
many of the characters A-Z and 2-7 of its SHA-256, and where(list, 'a.b', value): those of the list that have the value
there. What an expression may name:

    requests    the command's fields, saga_id, idempotency_key, agent, step, api_version; `lookup` where there is one
    answers     all of these, `answer` (the JSON of the body), and `item` (what a probe's or lookup's `found` found) or,
                of an action's own answer, `headers` (names in lower case: `headers.location`)
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
from consumers.integrations.blocks import DocumentSpec, GraphqlSpec, IdocSpec, OperationSpec, QuerySpec, SoapPort
from consumers.integrations.fields import Expression, FieldSpec, Identifier, Scalar, Seconds, Strict, Text
from consumers.integrations.spec_odata import EntitiesSpec, EntitySpec, ODataSpec
from orchestrator.core.mode import Mode
from orchestrator.redaction import How
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
RESERVED: Final = frozenset(
    {"saga_id", "idempotency_key", "agent", "step", "api_version", "answer", "headers", "item", "lookup"}
)
# Each protocol and the block by which an action says what is sent. What builds its transport is in `protocols.py`.
PROTOCOLS: Final = {
    "rest": "request",
    "form": "request",
    "odata": "entity",
    "smtp": "mail",
    "soap": "operation",
    "idoc": "document",
    "graphql": "query",
}


def _mode(text: str) -> str:
    return str(Mode.of(text))


ModeText = Annotated[
    str, AfterValidator(_mode), WithJsonSchema({"type": "string", "pattern": r"^(live|shadow|canary +[0-9.]+ *%?)$"})
]
Ratio = Annotated[float, Field(gt=0, le=1)]
RecordName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=100)]
FieldPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_$@:-]+(\.[A-Za-z0-9_$@:-]+)*$", max_length=300)]
Select = Annotated[
    dict[Annotated[str, Field(pattern=r"^[\w$.-]+$")], list[Annotated[str, Field(pattern=r"^[\w$./():-]+$")]]],
    Field(
        default_factory=dict,
        description="data minimising: the query parameter by which an answer is asked to hold only these fields",
    ),
]
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
    """Where the idempotency key goes: a header, or a field of the body (soap: of the message; graphql: a variable)."""

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

    `when`: for systems that put errors into a 2xx; true where the body is one. With protocol soap, `answer` is an
    operation's output, and all three are about errors in it; what a fault says needs no word.
    """

    code: Expression = "answer.code"
    message: Expression = "answer.message"
    when: Expression | None = None


class ReadSpec(Strict):
    """A request that changes nothing. A body makes sense where a system searches by POST."""

    method: Literal["GET", "POST"] = "GET"
    path: Path
    query: dict[str, Scalar] = Field(default_factory=dict)
    select: Select
    headers: dict[HeaderName, Scalar] = Field(default_factory=dict)
    body: JsonValue = None


class LookSpec(Strict):
    """A question: one block, as the protocol has it.

    `found` gives a list (empty: there is none; else its first is `item`) or true or false; anything else is a broken
    answer, and never "there is none". Without it any success means that it is there, and of `entities` the first. With
    protocol idoc there is nothing to ask but the IDoc's status, and no block that says so.
    """

    request: ReadSpec | None = None
    entities: EntitiesSpec | None = None
    operation: OperationSpec | None = None
    query: QuerySpec | None = None
    found: Expression | None = None
    response: dict[Identifier, Scalar] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _entities_are_a_list(cls, data: Any) -> Any:
        return {"found": "answer", **data} if isinstance(data, dict) and "entities" in data else data


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
    """What is sent over HTTP. What maps to null is left out, unless `nulls` says to send it in the body.

    `empty`: a success may have no body at all; otherwise that is a broken answer, except for 204.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: Path
    query: dict[str, Scalar] = Field(default_factory=dict)
    select: Select
    headers: dict[HeaderName, Scalar] = Field(default_factory=dict)
    body: JsonValue = None
    nulls: bool = False
    empty: bool = False


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
        keep: data minimising: dotted paths of the answers that the audit keeps; the rest is dropped before it is
            written anywhere. Left out, all of it is kept, redacted.
        handler: `module:function`, in place of the protocol's own block.
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
    entity: EntitySpec | None = None
    mail: MailSpec | None = None
    operation: OperationSpec | None = None
    document: DocumentSpec | None = None
    query: QuerySpec | None = None
    handler: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None = None
    response: dict[Identifier, Scalar] = Field(default_factory=dict)
    found: Identifier | None = None
    lookup: LookSpec | None = None
    probe: LookSpec | None = None
    compare: CompareSpec | None = None
    compensation: Identifier | None = None
    key: KeySpec | Literal["none"] | None = None
    keep: list[FieldPath] | None = None
    timeout: Seconds = 10
    mode: ModeText | None = None
    verified: bool = True
    source: Annotated[str, Field(pattern=r"^https://\S+$", max_length=500)] | None = None

    @property
    def reads(self) -> bool:
        """It changes nothing."""
        if self.request is not None:
            return self.request.method == "GET"
        if self.entity is not None:
            return self.entity.do == "read"
        asked = self.operation or self.query
        return asked is not None and asked.reads


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
        soap: the ports that are called, by names of the file's own; where there is one only, actions need not name it.
        idoc, graphql: of these protocols.
        redact: fields of commands, completions, requests and answers that are secret, financial or personal, and what
            stands in their place in logs, traces, audit and views: mask, hash (keyed), drop or last4. A path fits where
            it is the end of a field's place: `iban` everywhere, `bank.iban` within `bank`. See
            `orchestrator.redaction`.

    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
    description: Text
    tier: Literal["api", "legacy", "files", "warehouse"]
    protocol: Literal["rest", "form", "odata", "smtp", "soap", "idoc", "graphql"]
    base_url: Url | dict[Identifier, Url] | None = None
    api_version: ApiVersion | None = None
    odata: ODataSpec = ODataSpec()
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
    soap: Annotated[dict[Identifier, SoapPort], Field(min_length=1)] | None = None
    idoc: IdocSpec | None = None
    graphql: GraphqlSpec = GraphqlSpec()
    redact: dict[FieldPath, How] = Field(default_factory=dict)
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
