"""A private Debian 13 tree with PostgreSQL 17, TimescaleDB and Valkey, made once per user.

Packages come through debootstrap, which verifies Debian's signatures, and are unpacked without
running their scripts: that needs neither mounts nor devices, and takes 25 s instead of 40.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ingestor.errors import StackUnavailable
from ingestor.stack import state

POSTGRES_BIN = "usr/lib/postgresql/17/bin"
POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/17/lib",
    "/usr/share/postgresql/17",
    "/usr/share/zoneinfo",
)
VALKEY = "usr/bin/valkey-server"
_NAME = "debian-13-pg17-ts2"
_SUITE = "trixie"
_PACKAGES = ("postgresql-17", "postgresql-17-timescaledb", "valkey-server")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_CONTROL = "usr/share/postgresql/17/extension/timescaledb.control"
_LOADERS = ("bin/postgres", "bin/initdb", "bin/pg_*", "bin/psql", "lib/llvm*.so", "lib/timesc*.so")
_MARKER = "hdi-complete"
_UNREAD = ("man", "locale", "i18n", "info")
_WAY_OUT = "use `--edition plain`, or name a database in HDI_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Tree:
    """A complete tree.

    Attributes:
        timescaledb: Version and licence, e.g. ``2.19.3 (apache)``.
    """

    root: Path
    timescaledb: str

    def postgres_files(self) -> list[str]:
        """Programs and modules whose libraries a server needs, as seen in the tree."""
        folder = self.root / "usr/lib/postgresql/17"
        files = (file for pattern in _LOADERS for file in folder.glob(pattern))
        return [f"/{file.relative_to(self.root)}" for file in files]


def place(environ: Mapping[str, str] = os.environ) -> Path:
    """Where the tree belongs: the user's cache folder."""
    named = environ.get("XDG_CACHE_HOME", "")
    cache = Path(named) if named.startswith("/") else Path.home() / ".cache"
    return cache / "hdi" / _NAME


def obstacle() -> str:
    """Why no tree can be used on this machine; empty when one can."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root"
    if not _succeeds("chroot", "/", "/bin/true"):
        return "this machine does not allow chroot"
    if find() is None and not (shutil.which("debootstrap") or shutil.which("apt-get")):
        return "it needs debootstrap, and there is no apt-get to install it with"
    return ""


def find() -> Tree | None:
    """The tree, when it is there and whole."""
    root = place()
    needed = (_MARKER, f"{POSTGRES_BIN}/postgres", f"{POSTGRES_BIN}/psql", VALKEY, _CONTROL)
    if not all((root / name).exists() for name in needed):
        return None
    return Tree(root, timescaledb_in(root))


def timescaledb_in(root: Path) -> str:
    """Version and licence of the TimescaleDB in a tree or a jail made from one."""
    found = re.search(r"default_version\s*=\s*'([^']+)'", (root / _CONTROL).read_text())
    version = found[1] if found else "unknown"
    community = any((root / "usr/lib/postgresql/17/lib").glob("timescaledb-tsl-*.so"))
    return f"{version} ({'community' if community else 'apache'})"


def ensure(report: Callable[[str], None]) -> Tree:
    """Find the tree or make it; of several processes at once one makes it.

    Raises:
        StackUnavailable: It cannot be made here; the message says why.
    """
    root = place()
    reason = obstacle()
    if reason:
        raise StackUnavailable(f"no TimescaleDB: {reason}", hint=_WAY_OUT)
    with state.locked(root.with_name(f"{_NAME}.lock"), report):
        return find() or _make(root, report)


def _make(root: Path, report: Callable[[str], None]) -> Tree:
    report(f"making a private Debian 13 tree with TimescaleDB in {root} (once, about 30 s)")
    log = root.with_name(f"{_NAME}.log")
    log.unlink(missing_ok=True)
    for remains in root.parent.glob(f"{_NAME}.making-*"):
        shutil.rmtree(remains)
    work = Path(tempfile.mkdtemp(prefix=f"{_NAME}.making-", dir=root.parent))
    try:
        _install_debootstrap(log, report)
        _unpack(_download(work / "packages", log), work / "tree", log)
        if root.exists():
            shutil.rmtree(root)
        (work / "tree").rename(root)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tree = find()
    if tree is None:
        raise StackUnavailable(f"{root} is incomplete, see {log}", hint=_WAY_OUT)
    return tree


def _install_debootstrap(log: Path, report: Callable[[str], None]) -> None:
    if shutil.which("debootstrap") and _KEYRING.exists():
        return
    report("installing debootstrap with apt-get")
    try:
        _run(log, "apt-get", "-q", "update")
    except StackUnavailable:
        report("apt-get update failed; trying with the package lists at hand")
    packages = ("debootstrap", _KEYRING.stem)
    _run(log, "apt-get", "-q", "-y", "--no-install-recommends", "install", *packages)


def _download(folder: Path, log: Path) -> list[Path]:
    include = f"--include={','.join(_PACKAGES)}"
    trust = (f"--keyring={_KEYRING}", "--force-check-gpg")
    options = ("--download-only", "--variant=minbase", include, *trust)
    _run(log, "debootstrap", *options, _SUITE, str(folder))
    return sorted((folder / "var/cache/apt/archives").glob("*.deb"))


def _unpack(packages: list[Path], root: Path, log: Path) -> None:
    root.mkdir()
    root.chmod(0o755)

    def unpack(package: Path) -> None:
        _run(log, "dpkg-deb", "-x", str(package), str(root))

    # base-files brings the links /bin, /lib -> /usr/…, which the others must meet
    base = [package for package in packages if package.name.startswith("base-files_")]
    for package in base:
        unpack(package)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(unpack, (package for package in packages if package not in base)))
    for name in _UNREAD:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    _sync(root / _MARKER)


def _sync(marker: Path) -> None:
    """Mark the tree whole, after all of it has reached the disk."""
    os.sync()
    marker.touch()


def _run(log: Path, *argv: str) -> None:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    with log.open("a") as output:
        try:
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, check=False
            )
        except OSError as exc:
            raise StackUnavailable(f"{argv[0]} could not be run: {exc}", hint=_WAY_OUT) from exc
    if done.returncode != 0:
        raise StackUnavailable(f"{argv[0]} failed, see {log}", hint=_WAY_OUT)


def _succeeds(*argv: str) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
