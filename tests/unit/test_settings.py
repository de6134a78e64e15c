"""Settings from the environment: Kafka's own names, files, and a wrong one that names itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from orchestrator.settings import BadSettings, Settings, load, load_attribute

Env = Callable[..., None]


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Env:
    """Sets variables; nothing of ours is set before."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("SAGA_"):
            monkeypatch.delenv(name)

    def set_(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_


def test_defaults_need_no_environment(env: Env) -> None:
    settings = load()
    assert settings.kafka_settings() == {"bootstrap.servers": "127.0.0.1:9092"}
    assert settings.effects_url == settings.database_url
    assert (settings.catalogue, settings.systems) == ("sagas.catalogue:CATALOGUE", "consumers.catalogue:SYSTEMS")


# -- Kafka -----------------------------------------------------------------------------------------------------------


def test_every_setting_of_librdkafka_has_a_variable(env: Env) -> None:
    env(
        SAGA_KAFKA_BOOTSTRAP_SERVERS="b1:9092,b2:9092",
        SAGA_KAFKA__SECURITY__PROTOCOL="SASL_SSL",
        SAGA_KAFKA__SASL__MECHANISM="SCRAM-SHA-512",
        SAGA_KAFKA__SASL__USERNAME="saga",
        SAGA_KAFKA__SASL__PASSWORD="p=ä, #1",
        SAGA_KAFKA__SSL__CA__LOCATION="/etc/ca.pem",
        SAGA_KAFKA__ENABLE__SSL__CERTIFICATE__VERIFICATION="true",
        SAGA_KAFKA__LOG_LEVEL="3",
    )
    assert load().kafka_settings() == {
        "bootstrap.servers": "b1:9092,b2:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "saga",
        "sasl.password": "p=ä, #1",
        "ssl.ca.location": "/etc/ca.pem",
        "enable.ssl.certificate.verification": "true",
        "log_level": "3",
    }


@pytest.mark.parametrize(
    "password", ["12345678901234567890", "1e5", "1.50", "true", "null", '"quoted"', "[1]", '{"a": 1}', "0012"]
)
def test_a_password_that_looks_like_something_else_stays_as_it_is(password: str, env: Env) -> None:
    env(SAGA_KAFKA__SASL__PASSWORD=password)
    assert load().kafka_settings()["sasl.password"] == password


def test_librdkafka_takes_what_comes_out(env: Env) -> None:
    from confluent_kafka import Producer

    env(SAGA_KAFKA__LINGER__MS="7", SAGA_KAFKA__ENABLE__IDEMPOTENCE="true", SAGA_KAFKA__LOG_LEVEL="0")
    assert Producer(load().kafka_settings()).flush(0) >= 0


def test_json_gives_several_settings_at_once(env: Env) -> None:
    env(SAGA_KAFKA='{"linger": {"ms": 5}, "sasl": {"username": "a"}}', SAGA_KAFKA__SASL__PASSWORD="b")
    assert load().kafka_settings() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "linger.ms": 5,
        "sasl.username": "a",
        "sasl.password": "b",
    }


def test_a_properties_file_is_read_and_variables_go_before_it(env: Env, tmp_path: Path) -> None:
    file = tmp_path / "kafka.properties"
    file.write_text(
        "# comment\n\n  security.protocol = SSL\nsasl.jaas.config=a=b==\nempty=\nssl.ca.location=/of/the/file\n",
        encoding="utf-8",
    )
    env(SAGA_KAFKA_FILE=str(file), SAGA_KAFKA__SSL__CA__LOCATION="/of/the/variable")
    assert load().kafka_settings() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SSL",
        "sasl.jaas.config": "a=b==",
        "empty": "",
        "ssl.ca.location": "/of/the/variable",
    }


def test_a_properties_file_that_cannot_be_read_names_its_variable(env: Env, tmp_path: Path) -> None:
    env(SAGA_KAFKA_FILE=str(tmp_path / "none.properties"))
    with pytest.raises(BadSettings, match=r"SAGA_KAFKA_FILE: .*none\.properties"):
        load().kafka_settings()
    file = tmp_path / "kafka.properties"
    file.write_bytes(b"a=1\nno separator\n")
    env(SAGA_KAFKA_FILE=str(file))
    with pytest.raises(BadSettings, match=r"SAGA_KAFKA_FILE: .*kafka\.properties, line 2: no '='"):
        load().kafka_settings()
    file.write_bytes(b"a=\xff")
    with pytest.raises(BadSettings, match="SAGA_KAFKA_FILE"):
        load().kafka_settings()


# -- the rest --------------------------------------------------------------------------------------------------------


def test_urls_of_systems_have_a_variable_each(env: Env) -> None:
    env(SAGA_SYSTEM_URLS__ERP="https://erp.example/api", SAGA_SYSTEM_URLS__MAIL="smtp://mail.example")
    assert load().system_urls == {"erp": "https://erp.example/api", "mail": "smtp://mail.example"}


def test_the_url_of_a_system_is_ours_or_its_files_for_the_environment(env: Env) -> None:
    urls = {"production": "https://erp.example", "sandbox": "https://sandbox.erp.example"}
    assert load().url_of("erp", "https://one.example") == "https://one.example"
    with pytest.raises(BadSettings, match="SAGA_SYSTEM_URLS__ERP is not set.*none of production, sandbox"):
        load().url_of("erp", urls)
    env(SAGA_ENVIRONMENT="sandbox")
    assert load().url_of("erp", urls) == "https://sandbox.erp.example"
    env(SAGA_SYSTEM_URLS__ERP="https://here.example")
    assert load().url_of("erp", urls) == "https://here.example"


