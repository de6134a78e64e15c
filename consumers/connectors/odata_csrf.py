"""CSRF tokens as SAP Gateway wants them: fetched by a read, bound to its session cookie, sent with every write.

A token is the session's, so that the services of one host share it. It is fetched from the root of the service that is
written to: the path above the services is none, and answers nothing.

(SAP Help, "Cross-Site Request Forgery Protection": `X-CSRF-Token: Fetch`, then 403 with `X-CSRF-Token: Required`.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from consumers.connectors.answers import Answer, Expectation
from consumers.connectors.guard import Verdict
from consumers.connectors.http import HttpClient
from consumers.errors import Failed
from consumers.system import Call

__all__ = ["CsrfToken"]

_HEADER = "x-csrf-token"


class CsrfToken:
    """The token of one client. However many writes wait for it, one of them fetches it."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._token: str | None = None
        self._fetching = asyncio.Lock()

    async def around(self, call: Call, root: str, send: Callable[[Mapping[str, str]], Awaitable[Verdict]]) -> Verdict:
        """Send with a token; where it is refused, which says that nothing was done, once more with another.

        Args:
            root: the path of the service that is written to.

        Raises:
            ClaimLost: another worker owns the effect; nothing more was sent.

        """
        refused: str | None = None
        for _ in range(2):
            try:
                token = await self._other_than(refused, call, root)
            except Failed as exc:
                return Verdict(error=exc, healthy=False)
            verdict = await send({_HEADER: token})
            if not (isinstance(verdict.error, Failed) and verdict.error.code == "CSRF_REQUIRED"):
                return verdict
            refused = token
        return Verdict(error=Failed("CSRF_REFUSED", "a token that was just fetched is refused"), healthy=False)

    async def _other_than(self, refused: str | None, call: Call, root: str) -> str:
        async with self._fetching:
            if self._token is None or self._token == refused:
                self._token = None
                self._token = await self._fetch(call, root)
                await call.renew()  # the fetch took its time, and the write comes after it
            return self._token

    async def _fetch(self, call: Call, root: str) -> str:
        expected = Expectation(reads=True)

        def judged(answer: Answer) -> Verdict:
            token = answer.headers.get(_HEADER, "")
            if not 200 <= answer.status < 300 or not token or token.lower() in {"fetch", "required"}:
                return Verdict(error=Failed("CSRF_FETCH", f"HTTP {answer.status} and no token"))
            return Verdict(token)

        headers = {_HEADER: "fetch", "accept": "application/json"}
        verdict = await self._http.exchange("GET", root, call=call, expected=expected, judge=judged, headers=headers)
        if verdict.error is not None:
            message = f"{verdict.error.code}: {verdict.error.message}"
            raise Failed("CSRF_FETCH", message) from verdict.error
        return str(verdict.value)
