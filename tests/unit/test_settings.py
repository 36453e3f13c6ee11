"""Settings: which source wins, what is refused, and that no message holds a secret."""

import itertools
import pickle
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pydantic import ValidationError

from ingestor.errors import BadSettings
from ingestor.settings import (
    SECRETS,
    SETTING_NAMES,
    Settings,
    config_dir,
    load_settings,
)
from ingestor.settings.forms import shipped_config_dir
from ingestor.settings.layers import variable
from ingestor.settings.reference import page, rows
from ingestor.vocabulary import Role

REPO = Path(__file__).parents[2]
URL = "postgresql://hdi:s3cret-pw@127.0.0.1:5432/hdi"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty working folder, home and configs folder, and no variable of ours."""
    import os

    for name in list(os.environ):
        if name.startswith(("HDI_", "DATABENTO_")):
            monkeypatch.delenv(name)
    (tmp_path / "configs").mkdir()
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HDI_CONFIG_DIR", str(tmp_path / "configs"))
    return tmp_path


SOURCES = ["flag", "environment", ".env", "embedded stack", "job file", "configs/system.yaml"]


def plant(source, place, monkeypatch, seconds):
    """Give lease.duration_s in one source; returns the flags and the job of the call."""
    if source == "environment":
        monkeypatch.setenv("HDI_LEASE__DURATION_S", str(seconds))
    files = {".env": place / ".env", "embedded stack": place / "home" / "stack.env"}
    if source in files:
        files[source].write_text(f"HDI_LEASE__DURATION_S={seconds}\n")
    if source == "configs/system.yaml":
        (place / "configs" / "system.yaml").write_text(f"lease: {{duration_s: {seconds}}}\n")
    return (
        {"lease.duration_s": seconds} if source == "flag" else None,
        {"lease": {"duration_s": seconds}} if source == "job file" else None,
    )


@pytest.mark.parametrize(("higher", "lower"), list(itertools.pairwise([*SOURCES, "default"])))
def test_each_source_wins_over_the_next_one(higher, lower, place, monkeypatch):
    """Flag > environment > .env > embedded stack > job file > configs > default."""
    flags, job = plant(higher, place, monkeypatch, 100)
    if lower != "default":
        more_flags, more_job = plant(lower, place, monkeypatch, 200)
        flags, job = flags or more_flags, job or more_job

    settings = load_settings(flags, job)

    assert settings.lease.duration_s == 100
    assert settings.sources["lease.duration_s"].startswith(higher)


def test_sources_name_the_variable_the_file_and_the_default(place, monkeypatch):
    (place / "port").write_text("5556\n")
    monkeypatch.setenv("HDI_FLOWER__PORT_FILE", str(place / "port"))
    monkeypatch.setenv("HDI_WORKER__CONCURRENCY", "3")

    sources = load_settings().sources

    assert sources["flower.port"] == "environment file HDI_FLOWER__PORT_FILE"
    assert sources["worker.concurrency"] == "environment HDI_WORKER__CONCURRENCY"
    assert sources["lease.heartbeat_s"] == "default"
    assert set(sources) == set(SETTING_NAMES)


SAMPLES = {
    "worker.memory_limit_mb": "4096",
    "database_url": URL,
    "worker_database_url": URL,
    "reader_database_url": URL,
    "redis_url": "redis://:pw@localhost:6379/0",
    "databento_api_key": "db-" + "a" * 29,
    "databento_gateway": "https://gateway.example",
    "log_file": "log.json",
    "api_token": "a-token-of-the-tests",
    "store.merge_memory_mb": "64",
    "budget.max_usd_per_job": "12.5",
    "worker.concurrency": "2",
    "worker.max_memory_per_child_mb": "512",
}


@pytest.mark.parametrize("name", [n for n in SETTING_NAMES if n != "config_dir"])
def test_every_setting_can_be_given_by_a_file(name, place, monkeypatch):
    """Each variable also exists as …_FILE; one newline at the end of the file is left out."""
    default = {row.name: row.default for row in rows()}[name]
    value = SAMPLES.get(name) or default.replace("$XDG_STATE_HOME", "").replace("$HDI_HOME", "")
    (place / "value").write_text(value + "\n")
    monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.setenv(variable(name) + "_FILE", str(place / "value"))

    settings = load_settings()

    assert settings.sources[name] == f"environment file {variable(name)}_FILE"


def test_a_secret_file_loses_one_newline_and_nothing_else(place, monkeypatch):
    (place / "key").write_text("  db-key")
    monkeypatch.setenv("DATABENTO_API_KEY_FILE", str(place / "key"))

    with pytest.raises(BadSettings, match=r"DATABENTO_API_KEY .*must not hold spaces"):
        load_settings()


def test_a_variable_and_its_file_together_are_refused(place, monkeypatch):
    (place / "url").write_text(URL)
    monkeypatch.setenv("HDI_DATABASE_URL", URL)
    monkeypatch.setenv("HDI_DATABASE_URL_FILE", str(place / "url"))

    with pytest.raises(BadSettings, match="HDI_DATABASE_URL and HDI_DATABASE_URL_FILE"):
        load_settings()


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_a_missing_empty_or_binary_secret_file_is_refused(content, place, monkeypatch):
    if content is not None:
        (place / "url").write_bytes(content)
    monkeypatch.setenv("HDI_REDIS_URL_FILE", str(place / "url"))

    with pytest.raises(BadSettings, match="HDI_REDIS_URL_FILE names"):
        load_settings()


def test_the_log_file_variable_is_no_file_variable(place, monkeypatch):
    """HDI_LOG_FILE ends in _FILE, yet holds the value itself."""
    monkeypatch.setenv("HDI_LOG_FILE", "x.log")

    assert load_settings().log_file == place / "x.log"


def test_an_empty_variable_counts_as_not_given(monkeypatch):
    monkeypatch.setenv("HDI_DATABASE_URL", "")
    monkeypatch.setenv("HDI_WORKER__CONCURRENCY", "")

    assert load_settings().sources["worker.concurrency"] == "default"


@pytest.mark.parametrize(
    ("unknown", "near"),
    [
        ("HDI_DATABSE_URL", "HDI_DATABASE_URL"),
        ("HDI_LEASE__DURATION", "HDI_LEASE__DURATION_S"),
        ("HDI_REDIS_URL_FIEL", "HDI_REDIS_URL_FILE"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_one(unknown, near, monkeypatch):
    monkeypatch.setenv(unknown, "1")

    with pytest.raises(BadSettings, match=rf"{unknown} .*did you mean {near}\?"):
        load_settings()


def test_an_unknown_variable_in_a_dotenv_file_is_refused(place):
    (place / ".env").write_text("HDI_REDS_URL=redis://h\nPOSTGRES_PASSWORD=x\n")

    with pytest.raises(BadSettings, match=r"HDI_REDS_URL \(\.env\)"):
        load_settings()


def test_variables_read_elsewhere_are_left_alone(monkeypatch):
    for name in ("HDI_FAILPOINT", "HDI_DBN_CORPUS", "HDI_TEST_ANYTHING"):
        monkeypatch.setenv(name, "x")

    load_settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lease: {duration: 3}", r"lease\.duration .*did you mean lease\.duration_s\?"),
        ("leese: {duration_s: 3}", "leese"),
        ("lease: 3", "lease .*must hold settings by name"),
        ("- a", "must hold settings by name"),
        ("lease: {", "not valid YAML at line 1"),
        ("database_url: x", "database_url .*is a secret"),
        ("home: /tmp", "home .*must be known before"),
    ],
)
def test_a_wrong_settings_file_is_refused(text, message, place):
    (place / "configs" / "system.yaml").write_text(text)

    with pytest.raises(BadSettings, match=message):
        load_settings()


def test_an_empty_section_and_a_file_of_comments_are_allowed(place):
    (place / "configs" / "system.yaml").write_text("# nothing\nlease:\nworker: {concurrency: }\n")

    assert load_settings({"lease": None}).model_dump() == load_settings().model_dump()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HDI_DATABASE_URL", "mysql://u:s3cret-pw@h/d", "must begin with postgresql://"),
        ("HDI_DATABASE_URL", "postgresql://u:s3cret-pw@h:54x/d", "cannot be told"),
        ("HDI_DATABASE_URL", "postgresql://u:s3cret-pw#x@h/d", "percent-encode"),
        ("HDI_DATABASE_URL", "postgresql://u:s3cret-pw@/d", "names no host"),
        ("HDI_DATABASE_URL", "s3cret-pw", "must begin with postgresql://"),
        ("HDI_REDIS_URL", "http://:s3cret-pw@h", "must begin with redis:// or rediss://"),
        ("HDI_REDIS_URL", "redis:s3cret-pw", "must begin with redis://"),
        ("DATABENTO_API_KEY", "db- s3cret-pw", "must not hold spaces"),
        ("HDI_VAULT_URL", "sftp://u:s3cret-pw@h/x", "must not hold a password"),
        ("HDI_DATABENTO_GATEWAY", "http://10.0.0.1:80", "loopback only"),
        ("HDI_DATABENTO_GATEWAY", "http://127.0.0.1.example", "loopback only"),
        ("HDI_DATABENTO_GATEWAY", "https://u:s3cret-pw@h", "scheme, host and port only"),
        ("HDI_LEASE__HEARTBEAT_S", "31", "at most half"),
        ("HDI_LEASE__HEARTBEAT_S", "0", "greater than 0"),
        ("HDI_LEASE__DURATION_S", "nan", "finite"),
        ("HDI_WORKER__SOFT_LIMIT_S", "4000", "below hard_limit_s"),
        ("HDI_RETRY__BACKOFF_CAP_S", "1", "at least backoff_base_s"),
        ("HDI_STORE__TRADES_INTERVAL", "1 month", "day"),
        ("HDI_STORE__TIME_INDEX", "a; drop table b", "table names"),
        ("HDI_LOG_FORMAT", "xml", "HDI_LOG_FORMAT .*found 'xml'"),
        ("HDI_LOG_LEVEL", "loud", "HDI_LOG_LEVEL"),
    ],
)
def test_a_wrong_value_is_refused_without_showing_a_secret(name, value, message, monkeypatch):
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings, match=message) as caught:
        load_settings()

    shown = f"{caught.value!r} {caught.value.hint} {caught.value.__cause__}"
    assert "s3cret-pw" not in shown


@effort(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(sorted(SECRETS)), st.from_regex(r"[a-zA-Z0-9:/@#? %\[\]]{0,30}", fullmatch=True)
)
def test_no_error_holds_the_value_of_a_secret(name, mess):
    """Whatever somebody puts in place of a URL or key."""
    value, told = f"{mess}QUITE-SECRET{mess}", ""  # above the lines a traceback quotes
    try:
        load_settings({name: value})
    except BadSettings as exc:
        told = "".join(traceback.format_exception(exc)) + exc.hint

    assert "QUITE-SECRET" not in told


def test_all_wrong_values_are_named_at_once(monkeypatch):
    monkeypatch.setenv("HDI_FLOWER__PORT", "0")
    monkeypatch.setenv("HDI_DATABASE__POOL_SIZE", "many")

    with pytest.raises(BadSettings, match=r"HDI_DATABASE__POOL_SIZE.*; HDI_FLOWER__PORT"):
        load_settings()


@pytest.mark.parametrize(
    "gateway",
    ["http://127.0.0.1:8080", "http://[::1]:1", "http://localhost/", "https://gateway.example"],
)
def test_a_gateway_is_https_or_on_loopback(gateway):
    assert load_settings({"databento_gateway": gateway}).databento_gateway == gateway.rstrip("/")


def test_a_role_has_its_own_login_and_else_the_owners():
    own = URL.replace("hdi:", "worker:")
    settings = load_settings({"database_url": URL, "worker_database_url": own})

    assert settings.dsn(Role.WORKER) == own
    assert settings.dsn(Role.READER) == settings.dsn(Role.OWNER) == URL


def test_logins_of_the_embedded_stack_never_join_another_database(place, monkeypatch):
    """Else the worker would load into one database while the job stands in another."""
    (place / "home" / "stack.env").write_text(
        f"HDI_HOME=/elsewhere\nHDI_DATABASE_URL={URL}\nHDI_WORKER_DATABASE_URL={URL}\n"
    )
    assert load_settings().sources["worker_database_url"] == "embedded stack"
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://other/db")

    assert load_settings().dsn(Role.WORKER) == "postgresql://other/db"


@pytest.mark.parametrize("ask", [lambda s: s.dsn(Role.READER), lambda s: s.redis_dsn()])
def test_a_missing_url_is_said_with_what_to_do(ask):
    with pytest.raises(BadSettings, match="is not set") as caught:
        ask(load_settings())
    assert "hdi stack up" in caught.value.hint


def test_a_dollar_sign_in_a_dotenv_password_is_kept(place):
    (place / ".env").write_text("HDI_DATABASE_URL='postgresql://u:a${HOME}b@h/d'\n")

    assert load_settings().dsn(Role.OWNER) == "postgresql://u:a${HOME}b@h/d"


def test_places_follow_the_home_folder(place, monkeypatch):
    settings = load_settings()
    assert settings.dlq_dir == place / "home" / "dlq"
    assert settings.vault_url == str(place / "home" / "vault")

    monkeypatch.delenv("HDI_HOME")
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    assert load_settings().home == place / "state" / "hdi"


def test_the_configs_folder_is_the_given_one_or_came_with_hdi(place, monkeypatch):
    assert config_dir() == load_settings().config_dir == place / "configs"

    monkeypatch.delenv("HDI_CONFIG_DIR")
    assert config_dir() == load_settings().config_dir == shipped_config_dir()

    monkeypatch.setenv("HDI_CONFIG_DIR", "nowhere")
    with pytest.raises(BadSettings, match="not a folder"):
        load_settings()


def test_lists_are_separated_by_commas_in_variables(monkeypatch):
    monkeypatch.setenv("HDI_STORE__TIME_INDEX", "daily_ohlcv_data, trades_data")

    assert load_settings().store.time_index == ("daily_ohlcv_data", "trades_data")


def test_bare_settings_hold_defaults_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("HDI_FLOWER__PORT", "1")

    assert Settings().flower.port == 5555


def test_settings_are_frozen_travel_and_hide_secrets():
    settings = load_settings({"database_url": URL})

    with pytest.raises(ValidationError):
        settings.log_level = "DEBUG"
    with pytest.raises(ValidationError):
        settings.lease.duration_s = 1
    travelled = pickle.loads(pickle.dumps(settings))
    assert travelled == settings
    assert travelled.sources == settings.sources
    assert "s3cret-pw" not in repr(settings) + settings.model_dump_json()


def test_the_settings_file_that_ships_holds_the_defaults(monkeypatch):
    monkeypatch.delenv("HDI_CONFIG_DIR")

    shipped = load_settings()

    assert shipped.model_dump() == Settings(home=shipped.home).model_dump()


def test_the_settings_file_that_ships_names_every_setting_of_the_sections():
    text = (REPO / "configs" / "system.yaml").read_text()
    whole = yaml.safe_load(text.replace("\n  # ", "\n  "))

    sections = {name: held for name, held in whole.items() if isinstance(held, dict)}
    named = {f"{section}.{name}" for section, held in sections.items() for name in held}
    assert named == {name for name in SETTING_NAMES if "." in name}


def test_the_example_of_a_dotenv_file_can_be_used(place):
    text = (REPO / ".env.example").read_text()
    (place / ".env").write_text(text.replace("\n#HDI", "\nHDI").replace("HDI_CONFIG_DIR=", ""))

    load_settings()
    assert {"HDI_DATABASE_URL", "HDI_REDIS_URL", "DATABENTO_API_KEY"} <= set(
        dotenv_values(REPO / ".env.example")
    )


def test_the_reference_page_says_what_the_models_say():
    """Write it anew with `python -m ingestor.settings.reference docs/reference/settings.md`."""
    assert (REPO / "docs" / "reference" / "settings.md").read_text(encoding="utf-8") == page()


def test_every_setting_has_a_unit_and_a_meaning():
    assert all(row.unit and row.meaning for row in rows())


def test_importing_settings_imports_nothing_heavy():
    code = "import sys, ingestor.settings; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.split()

    heavy = {"pandas", "pandera", "databento", "celery", "asyncpg", "structlog", "yaml"}
    assert not heavy & set(loaded)
