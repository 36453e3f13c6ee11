"""Settings: built once at each entry point with `load_settings` and passed down, never global.

A value is taken from the first of: flag, environment, ``.env`` in the working folder,
``$HDI_HOME/stack.env`` (written by the embedded stack), job file, ``configs/system.yaml``,
default. Every setting has a variable, ``HDI_NAME`` or ``HDI_SECTION__NAME``, and with ``_FILE``
behind it one that names a file holding the value. Secrets are never read from YAML.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ingestor.errors import BadSettings, NotConfigured
from ingestor.redaction import redact
from ingestor.settings.forms import (
    ApiKey,
    Folder,
    GatewayUrl,
    LogLevel,
    PostgresUrl,
    RedisUrl,
    VaultUrl,
    default_home,
    shipped_config_dir,
)
from ingestor.settings.layers import (
    Given,
    Layer,
    from_dotenv,
    from_mapping,
    from_variables,
    from_yaml,
    merged,
    nested,
    variable,
)
from ingestor.settings.sections import (
    ApiSection,
    BrokerSection,
    BudgetSection,
    DatabaseSection,
    DatabentoSection,
    FlowerSection,
    LeaseSection,
    RetrySection,
    SchedulerSection,
    Section,
    StoreSection,
    VaultSection,
    WorkerSection,
    setting,
)
from ingestor.vocabulary import Role

SYSTEM_FILE = "system.yaml"
STACK_FILE = "stack.env"
_DECIDE_PLACES = frozenset({"home", "config_dir"})


class Settings(BaseSettings):
    """All settings of one process. Frozen; a bare ``Settings()`` holds defaults only."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: PostgresUrl | None = setting(
        None, "URL", "The database, with the login that owns it; the others fall back to it"
    )
    worker_database_url: PostgresUrl | None = setting(
        None, "URL", "The database with a worker's login: rows, no DDL"
    )
    reader_database_url: PostgresUrl | None = setting(
        None, "URL", "The database with a reader's login: SELECT only"
    )
    redis_url: RedisUrl | None = setting(None, "URL", "Redis, the queue of chunks")
    databento_api_key: ApiKey | None = setting(None, "text", "Key of the Databento account")
    databento_gateway: GatewayUrl | None = setting(
        None, "URL", "Another address for Databento's API; http on loopback only"
    )
    api_token: ApiKey | None = setting(
        None, "text", "What callers of the API must present; none is needed on loopback",
        min_length=16,
    )  # fmt: skip
    home: Folder = Field(
        default_factory=default_home,
        description="State of this host: vault, dead letters, the embedded stack",
        json_schema_extra={"unit": "folder", "default": "$XDG_STATE_HOME/hdi"},
    )
    config_dir: Folder = Field(
        default_factory=shipped_config_dir,
        description="Settings file, mappings, validation rules and sources",
        json_schema_extra={"unit": "folder", "default": "the one that came with HDI"},
    )
    vault_url: VaultUrl = Field(
        default_factory=lambda data: str(data["home"] / "vault"),
        description="Raw payloads: a folder, or a URL that fsspec understands",
        json_schema_extra={"unit": "folder or URL", "default": "$HDI_HOME/vault"},
    )
    dlq_dir: Folder = Field(
        default_factory=lambda data: data["home"] / "dlq",
        description="Dead letters as files an operator can open",
        json_schema_extra={"unit": "folder", "default": "$HDI_HOME/dlq"},
    )
    log_format: Literal["auto", "json", "console"] = setting(
        "auto", "json, console, auto", "Form of log lines on stderr; auto: console on a terminal"
    )
    log_file: Folder | None = setting(
        None, "file", "Log lines as JSON go here too; turned over at 10 MB, five old ones kept"
    )
    log_level: LogLevel = setting("INFO", "level", "Least level that is logged")
    database: DatabaseSection = DatabaseSection()
    store: StoreSection = StoreSection()
    vault: VaultSection = VaultSection()
    databento: DatabentoSection = DatabentoSection()
    budget: BudgetSection = BudgetSection()
    lease: LeaseSection = LeaseSection()
    worker: WorkerSection = WorkerSection()
    scheduler: SchedulerSection = SchedulerSection()
    retry: RetrySection = RetrySection()
    broker: BrokerSection = BrokerSection()
    flower: FlowerSection = FlowerSection()
    api: ApiSection = ApiSection()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Our layers read the environment: pydantic-settings' own sources tell neither where a
        # value was found nor that a variable was misspelt.
        return (init_settings,)

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each setting came from, by dotted name."""
        return {name: self._origins.get(name, "default") for name in SETTING_NAMES}

    def dsn(self, role: Role) -> str:
        """The database URL, password included, with the login of `role`.

        Raises:
            BadSettings: No URL is set for it.
        """
        special = {Role.WORKER: self.worker_database_url, Role.READER: self.reader_database_url}
        own = special.get(role)
        given = self.database_url if own is None else own
        if given is None:
            raise NotConfigured(
                "HDI_DATABASE_URL is not set", hint="set it, or start one with `hdi stack up`"
            )
        return given.get_secret_value()

    def redis_dsn(self) -> str:
        """The URL of Redis, password included.

        Raises:
            BadSettings: It is not set.
        """
        if self.redis_url is None:
            raise NotConfigured(
                "HDI_REDIS_URL is not set", hint="set it, or start one with `hdi stack up`"
            )
        return self.redis_url.get_secret_value()


def setting_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by dotted name, in the order of the reference page."""
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for inner, inner_field in kind.model_fields.items():
                yield f"{name}.{inner}", inner_field
        else:
            yield name, field


