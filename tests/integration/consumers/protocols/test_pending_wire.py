"""Work that is done later, IDocs, pages and forms, on the wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from consumers.connectors import idoc as idoc_module
from consumers.connectors import rest as rest_module
from consumers.connectors.guard import Guard
from consumers.connectors.http import HttpClient
from consumers.connectors.idoc import IdocClient
from consumers.connectors.paging import Paging, read_pages
from consumers.connectors.pending import Pending, settled
from consumers.connectors.rest import RestClient, Timeouts
from consumers.connectors.xml import read_xml, text_at
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call

JOB = Pending(
    status="state",
    outcomes={"OK": "done", "NO": "rejected", "LATER": "failed", "STUCK": "unknown"},
    result="out",
    every=1,
    within=10,
)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


class Time:
    """Passes by sleeping alone."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    for module in (rest_module, idoc_module):
        monkeypatch.setattr(module, "settled", partial(settled, clock=made.clock, sleep=made.sleep))
    return made


@pytest.fixture
async def rest(wire: Any, guard: Guard) -> AsyncIterator[RestClient]:
    timeouts = Timeouts(connect=5, read=5, write=5, pool=5)
    async with RestClient(wire.url, timeouts=timeouts, guard=guard) as made:
        yield made


# -- 202 -------------------------------------------------------------------------------------------------------------


