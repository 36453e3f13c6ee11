"""The settings of the stack's own PostgreSQL, written anew at each start."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ingestor.stack.process import LOOPBACK

_FIXED = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "max_worker_processes": "40",
    "max_locks_per_transaction": "512",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
}
_TIMESCALEDB = {
    "shared_preload_libraries": "timescaledb",
    "timescaledb.telemetry_level": "off",
    "timescaledb.max_background_workers": "16",
}


def text(port: int, *, timescaledb: bool) -> str:
    """The file `hdi.conf`, which the cluster's `postgresql.conf` includes."""
    settings = {**_FIXED, "port": str(port), "shared_buffers": f"{shared_buffers_mb()}MB"}
    if sys.platform.startswith("linux"):
        # /dev/shm is missing in a jail and 64 MB small in a container
        settings["dynamic_shared_memory_type"] = "sysv"
    if timescaledb:
        settings |= _TIMESCALEDB
    return "".join(f"{name} = '{value}'\n" for name, value in settings.items())


def shared_buffers_mb() -> int:
    """A quarter of the memory this process may use, at least 32 MB, at most 1 GB."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(32, min(1024, total // 4 // 2**20))
