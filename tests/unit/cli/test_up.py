"""Which programs `hdi up` keeps running."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor import api
from ingestor.cli.up import _api_url, _programs
from ingestor.errors import BadSettings
from ingestor.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of the test alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HDI_HOME", str(tmp_path))


def test_the_api_is_one_of_them_and_its_address_is_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = _api_url(load_settings())
    names = [program.name for program in _programs(2, url, flower=True)]

    assert names == ["worker", "scheduler", "api", "flower"]
    assert "http://127.0.0.1:8080" in capsys.readouterr().err


def test_it_is_left_out_without_its_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything else runs; what to install is told."""
    monkeypatch.setattr(api, "find_spec", lambda name: None)
    url = _api_url(load_settings())

    assert [program.name for program in _programs(2, url, flower=False)] == ["worker", "scheduler"]
    assert "hist-data-ingestor[api]" in capsys.readouterr().err


def test_an_address_that_needs_a_token_is_refused_before_anything_starts() -> None:
    """Started, it would end and start again for ever."""
    settings = Settings.model_validate({"api": {"address": "0.0.0.0"}})

    with pytest.raises(BadSettings, match="without a token"):
        _api_url(settings)
