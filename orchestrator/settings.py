"""Settings: `SAGA_`-prefixed environment variables. A wrong one names itself, and nothing starts."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from orchestrator.core.mode import Mode

__all__ = ["BadSettings", "Settings", "load", "load_attribute"]


class BadSettings(Exception):
    """A setting is missing or wrong; the message names the environment variable."""


class _Environment(EnvSettingsSource):
    """Text stays text: pydantic-settings would make a number of a password such as 1e5."""

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: Any) -> Any:
        """JSON for a whole setting. `field` is None for one entry of it, which is left as it is."""
        if field is None:
            msg = f"{field_name} is no JSON"
            raise ValueError(msg)
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError as exc:
            msg = f"SAGA_{field_name.upper()}: not JSON: {exc}"
            raise ValueError(msg) from exc


class Settings(BaseSettings):
    """All settings of all processes. Times are seconds, sizes are bytes.

    Every setting of librdkafka can be given: `SAGA_KAFKA__SECURITY__PROTOCOL` is `security.protocol`; or a file of
    `name=value` lines by `SAGA_KAFKA_FILE`.
    """

    model_config = SettingsConfigDict(
        env_prefix="SAGA_", env_nested_delimiter="__", env_ignore_empty=True, extra="ignore"
    )

    kafka_bootstrap_servers: str = "127.0.0.1:9092"
    kafka: dict[str, Any] = Field(default_factory=dict)
    kafka_file: Path | None = None
    database_url: str = "postgresql+psycopg://127.0.0.1:5432/saga"
    effects_database_url: str | None = None
    schema_registry_url: str | None = None
    schema_registry: dict[str, Any] = Field(default_factory=dict)
    catalogue: str = "sagas.catalogue:CATALOGUE"
    systems: str = "consumers.catalogue:SYSTEMS"
    environment: str | None = None
    system_folders: Annotated[list[Path], NoDecode] = Field(default_factory=list)
    ready_systems: Annotated[list[str], NoDecode] = Field(default_factory=list)
    system_urls: dict[str, str] = Field(default_factory=dict)
    system_options: dict[str, dict[str, str]] = Field(default_factory=dict)
    sandbox: str = "consumers.sandbox"
    demo: str = "sagas.data"

    batch_size: int = Field(default=100, ge=1, le=10_000)
    max_message_bytes: int = Field(default=900_000, ge=20_000)
    hold_seconds: float = Field(default=300.0, ge=0)
    control_hold_seconds: float = Field(default=60.0, ge=0)
    consumers: str = "consumers.bootstrap"
    simulation: str = "consumers.testing:Simulated"

    partitions: int = Field(default=4, ge=1)
    replication: int = Field(default=1, ge=1)
    extend_deadlines: bool = True
    timer_seconds: float = Field(default=0.2, gt=0)
    lease_margin: float = Field(default=2.0, gt=0)
    group_prefix: str = ""
    poison_limit: int = Field(default=1000, ge=1)
    replay_limit: int = Field(default=5, ge=1)
    retired_topics: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    redaction_key: SecretStr | None = None
    health_address: str | None = None
    log_level: str = "INFO"
    log_format: str = "console"

    @field_validator("database_url", "effects_database_url")
    @classmethod
    def _one_driver(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
            msg = "must begin with postgresql://"
            raise ValueError(msg)
        return f"postgresql+psycopg://{rest}"

    def url_of(self, system: str, known: str | Mapping[str, str] | None = None) -> str:
        """The base URL of a system.

        Args:
            system: its name.
            known: what its integration file says: one URL, or one for each environment.

        Raises:
            BadSettings: there is none.

        """
        ours = known.get(self.environment or "") if isinstance(known, Mapping) else known
        url = self.system_urls.get(_variable(system)) or ours
        if url is None:
            others = ", ".join(sorted(known)) if isinstance(known, Mapping) else ""
            other = f", and SAGA_ENVIRONMENT is none of {others}" if others else ""
            msg = f"SAGA_SYSTEM_URLS__{_variable(system).upper()} is not set: the base URL of system {system!r}{other}"
            raise BadSettings(msg)
        return url

    def options_of(self, system: str) -> dict[str, str]:
        """What `SAGA_SYSTEM_OPTIONS__<SYSTEM>__<NAME>` say of a system; names are in lower case."""
        return self.system_options.get(_variable(system), {})

    def rate_of(self, system: str) -> float | None:
        """The option `rate` of a system: calls a second of all its workers together; None for no limit.

        Raises:
            BadSettings: it is no such number.

        """
        text = self.options_of(system).get("rate")
        if text is None:
            return None
        try:
            rate = float(text)
        except ValueError:
            rate = 0.0
        if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
            name = f"SAGA_SYSTEM_OPTIONS__{_variable(system).upper()}__RATE"
            msg = f"{name} is {text!r}: calls a second, from {_LOWEST_RATE:g} to {_HIGHEST_RATE:g}"
            raise BadSettings(msg)
        return rate

    def mode_of(self, system: str, action: str) -> Mode | None:
        """The options `mode_<action>` or else `mode` of a system: what goes before its file; None where it is not set.

        Raises:
            BadSettings: it is no mode.

        """
        options = self.options_of(system)
        name = f"mode_{_variable(action)}"
        name = name if name in options else "mode"
        if name not in options:
            return None
        try:
            return Mode.of(options[name])
        except ValueError as exc:
            msg = f"SAGA_SYSTEM_OPTIONS__{_variable(system).upper()}__{name.upper()}: {exc}"
            raise BadSettings(msg) from exc

    @field_validator("system_urls", "system_options")
    @classmethod
    def _by_variable(cls, found: dict[str, Any]) -> dict[str, Any]:
        return {_variable(name): value for name, value in found.items()}

    @field_validator("system_folders", mode="before")
    @classmethod
    def _folders(cls, text: Any) -> Any:
        return [part for part in text.split(os.pathsep) if part] if isinstance(text, str) else text

    @field_validator("ready_systems", mode="before")
    @classmethod
    def _listed(cls, text: Any) -> Any:
        return [name for part in text.split(",") if (name := part.strip())] if isinstance(text, str) else text

    @field_validator("retired_topics", mode="before")
    @classmethod
    def _pairs(cls, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        pairs = [pair.partition("=") for part in text.split(",") if (pair := part.strip())]
        if not all(old.strip() and new.strip() for old, _, new in pairs):
            msg = "must be old.topic=new.topic, separated by commas"
            raise ValueError(msg)
        return {old.strip(): new.strip() for old, _, new in pairs}

    @field_validator("health_address")
    @classmethod
    def _host_and_port(cls, address: str | None) -> str | None:
        if address is not None:
            host, _, port = address.rpartition(":")
            if not host or not port.isdecimal() or int(port) > _HIGHEST_PORT:
                msg = "must be host:port, 0.0.0.0:8080 for one"
                raise ValueError(msg)
        return address

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, _Environment(settings_cls)

    @property
    def effects_url(self) -> str:
        """Where the consumers keep their effect table."""
        return self.effects_database_url or self.database_url

    def registry_settings(self) -> dict[str, Any]:
        """All settings for the registry's client, flat, with its own names: `basic.auth.user.info` for one."""
        return _flat(self.schema_registry)

    def kafka_settings(self) -> dict[str, Any]:
        """All settings for librdkafka, flat, with its own names.

        Raises:
            BadSettings: the file cannot be read, or one of its lines has no `=`.

        """
        found: dict[str, Any] = {"bootstrap.servers": self.kafka_bootstrap_servers}
        found.update(_read_properties(self.kafka_file) if self.kafka_file else {})
        found.update(_flat(self.kafka))
        return found


