"""GraphQL over HTTP: what an answer says of the action, where errors come with a status of 200.

    answer with `errors`                                            mutation              query
    beside a root field that is not null                            Unknown               Failed
    an error below a root field: the root's work had been done      Unknown               Failed
    every error's code in `errors`                                  the worst of them     the same
    no `data` (nothing was executed) or the root field's own error
        UNAUTHENTICATED, FORBIDDEN: our credential                  Failed, not in place  the same
        RATE_LIMITED, THROTTLED, TOO_MANY_REQUESTS                  Failed                the same
    no `data`, and a code of the time before execution              Rejected              Rejected
    any other                                                       Unknown               Failed

    answer without `errors`
    `data` is an object                                             done                  done
    `problems` within it is not empty (userErrors)                  as mapped, else Rejected
    200 with anything else (HTML, `data` null, no `data`)           Unknown               Failed
    another status                                                  by `answers.py`, code out of `errors`

The spec (October 2021, §6.2.2, §6.4.4, §7.1): the fields of a mutation run one after the other; a field below a root
field runs only once the root has done its work, and its error can null the whole `data`; `data` is left out where
nothing was executed. So neither `data: null` nor a code that is mapped proves by itself that nothing was done.

Queries are constants; values travel as variables only. A mutation has one root field: two would be two effects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from consumers.connectors.answers import Answer, Expectation, Fault, code_of, judge, read_json
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, HttpClient
from consumers.connectors.paths import within
from consumers.errors import ActionError, Failed, Rejected, Unknown
from consumers.system import Call

__all__ = ["GraphQLClient", "judge_graphql", "operation_of"]

_ACCEPT = "application/graphql-response+json, application/json;q=0.9"
_TOKEN = re.compile(
    r'"""(?:\\"""|[\s\S])*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|\.\.\.|[_A-Za-z]\w*|[{}():@$=!\[\]|&]|[^\s,]'
)
_CREDENTIAL = frozenset({"UNAUTHENTICATED", "FORBIDDEN"})
_LATER = frozenset({"RATE_LIMITED", "THROTTLED", "TOO_MANY_REQUESTS"})
# Apollo Server's names, which most servers have taken over.
_BEFORE_EXECUTION = frozenset(
    {
        "BAD_USER_INPUT",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "OPERATION_RESOLUTION_FAILURE",
        "PERSISTED_QUERY_NOT_FOUND",
        "PERSISTED_QUERY_NOT_SUPPORTED",
    }
)
_WORST = ("unknown", "failed", "rejected")


class GraphQLClient(Connector):
    """One endpoint.

    Args:
        path: of the endpoint, below the base URL.
        others: see `Connector`.

    """

    def __init__(self, http: HttpClient, guard: Guard, *, path: str = "/graphql", **others: Any) -> None:
        super().__init__(http, guard, **others)
        self._path = path

    async def request(
        self,
        document: str,
        *,
        call: Call,
        variables: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        keyed: bool = True,
        missing_ok: bool = False,
        problems: str | None = None,
    ) -> Any:
        """Run one operation and return its `data`.

        Args:
            document: the operation, a constant of the system's file.
            variables: JSON values. Numbers that must stay exact go as strings.
            headers: of this request, beside the client's own.
            errors: codes (`extensions.code`) to rejected | failed | unknown.
            keyed: the target honours `Idempotency-Key`.
            missing_ok: an error that says that there is no such thing returns None.
            problems: path in `data` of a list of `{code, message}` that the schema has for "not done": what Shopify
                calls `userErrors` (`vendorCreate.userErrors`).

        Raises:
            ValueError: the document is not one query, or not one mutation with one root field.
            Rejected, Failed, Unknown: see the top of the file.
            ClaimLost: another worker owns the effect.

        """
        reads = operation_of(document) == "query"
        expected = self.expectation(call, errors, reads=reads, keyed=keyed, missing_ok=missing_ok)
        body = Body(json={"query": document, "variables": dict(variables or {})})

        def judged(answer: Answer) -> Verdict:
            return judge_graphql(answer, expected, lambda: judge(answer, expected, self.now(), fault=_fault), problems)

        async def once() -> Verdict:
            return await self.send(
                "POST",
                self._path,
                call=call,
                expected=expected,
                judge=judged,
                body=body,
                headers={"accept": _ACCEPT, **(headers or {})},
            )

        return await self.guard.run(call, once)

    async def look_up(
        self, document: str, *, call: Call, variables: Mapping[str, Any] | None = None, at: str | None = None
    ) -> Any:
        """Ask for a probe: what stands at the path `at` of `data`; None where the target says there is no such thing.

        Raises:
            ValueError: the document is no query.
            Unknown: whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        if operation_of(document) != "query":
            msg = "a probe must be a query"
            raise ValueError(msg)
        data = await probing(self.request(document, call=call, variables=variables, missing_ok=True))
        if data is None or at is None:
            return data
        try:
            return within(data, at)
        except LookupError as exc:
            raise Unknown("BAD_RESPONSE", f"the answer of the probe has no {at!r}") from exc


def operation_of(document: str) -> Literal["query", "mutation"]:
    """Which operation the document is.

    Raises:
        ValueError: it is not one query, or not one mutation with one root field.

    """
    words = [word for word in _TOKEN.findall(document) if not word.startswith(("#", '"'))]
    depth, roots, after_definition = 0, 0, True
    kinds: list[str] = []
    in_selection: list[str] = []
    for at, word in enumerate(words):
        if depth == 0 and after_definition:
            kinds.append("query" if word == "{" else word)
            after_definition = False
        if word in "({[":
            in_selection.append(word)
        elif word in ")}]" and in_selection:
            in_selection.pop()
            after_definition = word == "}" and not in_selection
        elif in_selection == ["{"] and kinds[-1] == "mutation":
            # A name is a field unless it is what an alias stands for, or a directive's. A spread is any number.
            if word == "...":
                roots += 2
            elif re.match(r"[_A-Za-z]", word) and words[at - 1] not in {":", "@", "..."}:
                roots += 1
        depth = len(in_selection)
    operations = [kind for kind in kinds if kind != "fragment"]
    if len(operations) != 1 or operations[0] not in {"query", "mutation"} or depth:
        msg = "the document must be one query or one mutation"
        raise ValueError(msg)
    if operations[0] == "mutation" and roots != 1:
        msg = "a mutation must have one root field, and no fragment in its place: two fields are two effects"
        raise ValueError(msg)
    return "query" if operations[0] == "query" else "mutation"


def judge_graphql(
    answer: Answer, expected: Expectation, by_status: Callable[[], Verdict], problems: str | None = None
) -> Verdict:
    """What the answer means; `by_status` judges one that is not GraphQL's or has a status of its own."""
    body = read_json(answer.body) if answer.body is not None else None
    if not 200 <= answer.status < 300:
        return by_status()
    if not isinstance(body, dict):
        what = "no GraphQL answer" if answer.body is not None else "too large, or compressed"
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but the body is {what}", again=False)
    if body.get("errors"):
        return _erroneous(body, expected)
    data = body.get("data")
    if not isinstance(data, dict):
        return expected.lost("BAD_RESPONSE", f"HTTP {answer.status}, but there is no `data`", again=False)
    if problems is None:
        return Verdict(data)
    try:
        found = within(data, problems)
    except LookupError:
        return expected.lost("BAD_RESPONSE", f"`data` has no {problems!r}", again=False)
    return _with_problems(found, expected) if found else Verdict(data)


def _erroneous(body: Mapping[str, Any], expected: Expectation) -> Verdict:
    errors = body["errors"] if isinstance(body["errors"], list) else []
    faults = [_read(error) for error in errors]
    message = "; ".join(fault.message for fault in faults)[:500] or "errors without a message"
    code = next((fault.code for fault in faults if fault.code), None)
    data = body.get("data")
    done = isinstance(data, dict) and any(value is not None for value in data.values())
    below = any(_is_below_the_root(error) for error in errors)
    if expected.missing_ok and not done and code is not None and code in expected.missing_codes:
        return Verdict(None)
    if not expected.reads and (done or below or not faults):
        return expected.lost(code or "PARTIAL_ANSWER", f"part of it was done: {message}")
    mapped = [fault.mapped(expected.errors) for fault in faults]
    if mapped and all(mapped):
        worst = min((found for found in mapped if found), key=lambda found: _WORST.index(found[1]))
        return _mapped(*worst, message, expected)
    return _unmapped(code, message, expected, executed="data" in body)


def _is_below_the_root(error: Any) -> bool:
    path = error.get("path") if isinstance(error, dict) else None
    return isinstance(path, list) and len(path) > 1


def _unmapped(code: str | None, message: str, expected: Expectation, *, executed: bool) -> Verdict:
    if code in _CREDENTIAL:
        return Verdict(error=Failed(code or "", message), healthy=code != "UNAUTHENTICATED")
    if code in _LATER:
        return Verdict(error=Failed(code or "", message), again=True)
    if not executed and code in _BEFORE_EXECUTION:
        return Verdict(error=Rejected(code or "", message))
    return expected.lost(code or "GRAPHQL_ERROR", message)


def _with_problems(found: Any, expected: Expectation) -> Verdict:
    faults = [_problem(one) for one in (found if isinstance(found, list) else [found])]
    message = "; ".join(fault.message for fault in faults)[:500]
    outcomes = [fault.mapped(expected.errors) or (fault.code or "REFUSED", "rejected") for fault in faults]
    return _mapped(*min(outcomes, key=lambda outcome: _WORST.index(outcome[1])), message, expected)


def _mapped(code: str, outcome: str, message: str, expected: Expectation) -> Verdict:
    if outcome == "rejected":
        return Verdict(error=Rejected(code, message), proven=expected.keyed)
    error: ActionError = Failed(code, message) if outcome == "failed" else Unknown(code, message)
    return Verdict(error=error, again=outcome == "failed" or expected.keyed)


def _fault(answer: Answer) -> Fault:
    """The first error's, of an answer whose status is an error's."""
    body = read_json(answer.body or b"")
    errors = body.get("errors") if isinstance(body, dict) else None
    return _read(errors[0]) if isinstance(errors, list) and errors else Fault()


def _read(error: Any) -> Fault:
    fields = error if isinstance(error, dict) else {}
    extensions = fields.get("extensions")
    return _fault_of(extensions.get("code") if isinstance(extensions, dict) else None, fields.get("message"))


def _problem(one: Any) -> Fault:
    fields = one if isinstance(one, dict) else {}
    return _fault_of(fields.get("code"), fields.get("message"))


def _fault_of(code: Any, message: Any) -> Fault:
    raw = (code,) if isinstance(code, str) else ()
    return Fault(code_of(code), message if isinstance(message, str) else "", raw)
