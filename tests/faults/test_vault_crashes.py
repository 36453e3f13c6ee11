"""Processes that die in the vault, fill its disk or race in it, leave it sound."""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import ingestor.vault
from ingestor.errors import LocalFault
from ingestor.failpoint import VARIABLE
from ingestor.vault import Vault
from tests.children import in_child, together
from tests.vaults import (
    CONTENT,
    check_sound,
    downloaded,
    files,
    kept,
    manifest_of,
    request_of,
    vault_at,
)

pytestmark = pytest.mark.faults
OWN = str(Path(ingestor.vault.__file__).parent)


def killed_at(line: int, do: Callable[[], Any]) -> int:
    """Does it in a child that is killed before the vault's own line number `line` is executed."""
    left = line

    def count(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(OWN):
            return None
        if event == "line":
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
        return count

    def traced() -> None:
        sys.settrace(count)
        do()

    return in_child(traced)


def check_killed_everywhere(
    tmp_path: Path, before: Callable[[Vault], Any], do: Callable[[Vault, Any], Any],
    after: Callable[[Vault, Any], None],
) -> int:  # fmt: skip
    """Kills a fresh vault's process before each line in turn; how many lines there were."""
    for line in range(1, 2_000):
        root = tmp_path / f"vault{line}"
        vault = vault_at(tmp_path, root)
        told = before(vault)
        code = killed_at(line, lambda: do(vault_at(tmp_path, root), told))  # noqa: B023
        assert code in (0, -signal.SIGKILL)
        check_sound(root)
        after(vault, told)
        check_sound(root)
        if code == 0:
            return line
    raise AssertionError("it never came to its end")


@pytest.mark.slow
def test_a_keep_killed_at_any_line_loses_nothing_and_leaves_nothing_half(tmp_path: Path) -> None:
    """The download was paid for: until it is found by its request, it is there as a part."""

    def after(vault: Vault, part: Path) -> None:
        if vault.find(request_of()) is None:
            [left] = vault.parts("request.")
            assert left == part
            vault.keep(left, manifest_of())
        assert vault.find(request_of()) == manifest_of()
        assert vault.path(vault.ref(manifest_of())).read_bytes() == CONTENT

    lines = check_killed_everywhere(
        tmp_path, downloaded, lambda vault, part: vault.keep(part, manifest_of()), after
    )
    assert lines > 100


@pytest.mark.slow
def test_an_adoption_killed_at_any_line_leaves_nothing_half(tmp_path: Path) -> None:
    path = tmp_path / "a.dbn"
    path.write_bytes(CONTENT)
    ref = manifest_of().ref(str(path))

    def after(vault: Vault, _: object) -> None:
        assert vault.path(vault.adopt(ref)).read_bytes() == CONTENT

    lines = check_killed_everywhere(
        tmp_path, lambda vault: None, lambda vault, _: vault.adopt(ref), after
    )
    assert lines > 50


@pytest.mark.parametrize(
    ("point", "found"), [("vault_payload", 0), ("vault_manifest", 0), ("vault_index", 1)]
)
def test_a_worker_killed_between_the_steps_is_followed_up(
    tmp_path: Path, point: str, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = vault_at(tmp_path)
    part = downloaded(vault)
    monkeypatch.setenv(VARIABLE, f"{point}:kill")
    assert in_child(lambda: vault.keep(part, manifest_of())) == -signal.SIGKILL
    monkeypatch.delenv(VARIABLE)
    check_sound(tmp_path / "vault")
    assert len(list((tmp_path / "vault").glob("requests/*/*"))) == found
    assert vault.path(vault.ref(manifest_of())).read_bytes() == CONTENT
    vault.keep(part, manifest_of())
    assert vault.find(request_of()) == manifest_of()
    assert vault.parts("") == []


def limited(size: int, do: Callable[[], Any]) -> None:
    """Does it where no file may grow beyond `size` bytes, as on a full disk; it must be refused."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with pytest.raises(LocalFault, match="cannot write") as refused:
        do()
    assert "space" in refused.value.hint


def test_a_disk_too_full_for_a_copy_is_told_and_left_clean(tmp_path: Path) -> None:
    path, root = tmp_path / "a.dbn", tmp_path / "vault"
    path.write_bytes(bytes(100_000))
    ref = manifest_of(bytes(100_000)).ref(str(path))
    vault = vault_at(tmp_path)
    assert in_child(lambda: limited(50_000, lambda: vault.adopt(ref))) == 0
    assert files(root) == {"vault.json"}
    assert vault.path(vault.adopt(ref)).stat().st_size == 100_000


def test_a_disk_too_full_for_a_manifest_keeps_the_download_that_was_paid_for(
    tmp_path: Path,
) -> None:
    vault = vault_at(tmp_path)
    part = downloaded(vault)
    manifest = manifest_of(symbols=[f"ES{n}" for n in range(2_000)])
    assert in_child(lambda: limited(4_096, lambda: vault.keep(part, manifest))) == 0
    assert vault.parts("request.") == [part]
    assert not list((tmp_path / "vault" / "incoming").glob("*.tmp"))
    check_sound(tmp_path / "vault")
    vault.keep(part, manifest)
    assert vault.find(manifest.request) == manifest


@pytest.mark.parametrize("call", ["link", "replace", "fsync"])
def test_no_space_at_any_call_is_a_fault_of_this_host(
    tmp_path: Path, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = vault_at(tmp_path)
    vault.identify()
    part = downloaded(vault)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(LocalFault, match="No space left"):
            vault.keep(part, manifest_of())
    check_sound(tmp_path / "vault")
    assert vault.find(request_of()) is None
    assert not list((tmp_path / "vault" / "incoming").glob("*.tmp"))
    vault.keep(part, manifest_of())
    assert vault.find(request_of()) == manifest_of()


@pytest.mark.parametrize("links", [True, False])
def test_eight_processes_that_open_a_fresh_vault_get_the_same_id(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    for attempt in range(10):
        root = tmp_path / f"v{attempt}"
        ids = together(8, lambda _: vault_at(tmp_path, root).identify())  # noqa: B023
        assert len(set(ids)) == 1
        assert isinstance(ids[0], str)
        check_sound(root)


@pytest.mark.parametrize("own_part", [True, False])
def test_eight_processes_that_keep_the_same_payload_all_succeed(
    tmp_path: Path, own_part: bool
) -> None:
    content = os.urandom(3_000_000)
    for attempt in range(3):
        root = tmp_path / f"v{attempt}"
        vault = vault_at(tmp_path, root)
        parts = [downloaded(vault, content) for _ in range(8 if own_part else 1)]

        def keep(number: int) -> str:
            mine = vault_at(tmp_path, root)  # noqa: B023
            return mine.keep(parts[number % len(parts)], manifest_of(content)).uri  # noqa: B023

        assert set(together(8, keep)) == {vault.ref(manifest_of(content)).uri}
        check_sound(root)
        assert vault.find(request_of()) == manifest_of(content)
        assert len(files(root)) == 4


def test_a_vault_goes_on_in_a_forked_process(tmp_path: Path) -> None:
    """Workers are forked from a process that has used the vault already."""
    vault = vault_at(tmp_path)
    kept(vault)
    assert in_child(lambda: kept(vault, b"other", symbols=("NQM4",))) == 0
    assert vault.find(request_of(symbols=("NQM4",))) is not None
