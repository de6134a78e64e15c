"""Every mistake of an integration file is shown at its line, and all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.integrations.build import Integration
from consumers.integrations.load import BadIntegration, read, read_all
from consumers.limit import Limit

Told = Callable[[str], list[str]]


def test_the_file_as_it_is(parsed: Callable[..., object], shop: str) -> None:
    parsed(shop)


# (what is replaced, by what, what is said; $N is the line of the replacement)
MISTAKES = [
    ("tier: api", "tier: cloud", "tier: input should be 'api', 'legacy', 'files' or 'warehouse'"),
    ("tier: api", "teir: api", "teir: is no field that is known here"),
    ("protocol: rest", "protocol: rest\nprotocol: form", "protocol: stands twice; first in line 4"),
    ("protocol: rest", "protocol: rest\nrate: 0", "rate: input should be greater than or equal to 0.0001"),
    ("protocol: rest", "protocol: rest\ntimeouts: {connect: -1}", "timeouts.connect: input should be greater than 0"),
    ("protocol: rest", "protocol: rest\nretries: {first: 2, maximum: 1}", "retries: retries in place out of range"),
    ("https://shop.example/api", "ftp://shop.example", "base_url: string should match pattern"),
    ("effect: queryable", "effect: &a queryable", None),
    ("effect: queryable", "effect: *a", "is no YAML: found undefined alias"),
    ("effect: queryable", "effect: !!python/name:os.system x", "actions.create_order.effect: has a tag"),
    ("effect: queryable", "effect: harmless", "actions.create_order.effect: input should be 'idempotent'"),
    ("compensation: cancel_order", "compensation: cancel", "actions.create_order.compensation: there is no action cancel"),
    ("compensation: cancel_order", "compensation: create_order", "compensation: is this very action"),
    ("SOLD_OUT: rejected", "sold out: rejected", "actions.create_order.errors.sold out"),
    ("SOLD_OUT: rejected", "SOLD_OUT: gone", "actions.create_order.errors.SOLD_OUT: input should be 'rejected'"),
    ("answer.order.id}", "'answer.order.'}", "actions.create_order.response.order_id: is no JMESPath expression"),
    ("answer.order.id}", "anwser.order.id}", "response.order_id: there is no anwser here"),
    ("answer.order.id}", "no_such(answer)}", "response.order_id: there is no function no_such()"),
    ("answer.order.id}", "'length(answer, answer)'}", "response.order_id: length() takes 1 arguments, not 2"),
    ("answer.order.id}", "answer.order.id, more: answer.x}", "response.more: is no field of the completion"),
    ("{order_id: answer.order.id}", "{}", "actions.create_order.response: does not say what order_id is"),
    ("answer.order.id}", "[answer]}", "response.order_id: should be an expression, a number or a boolean"),
    ("/articles/{article}/orders", "/articles/{artcle}/orders", "request.path: there is no artcle here"),
    ("/articles/{article}/orders", "/articles/{article", "request.path: has a brace without a partner"),
    ("/articles/{article}/orders", "/articles/{article}?x=1", "request.path: has a query or a space"),
    ("lines: [article", "lines: [articel", "request.body.lines.0: there is no articel here"),
    ("{order_id: item.id}", "{order_id: thing.id}", "probe.response.order_id: there is no thing here"),
    ("found: found", "found: order", "found: order is no boolean of ShopOrderCancelled"),
    ("found: found", "response: {}", "response: does not say what found is"),
    ("{method: DELETE,", "{method: GET, body: {a: order_id},", "request.body: a GET has none"),
    ("article: {description: What.", "agent: {description: What.", "parameters.agent: is a name that expressions"),
    ("type: decimal, precision: 8, scale: 2", "type: decimal", "parameters.amount: type decimal needs `precision`"),
    ("type: string, optional: true", "type: string, scale: 2", "`scale` is of no use with type string"),
    ("command: ShopCancelOrder", "command: ShopCreateOrder", "command: ShopCreateOrder is of another action as well"),
    ('request: {method: DELETE, path: "/orders/{order_id}"}', "compensation: create_order",
     "actions.cancel_order: needs `request` (protocol rest) or `handler`, and has neither"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[f"{new} -> {said}"[:60] for _, new, said in MISTAKES])
def test_a_mistake_is_told_with_its_line(
    old: str, new: str, said: str | None, told: Told, parsed: Callable[..., object], shop: str
) -> None:
    assert old in shop
    text = shop.replace(old, new, 1)
    if said is None:
        parsed(text)
        return
    lines = [line for line in told(text) if said in line]
    assert lines, told(text)
    number = int(lines[0].split(":")[1])
    # The line is that of the field itself, or of what should have it.
    wrong = text.splitlines()[number - 1]
    assert any(
        part in wrong for part in (new.splitlines()[-1].split(":")[0].strip("{ "), "cancel_order", "effect", old)
    )


def test_all_mistakes_are_told_at_once(told: Told, shop: str) -> None:
    text = (
        shop.replace("tier: api", "teir: api")
        .replace("answer.order.id}", "anwser.order.id}")
        .replace("effect: idempotent", "effect: often")
        .replace("compensation: cancel_order", "compensation: undo")
    )
    assert [line.split(": ", 2)[:2] for line in told(text)] == [
        ["shop.yaml:1", "tier"],
        ["shop.yaml:3", "teir"],
        ["shop.yaml:23", "actions.create_order.response.order_id"],
        ["shop.yaml:28", "actions.create_order.compensation"],
        ["shop.yaml:33", "actions.cancel_order.effect"],
    ]


def test_a_literal_secret_is_refused_and_not_repeated(told: Told, shop: str) -> None:
    auth = "auth: {type: api_key, header: X-Key, key: hunter2}\nactions:"
    (line,) = told(shop.replace("actions:", auth))
    assert line.startswith("shop.yaml:6: auth.key: is no reference to a secret")
    assert "hunter2" not in line


def test_words_that_other_yaml_makes_something_of_stay_words(parsed: Callable[..., object], shop: str) -> None:
    text = shop.replace("protocol: rest", "protocol: rest\napi_version: {value: 2024-06-20, header: X-Version}")
    text = text.replace(
        "article: {description: What., type: string}", "article: {description: no, type: enum, values: [NO, on]}"
    )
    spec = parsed(text)
    assert spec.api_version.value == "2024-06-20"  # type: ignore[attr-defined]
    assert spec.actions["create_order"].parameters["article"].values == ["NO", "on"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "shop.yaml:1: should be a set of fields"),
        (b"<html><body>sign in</body></html>", "shop.yaml:1: "),
        (b"name: [", "shop.yaml:1: is no YAML"),
        (b"a: 1\nb: \xff", "shop.yaml:2: is no UTF-8"),
        (b"a: \x00", "shop.yaml:1: is no YAML"),
        (b"[" * 5000, "is nested too deeply"),
        (b"#" * (1 << 21), "is larger than 1048576 bytes"),
        (b"a: &x [1]\nb: [*x, *x]\n", "b.0: is an alias"),
    ],
)
def test_what_is_no_integration_file(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(content)
    with pytest.raises(BadIntegration) as raised:
        read(path, name="shop.yaml")
    assert said in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadIntegration, match="cannot be read"):
        read(tmp_path / "none.yaml")


def test_two_files_of_one_system(tmp_path: Path, shop: str) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(shop)
    with pytest.raises(BadIntegration, match=r"b\.yaml:1: name: .*a\.yaml is system 'shop' already"):
        read_all([tmp_path / "a.yaml", tmp_path / "b.yaml"])


AUTH = "auth: {type: api_key, header: X-Key, key: env:SHOP_KEY, rate: 5}\n"


def test_systems_that_prove_themselves_by_the_same_secret_share_its_limit(shop: str, parsed: Any) -> None:
    one, other = parsed(shop + AUTH), parsed(shop.replace("name: shop", "name: store", 1) + AUTH + "rate: 2\n")
    limits = [Integration(spec)._limit() for spec in (one, other)]
    assert limits == [Limit("api_key env:SHOP_KEY", 5.0)] * 2
    assert Integration(parsed(shop))._limit() is None


def test_a_limit_of_zero_is_a_mistake(shop: str, told: Told) -> None:
    said = told(shop + AUTH.replace("5", "0") + "rate: 0\n")
    assert ["rate: input should be greater than or equal to 0.0001" in line for line in said] == [True] * 2