SETTING_NAMES: Sequence[str] = tuple(name for name, _ in setting_fields())
SECRETS = frozenset(
    {
        "database_url",
        "worker_database_url",
        "reader_database_url",
        "redis_url",
        "databento_api_key",
        "api_token",
    }
)


def _own_layers(flags: Mapping[str, Any] | None) -> list[Layer]:
    """The layers that may decide where the others are."""
    return [
        from_mapping(flags or {}, SETTING_NAMES, place="flag"),
        from_variables(os.environ, SETTING_NAMES),
        from_dotenv(Path(".env"), SETTING_NAMES, place=".env"),
    ]


def _folder(name: str, layers: Sequence[Layer]) -> Path | None:
    given = merged(layers).get(name)
    return None if given is None else Path(given.value).expanduser().absolute()


def config_dir() -> Path:
    """HDI_CONFIG_DIR, else the configuration that travels with HDI.

    Raises:
        BadSettings: HDI_CONFIG_DIR names no folder.
    """
    return _config_dir(_own_layers(None))


def _config_dir(layers: Sequence[Layer]) -> Path:
    given = _folder("config_dir", layers)
    if given is not None and not given.is_dir():
        raise BadSettings(f"HDI_CONFIG_DIR names {given}, which is not a folder")
    return given or shipped_config_dir()


def _shared(layer: Layer, place: str) -> Layer:
    """A layer of a file that people share: without secrets, and without places it depends on."""
    for name in layer:
        if name in SECRETS:
            raise BadSettings(
                f"{name} ({place}) is a secret and is not read from YAML",
                hint=f"give it as {variable(name)} or {variable(name)}_FILE",
            )
        if name in _DECIDE_PLACES:
            raise BadSettings(
                f"{name} ({place}) must be known before that file is read",
                hint=f"give it as {variable(name)}",
            )
    return layer


def load_settings(
    flags: Mapping[str, Any] | None = None, job: Mapping[str, Any] | None = None
) -> Settings:
    """Read every source of settings once.

    Args:
        flags: What the command line gave, nested or by dotted name; None counts as not given.
        job: The settings in a job file, nested or by dotted name.

    Raises:
        BadSettings: A setting is unknown or wrong. The message names it and where it was found,
            never the value of a secret.
    """
    own = _own_layers(flags)
    home = _folder("home", own) or default_home()
    stack = from_dotenv(home / STACK_FILE, SETTING_NAMES, place="embedded stack")
    system = f"configs/{SYSTEM_FILE}"
    layers = [
        *own,
        {name: given for name, given in stack.items() if name not in _DECIDE_PLACES},
        _shared(from_mapping(job or {}, SETTING_NAMES, place="job file"), "job file"),
        _shared(from_yaml(_config_dir(own) / SYSTEM_FILE, SETTING_NAMES, place=system), system),
    ]
    given = merged(layers)
    settings = _validated(given)
    settings._origins.update({name: origin for name, (_, origin) in given.items()})
    return settings


def _validated(given: Mapping[str, Given]) -> Settings:
    try:
        return Settings(**nested(given))
    except ValidationError as exc:
        faults = [_fault(error, given) for error in exc.errors(include_url=False)]
        # `from None`: pydantic's error holds the values, secrets too.
        raise BadSettings("; ".join(filter(None, faults))) from None


def _fault(error: Mapping[str, Any], given: Mapping[str, Given]) -> str:
    name = ".".join(str(part) for part in error["loc"][:2])
    if error["type"] == "default_factory_not_called":
        return ""  # follows from another fault
    what = str(error["msg"]).removeprefix("Value error, ")
    name = name if name in SETTING_NAMES else name.partition(".")[0]
    if name not in given:
        return f"{name}: {what}"
    value, origin = given[name]
    found = "" if name in SECRETS else f", found {redact(repr(value))[:80]}"
    return f"{variable(name)} ({origin}): {what}{found}"
