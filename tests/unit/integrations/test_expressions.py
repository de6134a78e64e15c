"""What an expression names, and what a path or a text makes of values that strangers chose."""

from __future__ import annotations

import pytest

from consumers.integrations.expressions import (
    MappingError,
    PathTemplate,
    TextTemplate,
    Value,
    compiled,
    names_of,
    value_of,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", {"a"}),
        ("a.b[?c == `1`].d | [0]", {"a"}),
        ("join('-', [a, b.c])", {"a", "b"}),
        ("{x: a, y: not_null(b, 'z')}", {"a", "b"}),
        ("sort_by(a, &b)[0].c", {"a"}),
        ("@.a", {"a"}),
        ("a || b && !c", {"a", "b", "c"}),
        ("a[].b", {"a"}),
        ("*.a", set()),
        ("'a'", set()),
        ('`{"a": 1}`', set()),
        ("a == 'x'", {"a"}),
        ("a[1:2]", {"a"}),
    ],
)
def test_what_an_expression_names(text: str, names: set[str]) -> None:
    assert names_of(compiled(text)) == names


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("V-1", "/v/V-1/x"),
        ("a/b", "/v/a%2Fb/x"),
        ("../secret", "/v/..%2Fsecret/x"),
        ("ä?#&= %", "/v/%C3%A4%3F%23%26%3D%20%25/x"),
        (7, "/v/7/x"),
    ],
)
def test_a_value_in_a_path_stays_in_its_part(value: object, path: str) -> None:
    assert PathTemplate.of("/v/{id}/x").evaluate({"id": value}) == path


@pytest.mark.parametrize("value", [None, "", ".", "..", True, ["a"], {"a": 1}, 1.5])
def test_a_path_that_would_name_another_thing_is_refused(value: object) -> None:
    with pytest.raises(MappingError) as raised:
        PathTemplate.of("/v/{id}").evaluate({"id": value})
    assert str(raised.value).startswith("id: ")


def test_a_text_takes_values_as_they_are() -> None:
    template = TextTemplate.of("Dear {name}, {{this}} stays. {url}")
    assert template.evaluate({"name": "{0} {url} %s", "url": "x"}) == "Dear {0} {url} %s, {this} stays. x"
    with pytest.raises(MappingError, match="{name}: gives no text"):
        template.evaluate({"url": "x"})


@pytest.mark.parametrize("text", ["{name.__class__}", "{name!r}", "{name:>10}", "{}", "{0}", "{name", "}", "{a[b]}"])
def test_a_text_has_only_names_in_braces(text: str) -> None:
    with pytest.raises(ValueError):
        TextTemplate.of(text)


def test_what_is_null_is_left_out_or_sent() -> None:
    tree = Value.of({"a": "x", "b": {"c": "y", "d": 1, "e": True}, "f": ["x", "y"]})
    assert tree.evaluate({"y": "z"}, nulls=False) == {"b": {"c": "z", "d": 1, "e": True}, "f": ["z"]}
    assert tree.evaluate({"y": "z"}, nulls=True) == {"a": None, "b": {"c": "z", "d": 1, "e": True}, "f": [None, "z"]}


def test_a_function_on_a_wrong_type_is_a_mapping_error_without_the_value() -> None:
    with pytest.raises(MappingError) as raised:
        Value.of("length(a)").evaluate({"a": 4711}, nulls=False)
    assert "length(a)" in str(raised.value)
    assert "4711" not in str(raised.value)


def test_an_expression_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError):
        compiled("[" * 1500 + "a" + "]" * 1500)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("split(a, '/')[-1]", "V-7"),
        ("replace(b, '-', '')", "20260131"),
        ("upper(split(a, '/')[0])", "HTTPS:"),
        ('lower(`"ÄB"`)', "äb"),
        # The example of RFC 9562, appendix A.4.
        ("uuid5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        # SHA-256 of "abc" (FIPS 180-4) in the alphabet of RFC 4648 §6.
        ("digest('abc', `12`)", "XJ4BNP4PAHH6"),
    ],
)
def test_the_functions_for_texts(text: str, value: str) -> None:
    assert value_of(compiled(text), {"a": "https://x/V-7", "b": "2026-01-31"}) == value


@pytest.mark.parametrize(
    "text",
    ["split(a, '')", "split(c, '/')", "upper(missing)", "uuid5(a, 'x')", "digest(a, `9`)", "digest(a, `51`)"],
)
def test_a_function_that_has_no_text_gives_no_value(text: str) -> None:
    with pytest.raises(MappingError):
        value_of(compiled(text), {"a": "x", "c": 7})


def test_a_list_is_filtered_by_a_value_from_outside_of_it() -> None:
    items = [{"id": 1, "notes": {"manager": "S:a"}}, {"id": 2, "notes": None}, {"id": 3}, "x", {"id": 4, "notes": []}]
    context = {"answer": items, "saga_id": "S", "step": "a"}
    assert value_of(compiled("where(answer, 'notes.manager', join(':', [saga_id, step]))[0].id"), context) == 1
    assert value_of(compiled("where(answer, 'notes.manager', missing)"), context) == []
    assert names_of(compiled("where(answer.rows, 'a', step)")) == {"answer", "step"}
    with pytest.raises(MappingError):
        value_of(compiled("where(missing, 'a', step)"), context)
