"""A small file system of the run's own for the vault, which can be made full and roomy again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOMY: Final = 4 << 30
"""Bytes; memory is taken for what lies there only."""

_PAGE: Final = 4096


@contextmanager
def vault_disk(folder: Path) -> Iterator[Path | None]:
    """A tmpfs mounted on `folder`, unmounted at the end; None where mounting is not allowed."""
    folder.mkdir()
    made = _mount("-t", "tmpfs", "-o", f"size={ROOMY},mode=0750", "tmpfs", str(folder))
    try:
        yield folder if made else None
    finally:
        if made:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def fill(folder: Path) -> int:
    """Shrinks it to what lies there; bytes that are free afterwards."""
    used = os.statvfs(folder)
    taken = (used.f_blocks - used.f_bfree) * used.f_frsize
    # What is written between looking and shrinking makes the kernel refuse: a page more then.
    for more in range(64):
        if _resize(folder, taken + more * _PAGE):
            break
    now = os.statvfs(folder)
    return now.f_bavail * now.f_frsize


def empty(folder: Path) -> bool:
    """Makes room again."""
    return _resize(folder, ROOMY)


def _resize(folder: Path, size: int) -> bool:
    return _mount("-o", f"remount,size={max(size, _PAGE)}", str(folder))


def _mount(*arguments: str) -> bool:
    command = ["mount", *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
