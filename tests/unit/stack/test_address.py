"""Addresses, and the file that tells other commands about them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ingestor.stack import address
from ingestor.stack.state import PostgresState, ValkeyState
from ingestor.vocabulary import Role

POSTGRES = PostgresState(
    "tree", "17.6", None, 5000, superuser="pw-s", owner="pw-o", worker="pw-w", reader="pw-r"
)


def an_address(home: Path) -> address.StackAddress:
    return address.StackAddress(
        database_urls=address.database_urls(POSTGRES, "hdi"),
        redis_url=address.redis_url(ValkeyState("wheel", "9", "valkey 9", 5001, password="pw-v")),
        database_edition=POSTGRES.edition,
        redis_edition="valkey 9",
        timescaledb=False,
        admin_url=address.admin_url(POSTGRES, "postgres"),
        home=home,
    )


def test_each_role_has_its_own_login(tmp_path: Path) -> None:
    """Workers and readers never hold the owner's password."""
    urls = an_address(tmp_path).database_urls

    assert urls == {
        Role.OWNER: "postgresql://hdi_owner:pw-o@127.0.0.1:5000/hdi",
        Role.WORKER: "postgresql://hdi_worker_login:pw-w@127.0.0.1:5000/hdi",
        Role.READER: "postgresql://hdi_reader_login:pw-r@127.0.0.1:5000/hdi",
    }


def test_the_settings_name_every_login(tmp_path: Path) -> None:
    """These four lead every command to the stack; the superuser's password is not among them."""
    values = address.env(an_address(tmp_path))

    assert values == {
        "HDI_DATABASE_URL": "postgresql://hdi_owner:pw-o@127.0.0.1:5000/hdi",
        "HDI_WORKER_DATABASE_URL": "postgresql://hdi_worker_login:pw-w@127.0.0.1:5000/hdi",
        "HDI_READER_DATABASE_URL": "postgresql://hdi_reader_login:pw-r@127.0.0.1:5000/hdi",
        "HDI_REDIS_URL": "redis://:pw-v@127.0.0.1:5001/0",
    }


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file speaks to settings and to `hdi stack env`."""
    values = address.env(an_address(tmp_path))
    address.write_env(tmp_path, values)

    assert address.read_env(tmp_path) == values
    assert stat.S_IMODE((tmp_path / "stack.env").stat().st_mode) == 0o600


def test_a_stack_that_is_down_has_no_settings(tmp_path: Path) -> None:
    """Nobody is sent to a port where nothing listens."""
    address.write_env(tmp_path, {"HDI_REDIS_URL": "redis://x"})
    address.remove_env(tmp_path)

    assert address.read_env(tmp_path) == {}


def test_an_address_is_shown_without_passwords(tmp_path: Path) -> None:
    """A repr ends up in logs and in pytest's output."""
    assert "pw-" not in repr(an_address(tmp_path))


@pytest.mark.parametrize(
    ("url", "password", "expected"),
    [
        (None, None, None),
        (None, "secret", None),
        ("postgresql://elsewhere/hdi", None, "postgresql://elsewhere/hdi"),
        ("postgresql://elsewhere/hdi", "secret", "postgresql://elsewhere/hdi"),
        ("postgresql://hdi_owner:secret@127.0.0.1:1/hdi", "secret", None),
    ],
)
def test_a_stacks_own_url_is_not_foreign(
    url: str | None, password: str | None, expected: str | None
) -> None:
    """A second `up` finds the first one's URL in its settings and must still start the stack."""
    assert address.foreign(url, password) == expected
