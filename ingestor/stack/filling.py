"""Bringing programs into a jail: their folders and the libraries they need, nothing else.

Filling never touches data, and a marker written last tells a full jail from a half-filled one.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ingestor.stack.jail import ACCOUNT, Jail

HOST = Path("/")
_FOLDERS = ("bin", "sbin", "lib", "lib64", "usr", "etc", "opt", "dev")
_MARKER = ".filled"
_PASSWD = f"root:x:0:0::/:/bin/false\npostgres:x:{ACCOUNT}:{ACCOUNT}::/:/bin/false\n"
_DEVICES = {"null": 3, "urandom": 9}  # minor numbers below major 1


def is_filled(jail: Jail, content: str, program: str) -> bool:
    """Whether `content` was brought in completely and `program` is still there."""
    marker = jail.folder / _MARKER
    whole = marker.is_file() and marker.read_text() == content
    return whole and (jail.folder / program.lstrip("/")).exists()


def fill(
    jail: Jail,
    content: str,
    *,
    programs: Sequence[str],
    folders: Mapping[str, str] | None = None,
    root: Path = HOST,
) -> None:
    """Bring programs in; files of a private tree are linked, which takes no space, others copied.

    Args:
        jail: Where to.
        content: What to call it all.
        programs: Programs and libraries, as seen in `root`; they keep their paths, with all that
            they load, unless they lie in one of `folders`.
        folders: Whole folders, as seen in `root`, and their names in the jail.
        root: The system they come from.
    """
    _empty(jail)
    bring = _copy if root == HOST else _link
    folders = folders or {}
    for source, name in folders.items():
        origin = root / source.lstrip("/")
        shutil.copytree(origin, jail.folder / name, symlinks=True, copy_function=bring)
    for file in (*programs, *libraries(programs, root)):
        if not any(Path(file).is_relative_to(source) for source in folders):
            _bring_file(root, file, jail.folder, bring)
    if root == HOST:
        _open_for_all(jail)
    _furnish(jail, content)


def libraries(programs: Sequence[str], root: Path = HOST) -> list[str]:
    """Shared libraries that `programs` load, the loader among them, as seen in `root`."""
    enter = [] if root == HOST else ["chroot", str(root)]
    command = [*enter, "ldd", *programs]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.findall(r"(?:=> |^\s+)(/.*) \(0x", shown, flags=re.MULTILINE)
    paths = dict.fromkeys(os.path.normpath(name) for name in found)
    # glibc before 2.34 opens this one by name when it looks an account up
    by_name = [path.replace("/libc.so.6", "/libnss_files.so.2") for path in paths]
    return [*paths, *(path for path in by_name if (root / path[1:]).exists() and path not in paths)]


def _bring_file(root: Path, file: str, folder: Path, bring: Callable[[str, str], None]) -> None:
    target = folder / file.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        bring(str((root / file.lstrip("/")).resolve()), str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as exc:
        if exc.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK}:
            raise
        shutil.copy2(source, target)


def _copy(source: str, target: str) -> None:
    shutil.copy2(source, target)


def _empty(jail: Jail) -> None:
    (jail.folder / _MARKER).unlink(missing_ok=True)
    for path in (jail.folder / name for name in _FOLDERS):
        if path.exists():
            shutil.rmtree(path)


def _furnish(jail: Jail, content: str) -> None:
    for name in ("etc", "dev"):
        (jail.folder / name).mkdir(exist_ok=True)
    passwd = jail.folder / "etc/passwd"
    passwd.write_text(_PASSWD)
    passwd.chmod(0o644)
    for name, minor in _DEVICES.items():
        _make_device(jail.folder / "dev" / name, minor)
    null = jail.folder / "dev/null"
    if not null.exists():
        null.touch()  # where devices are forbidden, an empty file serves
        null.chmod(0o666)
    for name in _FOLDERS:
        for path in (jail.folder / name, *(jail.folder / name).glob("**/")):
            if path.exists():
                path.chmod(0o755)
    (jail.folder / _MARKER).write_text(content)


def _make_device(path: Path, minor: int) -> None:
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        path.chmod(0o666)
        path.open("rb").close()
    except OSError:
        path.unlink(missing_ok=True)


def _open_for_all(jail: Jail) -> None:
    """Let the server's account read copies of what only the installing user could."""
    for path in (file for name in _FOLDERS for file in (jail.folder / name).rglob("*")):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
