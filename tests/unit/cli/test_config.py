"""`hdi config`: what it shows, and that passwords and keys stay hidden."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingestor.cli.config import config
from ingestor.errors import BadSettings
from ingestor.settings import SETTING_NAMES

REPO = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith(("HDI_", "DATABENTO_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDI_HOME", str(tmp_path))
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://hdi:s3cret@127.0.0.1:5432/hdi")
    monkeypatch.setenv("HDI_REDIS_URL", "redis://:s3cret@127.0.0.1:6379/0")
    monkeypatch.setenv("DATABENTO_API_KEY", "db-s3cret")
    return tmp_path


def run(*args):
    result = CliRunner().invoke(config, args, catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("args", [[], ["--sources"], ["--json"], ["--json", "--sources"]])
def test_no_form_of_show_holds_a_secret(args):
    assert "s3cret" not in run("show", *args)


def test_of_a_url_only_the_password_is_masked():
    shown = json.loads(run("show", "--json"))["settings"]

    assert shown["database_url"] == "postgresql://hdi:***@127.0.0.1:5432/hdi"
    assert shown["redis_url"] == "redis://:***@127.0.0.1:6379/0"
    assert shown["databento_api_key"] == "***"


def test_json_holds_every_setting_once_and_sources_on_request():
    answer = json.loads(run("show", "--json", "--sources"))

    assert list(answer["settings"]) == list(answer["sources"]) == list(SETTING_NAMES)
    assert "sources" not in json.loads(run("show", "--json"))


def test_the_table_is_aligned_and_says_where_values_came_from():
    rows = run("show", "--sources").splitlines()

    assert len(rows) == len(SETTING_NAMES)
    assert len({row.index(row.split()[1], len(row.split()[0])) for row in rows}) == 1
    assert rows[0].endswith("environment HDI_DATABASE_URL")


def test_path_says_which_places_are_used_and_which_are_missing(place):
    shown = run("path")

    assert f"{place / 'stack.env'}" in shown
    assert "(not there)" in shown
    assert json.loads(run("path", "--json"))["places"]["home"] == str(place)


def test_a_wrong_setting_is_left_to_the_command_line_to_report(monkeypatch):
    monkeypatch.setenv("HDI_FLOWER__PORT", "0")

    with pytest.raises(BadSettings):
        CliRunner().invoke(config, ["show"], catch_exceptions=False)


def test_help_loads_no_settings():
    code = (
        "import sys; from ingestor.cli.config import config\n"
        "config(['show', '--help'], standalone_mode=False)\n"
        "assert 'pydantic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, check=True)
