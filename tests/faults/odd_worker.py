"""A worker of the product on an odd host: its clock is off, or its patience with Redis is short.

``python -m tests.faults.odd_worker NAME ODDITY=VALUE …`` with

- ``clock=S``: `time.time` and what Celery takes for now are S seconds ahead (behind if negative);
- ``visibility=S``: Redis hands a message out again after S seconds, looked for every second;
- ``patience=S``: no answer of Redis is waited for longer (shipped: 30 s), and every S seconds it is
  asked whether it lives (shipped: 15 s). Nor does it send heartbeats to Flower: sending one to a
  Redis that is silent holds everything else up until it speaks, and hides what a test looks for.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.processes import Fleet, Process


def odd_worker(
    fleet: Fleet, name: str, env: Mapping[str, str] | None = None, **oddities: float
) -> Process:
    """Starts one; the oddities are those above."""
    told = [f"{key}={value:g}" for key, value in oddities.items()]
    command = [sys.executable, "-m", "tests.faults.odd_worker", name, *told]
    return fleet._start(command, name, env or {})


def shift_clock(ahead_s: float) -> None:
    """`time.time`, from which leases of messages are made. Before Celery is imported."""
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + ahead_s
    time.time_ns = lambda: real_ns() + round(ahead_s * 1e9)


def shift_dates(app: Any, ahead_s: float) -> None:
    """What Celery thinks is now: a retry is due so many seconds after that. It is told, once."""
    real = app.now
    app.now = lambda: real() + dt.timedelta(seconds=ahead_s)
    print(f"it is {app.now():%Y-%m-%d}, {time.time():.0f} s since 1970", flush=True)


def options(oddities: dict[str, float]) -> dict[str, Any]:
    """What the transport is told otherwise than the product tells it."""
    told: dict[str, Any] = {}
    if (visibility := oddities.get("visibility")) is not None:
        told |= {"visibility_timeout": visibility, "unacked_restore_interval": 1}
    if (patience := oddities.get("patience")) is not None:
        told |= {"socket_timeout": patience, "health_check_interval": patience}
    return told


def main() -> None:
    name, *pairs = sys.argv[1:]
    oddities = {key: float(value) for key, _, value in (pair.partition("=") for pair in pairs)}
    assert oddities.keys() <= {"clock", "visibility", "patience"}, oddities
    ahead_s = oddities.get("clock", 0.0)
    shift_clock(ahead_s)
    os.environ["HDI_WORKER__CONCURRENCY"] = "1"
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    from workers.app import app

    shift_dates(app, ahead_s)
    app.conf.broker_transport_options = app.conf.broker_transport_options | options(oddities)
    told = ["--without-heartbeat"] if "patience" in oddities else []
    app.worker_main(["worker", "-n", f"{name}@%h", "--loglevel", "INFO", "--without-mingle", *told])


if __name__ == "__main__":
    main()
