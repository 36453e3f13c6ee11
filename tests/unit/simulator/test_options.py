"""How a simulator may be started."""

from __future__ import annotations

import datetime as dt

import pytest

from ingestor.errors import BadSettings
from ingestor.simulator.options import KEY, SimulatorOptions, has_key_form


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(BadSettings, match="loopback only"):
        SimulatorOptions(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1"])
def test_loopback_may_be_chosen(host):
    assert SimulatorOptions(host=host).host == host


def test_the_range_must_have_a_length():
    with pytest.raises(BadSettings, match="before its start"):
        SimulatorOptions(first=dt.date(2024, 1, 1), past=dt.date(2024, 1, 1))


@pytest.mark.parametrize("key", ["db-short", "xx-" + "a" * 29, "db-" + "a" * 30, ""])
def test_a_key_of_another_form_is_refused_without_being_repeated(key):
    with pytest.raises(BadSettings) as caught:
        SimulatorOptions(key=key)
    assert not key or key not in caught.value.message + caught.value.hint


def test_the_made_up_key_has_the_right_form():
    assert has_key_form(KEY)


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(BadSettings, match="holds no"):
        SimulatorOptions(folder=tmp_path).archive()
