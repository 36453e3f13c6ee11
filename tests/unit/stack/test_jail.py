"""A jail spells paths and reports failures for the server inside."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from ingestor.errors import StackUnavailable
from ingestor.stack import filling
from ingestor.stack.jail import Jail


def test_a_closed_jail_is_the_servers_root(tmp_path: Path) -> None:
    """What lies in the folder begins at / for the server."""
    assert Jail(tmp_path, closed=True).inside(tmp_path / "data") == "/data"


def test_an_open_jail_keeps_paths(tmp_path: Path) -> None:
    """An ordinary user's server sees the machine as it is."""
    assert Jail(tmp_path, closed=False).inside(tmp_path / "data") == str(tmp_path / "data")


def test_a_program_runs_with_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGHOST and its like must not lead a private server's tools elsewhere."""
    monkeypatch.setenv("PGHOST", "elsewhere")

    shown = Jail(tmp_path, closed=False).run("env")

    assert "PGHOST" not in shown


def test_a_failure_names_the_telling_line(tmp_path: Path) -> None:
    """Of forty lines of output one says why."""
    script = "echo noise >&2; echo 'FATAL:  disk full' >&2; echo cleaning up >&2; exit 1"

    with pytest.raises(StackUnavailable, match=r"^sh failed: FATAL:  disk full$"):
        Jail(tmp_path, closed=False).run("sh", "-c", script)


def test_a_missing_program_is_an_error_of_ours(tmp_path: Path) -> None:
    """No traceback for a binary that went away."""
    with pytest.raises(StackUnavailable, match="could not be run"):
        Jail(tmp_path, closed=False).run(str(tmp_path / "gone"))


def test_a_secret_is_private_and_replaceable(tmp_path: Path) -> None:
    """A password changes with every new stack."""
    jail = Jail(tmp_path, closed=False)
    jail.secret("pgpass", "old")
    path = jail.secret("pgpass", "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_half_filled_jail_is_not_full(tmp_path: Path) -> None:
    """Programs count only once all of them arrived."""
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/postgres").touch()

    assert not filling.is_filled(Jail(tmp_path, closed=True), "wheel", "opt/postgres")


def test_a_jail_without_its_program_is_not_full(tmp_path: Path) -> None:
    """Somebody may clean up what the marker still promises."""
    (tmp_path / ".filled").write_text("wheel")

    assert not filling.is_filled(Jail(tmp_path, closed=True), "wheel", "opt/postgres")
