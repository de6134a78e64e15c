"""SAP IDocs as XML over HTTP (`/sap/bc/idoc_xml`): a 2xx says that one was received, and nothing of what it asks for.

    answer to the IDoc                                then
    2xx, whatever is in it                            its status is asked for by our reference
    anything else                                     as `answers.py` says of a write that is not keyed

    status (SAP table TEDS1, inbound)
    53  application document posted                   done
    68  error, no further processing                  Rejected
    51, 56, 60, 63, 65, 69: an error stands there     Unknown at once: a person may process it again, or end it (68)
    any other: on its way (50, 62, 64, 66, …)         asked again, until `within` is over; then Unknown

The reference is the effect's idempotency key in a field of the control record (ARCKEY by default, 70 characters), so
that a probe finds the IDoc whoever sent it. A key that is longer stands there as its SHA-256: SAP would cut it off,
and the probe would find nothing. How the status is told is the installation's own: a service that answers with JSON
or XML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree

from consumers.connectors.answers import Answer, json_fault, judge, judge_fault, read_json
from consumers.connectors.connector import Connector, probing
from consumers.connectors.guard import Guard, Verdict
from consumers.connectors.http import Body, HttpClient
from consumers.connectors.paths import within as at_path
from consumers.connectors.pending import Pending, settled
from consumers.connectors.xml import BadXml, as_data, read_xml
from consumers.errors import Unknown
from consumers.system import Call

__all__ = ["STATUSES", "IdocClient", "idoc_xml", "reference_of"]

_LONGEST_REFERENCE = 70

STATUSES = {"53": "done", "68": "rejected"} | dict.fromkeys(("51", "56", "60", "63", "65", "69"), "unknown")


class IdocClient(Connector):
    """Sends IDocs to one SAP system, and asks for their status.

    Args:
        path: where IDocs are posted, below the base URL.
        status_path: where their status is asked for.
        status_parameter: of the query; it carries the reference.
        pending: path of the status in the answer, and how long to ask; its `outcomes` go before `STATUSES`.
        reference_field: of the control record.
        others: see `Connector`.

    """

    def __init__(
        self,
        http: HttpClient,
        guard: Guard,
        *,
        status_path: str,
        pending: Pending,
        path: str = "/sap/bc/idoc_xml",
        status_parameter: str = "reference",
        reference_field: str = "ARCKEY",
        **others: Any,
    ) -> None:
        super().__init__(http, guard, **others)
        self.path = path
        self.status_path = status_path
        self._status_parameter = status_parameter
        self._pending = replace(pending, outcomes=STATUSES | dict(pending.outcomes))
        self._reference_field = reference_field

    async def request(
        self,
        idoc_type: str,
        control: Mapping[str, Any],
        segments: Sequence[Mapping[str, Any]],
        *,
        call: Call,
        errors: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one IDoc and wait until it is posted; the answer that says so.

        Args:
            idoc_type: `ORDERS05`.
            control: fields of EDI_DC40; the reference is added.
            segments: each `{"E1EDK01": {"BELNR": "1", "E1EDK02": [{…}]}}`.
            errors: codes to rejected | failed | unknown.

        Raises:
            Rejected, Failed, Unknown: see the top of the file.
            ValueError: a name is none of XML's.
            ClaimLost: another worker owns the effect.

        """
        content = self.xml(idoc_type, control, segments, call.idempotency_key)
        # Never keyed: SAP takes a second IDoc with the same reference, and posts both.
        expected = self.expectation(call, errors, keyed=False)

        def judged(answer: Answer) -> Verdict:
            if 200 <= answer.status < 300:
                return Verdict({})
            return judge_fault(answer, expected, self.now(), json_fault(answer))

        async def once() -> Verdict:
            return await self.send(
                "POST",
                self.path,
                call=call,
                expected=expected,
                judge=judged,
                body=Body(content=content),
                headers={"content-type": "text/xml; charset=utf-8", "accept": "*/*"},
            )

        await self.guard.run(call, once)
        asked = self.question(call.idempotency_key)
        return await settled(self, self._pending, self.status_path, call=call, params=asked, read=_read)

    def xml(self, idoc_type: str, control: Mapping[str, Any], segments: Sequence[Mapping[str, Any]], key: str) -> bytes:
        """The IDoc with its reference.

        Raises:
            ValueError: see `idoc_xml`.

        """
        return idoc_xml(idoc_type, {**control, self._reference_field: reference_of(key)}, segments)

    async def look_up(self, *, call: Call) -> Any:
        """Ask for a probe; as `posted`.

        Raises:
            Unknown: it is there and not posted yet, or whatever goes wrong.
            ClaimLost: another worker owns the effect.

        """
        return await probing(self.posted(call=call))

    async def posted(self, *, call: Call) -> Any:
        """The answer that says that the IDoc is posted; None where SAP has none, or ended it (68).

        Raises:
            Unknown: it is there and not posted yet, or the answer does not say.
            Rejected, Failed: it could not be asked.
            ClaimLost: another worker owns the effect.

        """
        found = await self._ask(call)
        if found is None:
            return None
        try:
            status = at_path(found, self._pending.status)
        except LookupError as exc:
            raise Unknown("BAD_RESPONSE", "the answer of the probe has no status") from exc
        if status is None:  # an empty list
            return None
        outcome = self._pending.outcomes.get(str(status))
        if outcome in {"done", "rejected"}:
            return found if outcome == "done" else None
        raise Unknown("IDOC_OPEN", f"the IDoc has status {str(status)[:20]}")

    def question(self, key: str) -> dict[str, str]:
        """The query by which the status is asked for."""
        return {self._status_parameter: reference_of(key)}

    async def _ask(self, call: Call) -> Any:
        expected = self.expectation(call, reads=True, missing_ok=True)

        def judged(answer: Answer) -> Verdict:
            return judge(answer, expected, self.now(), value=_read)

        async def once() -> Verdict:
            return await self.send(
                "GET",
                self.status_path,
                call=call,
                expected=expected,
                judge=judged,
                params=self.question(call.idempotency_key),
            )

        return await self.guard.run(call, once)


def reference_of(key: str) -> str:
    """What stands in the control record for an idempotency key."""
    return key if len(key) <= _LONGEST_REFERENCE else hashlib.sha256(key.encode()).hexdigest()


def idoc_xml(idoc_type: str, control: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> bytes:
    """The IDoc as XML, in UTF-8.

    Raises:
        ValueError: a name is none of XML's, or a value has characters that XML has not.

    """
    root = etree.Element(idoc_type)
    idoc = etree.SubElement(root, "IDOC", BEGIN="1")
    _segment(idoc, "EDI_DC40", {"TABNAM": "EDI_DC40", "DIRECT": "2", "IDOCTYP": idoc_type, **control})
    for segment in segments:
        for name, fields in segment.items():
            _segment(idoc, name, fields)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def _segment(parent: Any, name: str, fields: Mapping[str, Any]) -> None:
    element = etree.SubElement(parent, name, SEGMENT="1")
    for field, value in fields.items():
        if isinstance(value, Mapping):
            _segment(element, field, value)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                _segment(element, field, one)
        elif value is not None:
            etree.SubElement(element, field).text = str(value)


def _read(body: bytes) -> Any:
    """JSON or XML, whichever it is; None for neither."""
    found = read_json(body)
    if found is not None:
        return found
    try:
        return as_data(read_xml(body))
    except BadXml:
        return None