async def test_a_job_is_asked_for_until_it_is_done(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/jobs", answer(202, location="/jobs/7", retry_after="3"))
    running = answer(200, body({"state": "RUNNING"}))
    wire.say(
        "/jobs/7",
        answer(503, retry_after="2"),
        answer(202),
        running,
        answer(200, body({"state": "OK", "out": {"id": 1}})),
    )
    assert await rest.request("POST", "/jobs", call=call, json={}, pending=JOB) == {"id": 1}
    assert time.slept == [3, 2, 1, 1]
    assert len(wire.asked("/jobs")) == 1


@pytest.mark.parametrize(("state", "kind"), [("NO", Rejected), ("LATER", Failed), ("STUCK", Unknown)])
async def test_a_job_ends_as_its_status_says(
    state: str, kind: type[Exception], rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/jobs", answer(202, location="jobs/7"))
    wire.say("/jobs/7", answer(200, body({"state": state})))
    with pytest.raises(kind, match=state):
        await rest.request("POST", "/jobs", call=call, json={}, pending=JOB)
    assert len(wire.asked("/jobs/7")) == 1


async def test_what_is_not_finished_in_time_or_cannot_be_asked_is_unknown(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/jobs", answer(202, location="/jobs/7"))
    for said, code in (
        (answer(200, body({"state": "RUNNING"})), "STILL_RUNNING"),
        (answer(200, body({})), "STILL_RUNNING"),
        (answer(200, b"<html>"), "STILL_RUNNING"),
        (answer(404), "HTTP_404"),
        (answer(200, body({"state": "OK"})), "BAD_RESPONSE"),
        (answer(303, location="http://127.0.0.1:1/x"), "FOREIGN_LINK"),
    ):
        wire.say("/jobs/7", said)
        with pytest.raises(Unknown, match=code):
            await rest.request("POST", "/jobs", call=call, json={}, pending=JOB)


@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:1/jobs/7", "https://127.0.0.1/jobs/7", "//evil/x", "http://[", None]
)
async def test_a_place_elsewhere_is_not_asked(
    place: str | None, rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/jobs", answer(202, **({"location": place} if place else {})))
    with pytest.raises(Unknown, match="FOREIGN_LINK" if place else "BAD_RESPONSE"):
        await rest.request("POST", "/jobs", call=call, json={}, pending=JOB)
    assert len(wire.requests) == 1


async def test_without_a_status_the_end_is_a_2xx_or_where_a_303_leads(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/jobs", answer(202, operation_location="/jobs/7"))
    wire.say("/jobs/7", answer(202), answer(303, location="/things/1"))
    wire.say("/things/1", answer(200, body({"id": 1})))
    assert await rest.request("POST", "/jobs", call=call, json={}, pending=Pending()) == {"id": 1}
    wire.say("/jobs", answer(201, body({"id": 2})))
    assert await rest.request("POST", "/jobs", call=call, json={}, pending=Pending()) == {"id": 2}


# -- IDocs -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def idoc(wire: Any, http: Callable[..., HttpClient], guard: Guard) -> AsyncIterator[IdocClient]:
    pending = Pending(status="value.0.STATUS", within=5)
    async with IdocClient(http(wire.url), guard, path="/idoc", status_path="/status", pending=pending) as made:
        yield made


def status(*codes: str) -> bytes:
    return body({"value": [{"STATUS": code, "DOCNUM": "4711"} for code in codes]})


async def send(idoc: IdocClient, call: Call) -> Any:
    segments = [{"E1EDK01": {"BELNR": "1 & <2>", "CURCY": None, "E1EDK02": [{"QUALF": "001"}, {"QUALF": "002"}]}}]
    return await idoc.request("ORDERS05", {"MESTYP": "ORDERS"}, segments, call=call)


async def test_an_idoc_is_done_when_it_is_posted_and_not_when_it_was_received(
    idoc: IdocClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    wire.say("/idoc", answer(200, b"<html>anything</html>"))
    wire.say("/status", answer(200, status()), answer(200, status("64")), answer(200, status("53")))
    assert (await send(idoc, call))["value"][0]["DOCNUM"] == "4711"
    (sent,) = wire.asked("/idoc")
    root = read_xml(sent.partition(b"\r\n\r\n")[2])
    assert text_at(root, "IDOC", "EDI_DC40", "ARCKEY") == "key-1"
    assert text_at(root, "IDOC", "E1EDK01", "BELNR") == "1 & <2>"
    assert [child.tag for child in root[0][1]] == ["BELNR", "E1EDK02", "E1EDK02"]
    assert b"GET /status?reference=key-1 " in wire.asked("/status")[0]


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [("68", Rejected, "E_68"), ("51", Unknown, "E_51"), ("64", Unknown, "STILL_RUNNING")],
)
async def test_an_idoc_that_is_not_posted(
    said: str,
    kind: type[Exception],
    code: str,
    idoc: IdocClient,
    wire: Any,
    answer: Callable[..., bytes],
    call: Call,
    time: Time,
) -> None:
    wire.say("/idoc", answer(200))
    wire.say("/status", answer(200, status(said)))
    with pytest.raises(kind, match=code):
        await send(idoc, call)


async def test_an_idoc_that_was_not_received(
    idoc: IdocClient, wire: Any, answer: Callable[..., bytes], call: Call, time: Time
) -> None:
    for number, kind in ((400, Rejected), (401, Failed), (500, Unknown), (302, Unknown)):
        wire.say("/idoc", answer(number))
        with pytest.raises(kind):
            await send(idoc, call)
    assert wire.asked("/status") == []


async def test_a_probe_for_an_idoc(idoc: IdocClient, wire: Any, answer: Callable[..., bytes], call: Call) -> None:
    wire.say("/status", answer(200, status("53")))
    assert (await idoc.look_up(call=call))["value"][0]["DOCNUM"] == "4711"
    for none in (answer(200, status()), answer(200, status("68")), answer(404, body({"code": "NOT_FOUND"}))):
        wire.say("/status", none)
        assert await idoc.look_up(call=call) is None
    for nothing in (status("51"), status("64"), b"{}", b"<html>", b"[]"):
        wire.say("/status", answer(200, nothing))
        with pytest.raises(Unknown):
            await idoc.look_up(call=call)
    wire.say("/status", answer(404))
    with pytest.raises(Unknown):
        await idoc.look_up(call=call)


async def test_a_status_may_be_told_as_xml(
    wire: Any, http: Callable[..., HttpClient], guard: Guard, answer: Callable[..., bytes], call: Call
) -> None:
    pending = Pending(status="IDOC.STATUS")
    async with IdocClient(http(wire.url), guard, status_path="/status", pending=pending) as idoc:
        wire.say("/status", answer(200, b"<n:LIST xmlns:n='urn:x'><IDOC><STATUS>53</STATUS></IDOC></n:LIST>"))
        assert await idoc.look_up(call=call) == {"IDOC": {"STATUS": "53"}}


# -- pages -----------------------------------------------------------------------------------------------------------


async def every(rest: RestClient, paging: Paging, call: Call, **params: str) -> list[Any]:
    return [item async for item in read_pages(rest, "/things", paging, call=call, params=params)]


async def test_links_in_the_head_lead_on(rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call) -> None:
    link = '</things?page=2&q=a%20b>; rel="next", <https://evil/last>; rel="last"'
    wire.say("/things", answer(200, body([1, 2]), link=link), answer(200, body([3])))
    assert await every(rest, Paging("link"), call, q="a b") == [1, 2, 3]
    assert b"GET /things?page=2&q=a%20b " in wire.requests[1][1]


async def test_a_link_in_the_body_a_cursor_and_an_offset(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    wire.say(
        "/things",
        answer(200, body({"d": {"items": [1]}, "next": "things?x=1"})),
        answer(200, body({"d": {"items": [2]}})),
    )
    assert await every(rest, Paging("next", items="d.items"), call) == [1, 2]
    wire.say(
        "/things",
        answer(200, body({"items": [1], "meta": {"after": "c/1"}})),
        answer(200, body({"items": [2], "meta": {"after": ""}})),
    )
    assert await every(rest, Paging("cursor", items="items", follow="meta.after", parameter="after"), call, q="x") == [
        1,
        2,
    ]
    assert b"GET /things?q=x&after=c%2F1 " in wire.requests[-1][1]
    wire.say("/things", answer(200, body([1, 2])), answer(200, body([3])), answer(200, body([])))
    assert await every(rest, Paging("offset", parameter="skip"), call) == [1, 2, 3]
    assert b"GET /things?skip=3 " in wire.requests[-1][1]


async def test_a_list_that_is_not_read_to_its_end_is_an_error(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    for said, paging, kind, code in (
        (answer(200, body([1]), link='<http://127.0.0.1:1/x>; rel="next"'), Paging("link"), Failed, "FOREIGN_LINK"),
        (answer(200, body([1]), link='</things>; rel="next"'), Paging("link"), Failed, "BAD_RESPONSE"),
        (answer(200, body({"items": [1], "next": "same"})), Paging("cursor", items="items"), Failed, "BAD_RESPONSE"),
        (answer(200, body([1])), Paging("offset", most=3), Rejected, "TOO_MANY_PAGES"),
        (answer(200, body({"other": []})), Paging("next", items="items"), Failed, "BAD_RESPONSE"),
        (answer(200, b"<html>"), Paging("next", items="items"), Failed, "BAD_RESPONSE"),
    ):
        wire.say("/things", said)
        with pytest.raises(kind, match=code):
            await every(rest, paging, call)


# -- forms -----------------------------------------------------------------------------------------------------------


async def test_a_form_names_what_is_nested_in_brackets(
    rest: RestClient, wire: Any, answer: Callable[..., bytes], call: Call
) -> None:
    wire.say("/charges", answer(200, b"{}"))
    form = {
        "amount": 0,
        "live": True,
        "none": None,
        "unset": "",
        "metadata": {"saga": "a&b=c"},
        "items": [{"price": "P"}],
    }
    await rest.request("POST", "/charges", call=call, form=form)
    (sent,) = wire.asked("/charges")
    assert sent.endswith(b"\r\n\r\namount=0&live=true&unset=&metadata%5Bsaga%5D=a%26b%3Dc&items%5B0%5D%5Bprice%5D=P")
    assert b"content-type: application/x-www-form-urlencoded" in sent.lower()
    for name in ("", "a[b]"):
        with pytest.raises(ValueError):
            await rest.request("POST", "/charges", call=call, form={name: 1})