_HIGHEST_PORT = 65535
# Beyond these the database's microseconds and intervals do not reach; no system means them.
_LOWEST_RATE, _HIGHEST_RATE = 1e-4, 1e5


def _variable(system: str) -> str:
    """A system's name as an environment variable can hold it."""
    return system.lower().replace("-", "_")


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in nested.items():
        key = f"{prefix}{name.lower()}"
        if isinstance(value, dict):
            found.update(_flat(value, f"{key}."))
        else:
            found[key] = value
    return found


def _read_properties(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"SAGA_KAFKA_FILE: {path}: {exc}"
        raise BadSettings(msg) from exc
    found = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            msg = f"SAGA_KAFKA_FILE: {path}, line {number}: no '='"
            raise BadSettings(msg)
        found[name.strip()] = value.strip()
    return found


def load(**overrides: Any) -> Settings:
    """Read the environment.

    Raises:
        BadSettings: naming each variable that is wrong.

    """
    try:
        return Settings(**overrides)
    except ValidationError as exc:
        lines = [f"SAGA_{'__'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in exc.errors()]
        raise BadSettings("; ".join(lines)) from exc
    except ValueError as exc:  # pydantic-settings: a nested value that is not JSON; the cause is ours
        raise BadSettings(str(exc.__cause__ or exc)) from exc


def load_attribute(setting: str, path: str) -> Any:
    """The object that a `module:attribute` setting names.

    Raises:
        BadSettings: naming the setting, when it has another form or names nothing.

    """
    module, separator, attribute = path.partition(":")
    if not separator or not module or not attribute:
        msg = f"{setting}: {path!r} is not of the form module:attribute"
        raise BadSettings(msg)
    try:
        return getattr(importlib.import_module(module), attribute)
    except Exception as exc:  # its module is a user's code, and may raise anything while it loads
        msg = f"{setting}: {path!r}: {type(exc).__name__}: {exc}"
        raise BadSettings(msg) from exc
