"""The contracts themselves: models that follow their `.avsc` files, ids for ever, and changes that old sagas survive."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas import generate
from schemas.catalogue import history, load
from schemas.compatibility import check, compatible
from schemas.errors import UnknownRecord
from schemas.models import BY_NAME, Request
from schemas.registry import FixedIds, compatibility_level

HERE = Path(schemas.__path__[0])
IDS: Mapping[str, Mapping[str, int]] = json.loads((HERE / "ids.json").read_text())

Change = Callable[[dict[str, Any]], None]


def add(**field: Any) -> Change:
    return lambda schema: schema["fields"].append({"doc": "new", **field})


def remove(name: str) -> Change:
    return lambda schema: schema["fields"].remove(next(f for f in schema["fields"] if f["name"] == name))


def retype(name: str, kind: Any) -> Change:
    return lambda schema: next(f for f in schema["fields"] if f["name"] == name).update(type=kind)


def symbols(field: str, *names: str) -> Change:
    return lambda schema: next(f for f in schema["fields"] if f["name"] == field)["type"].update(symbols=list(names))


def changed(name: str, change: Change) -> dict[str, Any]:
    schema = deepcopy(dict(load()[name]))
    change(schema)
    return schema


def problems(name: str, change: Change) -> list[str]:
    """What the check says where the change has been released as version 2, over version 1."""
    new = changed(name, change)
    found = check({name: new}, {name: {1: load()[name], 2: new}})
    assert {problem.version for problem in found} <= {1}
    return [problem.message for problem in found]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], capture_output=True, text=True, cwd=HERE.parent, check=False
    )


# -- the models ------------------------------------------------------------------------------------------------------


def test_the_models_are_what_the_generator_makes() -> None:
    checked = python("schemas.generate", "--check")
    assert (checked.returncode, checked.stdout.strip()) == (0, "")


def test_every_contract_has_its_model_and_no_model_is_without() -> None:
    assert set(BY_NAME) == set(load())
    for name, model in BY_NAME.items():
        schema = load()[name]
        assert (model.contract.name, model.contract.kind) == (name, schema["kind"])
        assert list(model.model_fields) == [field["name"] for field in schema["fields"]]
        assert issubclass(model, Request) == (schema["kind"] == "request")


def test_every_command_says_what_answers_it_and_how_to_resolve_its_doubt() -> None:
    for model in BY_NAME.values():
        if model.contract.kind == "command":
            assert model.contract.completion is not None
            assert model.contract.completion.contract.system == model.contract.system
            assert load()[model.contract.name]["effect"] == model.contract.effect
            assert set(model.contract.errors.values()) <= {"rejected", "failed", "unknown"}


@pytest.mark.parametrize("kind", [["string", "int"], ["null", "string", "int"]])
def test_a_union_that_is_no_python_type_stops_the_generator(kind: Any) -> None:
    schema = {"type": "record", "name": "X", "namespace": "n", "fields": [{"name": "f", "doc": "d", "type": kind}]}
    with pytest.raises(ValueError, match="f: a union"):
        list(generate._definitions(schema, {}))


def test_two_types_of_one_python_name_stop_the_generator() -> None:
    enum = {"type": "enum", "name": "VendorType", "symbols": ["A"]}
    schema = {"type": "record", "name": "X", "namespace": "n", "fields": [{"name": "f", "doc": "d", "type": enum}]}
    with pytest.raises(ValueError, match="VendorType"):
        list(generate._definitions(schema, {"saga.vendor.VendorType": "VendorType"}))


# -- the ids ---------------------------------------------------------------------------------------------------------


def test_no_id_is_given_twice() -> None:
    given = Counter(number for versions in IDS.values() for number in versions.values())
    assert [number for number, times in given.items() if times > 1] == []


def test_every_released_version_has_an_id_and_newer_ones_have_higher_ids() -> None:
    assert {name: sorted(map(int, versions)) for name, versions in IDS.items()} == {
        name: sorted(versions) for name, versions in history().items()
    }
    for versions in IDS.values():
        ordered = [versions[v] for v in sorted(versions, key=int)]
        assert ordered == sorted(ordered)


def test_the_ids_that_were_given_stay() -> None:
    # Messages with these ids lie in topics. Add lines here; never change one.
    first = {"saga.invoice.ProcessInvoiceRequested": 1, "saga.vendor.VendorOnboardingRequested": 2}
    assert {name: IDS[name]["1"] for name in first} == first
    assert max(number for versions in IDS.values() for number in versions.values()) >= 25


def test_a_record_without_an_id_says_what_to_run() -> None:
    with pytest.raises(UnknownRecord, match="--release"):
        FixedIds().id_of("saga.made_up.Nothing")


def test_a_release_gives_new_ids_and_leaves_old_ones_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "saga.erp.VendorCreated"
    (tmp_path / "ids.json").write_text(json.dumps({name: {"1": 7}, "saga.gone.Gone": {"1": 40}}))
    monkeypatch.setattr(generate, "_ROOT", tmp_path)
    monkeypatch.setattr(generate, "load", lambda: {name: changed(name, add(name="x", type="string", default=""))})
    assert generate.release() == [f"{name} version 2, id 41"]
    assert json.loads((tmp_path / "ids.json").read_text()) == {name: {"1": 7, "2": 41}, "saga.gone.Gone": {"1": 40}}
    assert (tmp_path / "history" / name / "2.avsc").exists()


def test_versions_that_a_merge_left_without_an_id_are_found_and_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ids.json").write_text(json.dumps({"saga.a.A": {"1": 7}}))
    for name in ("saga.a.A", "saga.b.B"):
        (tmp_path / "history" / name).mkdir(parents=True)
        (tmp_path / "history" / name / "1.avsc").write_text("{}")
    monkeypatch.setattr(generate, "_ROOT", tmp_path)
    monkeypatch.setattr(generate, "load", dict)
    assert generate.main(["--check"]) == 1
    assert "saga.b.B version 1 has no id: --release" in capsys.readouterr().out
    assert generate.release() == ["saga.b.B version 1, id 8"]
    assert generate.unnumbered(json.loads((tmp_path / "ids.json").read_text())) == []


# -- compatibility ---------------------------------------------------------------------------------------------------


def test_the_committed_contracts_are_compatible_with_their_history() -> None:
    assert check() == []
    assert python("schemas.compatibility").returncode == 0


def test_requests_look_back_and_everything_else_looks_both_ways() -> None:
    levels = {kind: compatibility_level(kind) for kind in ("request", "command", "completion", "engine")}
    assert levels.pop("request") == "BACKWARD_TRANSITIVE"
    assert set(levels.values()) == {"FULL_TRANSITIVE"}


REQUEST, COMMAND, COMPLETION = (
    "saga.vendor.VendorOnboardingRequested",
    "saga.erp.CreateVendor",
    "saga.erp.VendorCreated",
)
OPTIONAL = {"name": "language", "type": ["null", "string"], "default": None}


@pytest.mark.parametrize("name", [REQUEST, COMMAND, COMPLETION])
def test_a_new_field_with_a_default_is_compatible(name: str) -> None:
    assert problems(name, add(**OPTIONAL)) == []


@pytest.mark.parametrize("name", [REQUEST, COMMAND, COMPLETION])
def test_a_new_field_without_a_default_is_not(name: str) -> None:
    (message,) = problems(name, add(name="language", type="string"))
    assert message.startswith("cannot read version 1")
    assert "language" in message


@pytest.mark.parametrize("name", [REQUEST, COMMAND])
def test_another_type_is_not(name: str) -> None:
    assert any("cannot read version 1" in message for message in problems(name, retype("vendor_name", "int")))


def test_a_request_may_lose_a_field_and_a_command_may_not() -> None:
    assert problems(REQUEST, remove("primary_contact_name")) == []
    (message,) = problems(COMMAND, remove("vendor_name"))
    assert message.startswith("version 1 cannot read it")


def test_a_request_may_learn_a_symbol_and_a_command_may_not() -> None:
    terms = ("NET_15", "NET_30", "NET_45", "NET_60", "NET_90")
    assert problems(REQUEST, symbols("payment_terms", *terms)) == []
    (message,) = problems(COMMAND, symbols("payment_terms", *terms))
    assert "NET_90" in message


@pytest.mark.parametrize("name", [REQUEST, COMMAND])
def test_no_contract_may_lose_a_symbol(name: str) -> None:
    assert problems(name, symbols("payment_terms", "NET_15")) != []


def test_a_field_may_become_nullable_in_a_request_only() -> None:
    assert problems(REQUEST, retype("category", ["null", "string"])) == []
    assert problems("saga.suppliers.ApproveSupplier", retype("category", ["null", "string"])) != []


def test_compatible_with_the_last_version_is_not_enough() -> None:
    """TRANSITIVE: version 2 gave the field a default that version 3 relies on, and version 1 lacks the field."""
    first = changed(COMMAND, remove("vendor_name"))
    second = changed(COMMAND, lambda s: s["fields"][0].update(default="?"))
    third = dict(load()[COMMAND])
    assert compatible(third, second) == []
    found = check({COMMAND: third}, {COMMAND: {1: first, 2: second, 3: third}})
    assert [problem.version for problem in found] == [1]


def test_a_released_contract_that_is_gone_or_changed_in_silence_is_a_problem() -> None:
    gone = check({}, {COMMAND: {1: load()[COMMAND]}})
    silent = check({COMMAND: changed(COMMAND, add(**OPTIONAL))}, {COMMAND: {1: load()[COMMAND]}})
    unreleased = check({COMMAND: load()[COMMAND]}, {})
    assert [(p.version, p.message[:20]) for p in gone] == [(None, "was released and is ")]
    assert ["--release" in p.message for p in (*silent, *unreleased)] == [True, True]
    assert unreleased[0].as_json() == {"record": COMMAND, "version": None, "message": unreleased[0].message}