def test_folders_of_systems_are_separated_as_paths_are(env: Env) -> None:
    assert load().system_folders == []
    env(SAGA_SYSTEM_FOLDERS=f"/a{os.pathsep}/b c")
    assert [str(folder) for folder in load().system_folders] == ["/a", "/b c"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_way_to_write_a_postgresql_url_means_our_driver(scheme: str, env: Env) -> None:
    env(SAGA_DATABASE_URL=f"{scheme}://u:p@db/saga", SAGA_EFFECTS_DATABASE_URL=f"{scheme}://u:p@db/effects")
    settings = load()
    assert settings.database_url == "postgresql+psycopg://u:p@db/saga"
    assert settings.effects_url == "postgresql+psycopg://u:p@db/effects"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SAGA_BATCH_SIZE", "many"),
        ("SAGA_BATCH_SIZE", "0"),
        ("SAGA_BATCH_SIZE", "10001"),
        ("SAGA_MAX_MESSAGE_BYTES", "10"),
        ("SAGA_TIMER_SECONDS", "0"),
        ("SAGA_TIMER_SECONDS", "nan"),
        ("SAGA_HOLD_SECONDS", "-1"),
        ("SAGA_PARTITIONS", "1.5"),
        ("SAGA_DATABASE_URL", "mysql://db/saga"),
        ("SAGA_EFFECTS_DATABASE_URL", "saga"),
        ("SAGA_KAFKA", "security.protocol=SSL"),
        ("SAGA_KAFKA", "[1]"),
        ("SAGA_SYSTEM_URLS", "http://erp"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str, env: Env) -> None:
    env(**{variable: value})
    with pytest.raises(BadSettings, match=rf"^{variable}: "):
        load()


def test_all_wrong_values_are_named_at_once(env: Env) -> None:
    env(SAGA_BATCH_SIZE="0", SAGA_PARTITIONS="0")
    with pytest.raises(BadSettings, match=r"SAGA_BATCH_SIZE: .*; SAGA_PARTITIONS: "):
        load()


def test_a_wrong_url_does_not_tell_its_password(env: Env) -> None:
    env(SAGA_DATABASE_URL="mysql://u:secret@db/saga")
    with pytest.raises(BadSettings) as raised:
        load()
    assert "secret" not in str(raised.value)


def test_what_is_given_in_code_goes_before_the_environment(env: Env) -> None:
    env(SAGA_BATCH_SIZE="7", SAGA_KAFKA__LINGER__MS="7")
    assert load(batch_size=9).batch_size == 9
    settings = Settings(kafka={"fetch": {"wait": {"max": {"ms": 20}}}})
    assert settings.kafka_settings()["fetch.wait.max.ms"] == 20
    with pytest.raises(ValidationError):
        Settings(batch_size=0)


# -- module:attribute ------------------------------------------------------------------------------------------------


def test_a_module_and_attribute_name_an_object() -> None:
    assert load_attribute("SAGA_X", "json:dumps") is __import__("json").dumps


@pytest.mark.parametrize("path", ["", "json", "json:", ":dumps", "json.dumps"])
def test_another_form_is_named_with_its_setting(path: str) -> None:
    with pytest.raises(BadSettings, match="SAGA_CATALOGUE: .* is not of the form module:attribute"):
        load_attribute("SAGA_CATALOGUE", path)


@pytest.mark.parametrize("path", ["no_such_module:x", "json:no_such", "..x:y", ".json:dumps", "json:dumps:x", "a b:c"])
def test_what_names_nothing_is_named_with_its_setting(path: str) -> None:
    with pytest.raises(BadSettings, match="SAGA_CATALOGUE: "):
        load_attribute("SAGA_CATALOGUE", path)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import no_such_thing", "no_such_thing"),
        ("def f(:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("from orchestrator.core.definition import Saga\nSaga()", "TypeError"),
    ],
)
def test_a_module_that_fails_while_it_loads_is_named_with_its_setting(
    text: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_catalogue.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "broken_catalogue", raising=False)
    with pytest.raises(BadSettings, match=rf"SAGA_CATALOGUE: 'broken_catalogue:X': .*{error}"):
        load_attribute("SAGA_CATALOGUE", "broken_catalogue:X")


def test_a_rate_is_a_number_or_names_its_variable(env: Env) -> None:
    assert load().rate_of("erp") is None
    env(SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__RATE="2.5")
    assert load().rate_of("supplier-list") == 2.5
    for wrong in ("0", "-1", "nan", "inf", "fast", "1e-9"):
        env(SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__RATE=wrong)
        with pytest.raises(BadSettings, match="SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__RATE is '"):
            load().rate_of("supplier-list")


def test_a_systems_mode_is_one_and_that_of_an_action_goes_before_it(env: Callable[..., None]) -> None:
    assert load().mode_of("erp", "create_vendor") is None
    env(
        SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__MODE="shadow", SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__MODE_APPROVE="canary 5 %"
    )
    assert str(load().mode_of("supplier-list", "approve")) == "canary 5 %"
    assert str(load().mode_of("supplier-list", "revoke")) == "shadow"
    env(SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__MODE_APPROVE="half")
    with pytest.raises(BadSettings, match="SAGA_SYSTEM_OPTIONS__SUPPLIER_LIST__MODE_APPROVE: 'half' is no mode"):
        load().mode_of("supplier-list", "approve")
