"""`hdi serve` before it listens: what it refuses, and what it loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingestor import api
from ingestor.cli.main import guarded
from ingestor.cli.serve import serve

PROBE = """
import sys
from ingestor.cli.serve import serve
serve.main(["--help"], standalone_mode=False)
print(sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the test alone; its services are away."""
    monkeypatch.chdir(tmp_path)
    for name in ("HDI_API_TOKEN", "HDI_READER_DATABASE_URL", "HDI_API__ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HDI_HOME", str(tmp_path))
    monkeypatch.setenv("HDI_DATABASE_URL", "postgresql://127.0.0.1:1/hdi")
    monkeypatch.setenv("HDI_REDIS_URL", "redis://127.0.0.1:1/0")


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["hdi serve", *words])
    return guarded(serve, "hdi serve")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])
def test_an_address_beyond_loopback_is_refused_without_a_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str
) -> None:
    """Exit 2, with both ways out."""
    assert run(monkeypatch, "--address", address) == 2
    said = capsys.readouterr().err
    assert f"would answer on {address} without a token" in said
    assert "set HDI_API_TOKEN" in said


def test_the_address_of_the_settings_is_refused_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HDI_API__ADDRESS", "0.0.0.0")

    assert run(monkeypatch) == 2
    assert "without a token" in capsys.readouterr().err


def test_a_short_token_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could be guessed; it is not repeated."""
    monkeypatch.setenv("HDI_API_TOKEN", "hushhush")

    assert run(monkeypatch, "--address", "0.0.0.0") == 2
    said = capsys.readouterr().err
    assert "HDI_API_TOKEN" in said
    assert "hushhush" not in said


def test_without_its_extra_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "find_spec", lambda name: None)

    assert run(monkeypatch) == 1
    assert "pip install 'hist-data-ingestor[api]'" in capsys.readouterr().err


def test_without_a_database_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not set at all is a mistake; away is not."""
    monkeypatch.delenv("HDI_DATABASE_URL")

    assert run(monkeypatch) == 6
    assert "HDI_DATABASE_URL is not set" in capsys.readouterr().err


def test_its_help_loads_no_server_and_no_data_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stderr.strip("[]\n").replace("'", "").split(", "))

    assert "Example:  hdi serve" in done.stdout
    assert "click" in loaded
    assert not loaded & {"fastapi", "uvicorn", "starlette", "pandas", "databento", "asyncpg"}
