"""The Debian tree: where it belongs and when it counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestor.errors import StackUnavailable
from ingestor.stack import tree

NEEDED = (
    "usr/lib/postgresql/17/bin/postgres",
    "usr/lib/postgresql/17/bin/psql",
    "usr/bin/valkey-server",
)
CONTROL = "usr/share/postgresql/17/extension/timescaledb.control"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of empty files, without its mark."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = tree.place()
    for name in (*NEEDED, CONTROL):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / CONTROL).write_text("default_version = '2.19.3'\n")
    return root


def test_the_tree_belongs_to_the_users_cache() -> None:
    """XDG's variable decides, else ~/.cache; a relative value counts as unset."""
    assert tree.place({"XDG_CACHE_HOME": "/c"}) == Path("/c/hdi/debian-13-pg17-ts2")
    assert tree.place({}) == Path.home() / ".cache/hdi/debian-13-pg17-ts2"
    assert tree.place({"XDG_CACHE_HOME": "c"}) == tree.place({})


def test_a_tree_without_its_mark_is_not_used(root: Path) -> None:
    """Files may be missing that nobody looks for."""
    assert tree.find() is None


def test_a_marked_tree_is_used(root: Path) -> None:
    """The mark is written after everything reached the disk."""
    (root / "hdi-complete").touch()

    assert tree.find() == tree.Tree(root, "2.19.3 (apache)")


@pytest.mark.parametrize("name", NEEDED)
def test_a_marked_tree_that_lost_a_program_is_not_used(root: Path, name: str) -> None:
    """Caches get cleaned by people."""
    (root / "hdi-complete").touch()
    (root / name).unlink()

    assert tree.find() is None


def test_the_licence_is_seen_by_the_library(root: Path) -> None:
    """Compression and continuous aggregates come with the community library only."""
    libraries = root / "usr/lib/postgresql/17/lib"
    libraries.mkdir(parents=True)
    (libraries / "timescaledb-tsl-2.19.3.so").touch()

    assert tree.timescaledb_in(root) == "2.19.3 (community)"


def test_where_no_tree_is_possible_the_way_out_is_named(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader must learn what to do instead."""
    monkeypatch.setattr(tree, "obstacle", lambda: "it needs root")

    with pytest.raises(StackUnavailable, match="it needs root") as caught:
        tree.ensure(lambda line: None)

    assert "--edition plain" in caught.value.hint


def test_a_missing_debootstrap_is_installed_after_an_update(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh machine has no package lists; stale ones are better than none."""
    ran: list[tuple[str, ...]] = []

    def run(log: Path, *argv: str) -> None:
        ran.append(argv)
        if "update" in argv:
            raise StackUnavailable("no network")

    monkeypatch.setattr("ingestor.stack.tree.shutil.which", lambda name: None)
    monkeypatch.setattr(tree, "_run", run)

    tree._install_debootstrap(tmp_path / "log", lambda line: None)

    assert [
        next(word for word in argv if word[0] != "-" and word != "apt-get") for argv in ran
    ] == [
        "update",
        "install",
    ]
    assert ran[-1][-2:] == ("debootstrap", "debian-archive-keyring")


def test_a_failed_making_leaves_nothing_behind(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start begins again, and the disk does not fill up with halves."""
    monkeypatch.setattr(tree, "obstacle", lambda: "")
    monkeypatch.setattr(tree, "_install_debootstrap", lambda log, report: None)
    monkeypatch.setattr(tree, "_download", lambda folder, log: [folder / "no.deb"])

    with pytest.raises(StackUnavailable, match="dpkg-deb"):
        tree.ensure(lambda line: None)

    assert not list(root.parent.glob("*.making-*"))
    assert tree.find() is None
