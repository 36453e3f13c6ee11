"""Several processes in the foreground under one parent: one log, one Ctrl-C."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

_RESTART_S = 1.0
_RESTART_MOST_S = 30.0
_STEADY_S = 60.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """A process to keep running. `environment` is its whole environment."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


async def supervise(programs: Sequence[Program], *, grace_s: float) -> None:
    """Keeps every program running until SIGINT or SIGTERM, then ends them all.

    A program that ends by itself is started again, later each time it fails soon.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as group:
        for program in programs:
            group.create_task(_keep(program, stop, grace_s))


async def _keep(program: Program, stop: asyncio.Event, grace_s: float) -> None:
    delay = _RESTART_S
    while not stop.is_set():
        started = time.monotonic()
        code = await _once(program, stop, grace_s)
        if stop.is_set():
            return
        if time.monotonic() - started > _STEADY_S:
            delay = _RESTART_S
        click.echo(f"{program.name}: ended with {code}, starts again in {delay:g} s", err=True)
        try:
            await asyncio.wait_for(stop.wait(), delay)
        except TimeoutError:
            delay = min(delay * 2, _RESTART_MOST_S)


async def _once(program: Program, stop: asyncio.Event, grace_s: float) -> int:
    # A session of its own: Ctrl-C reaches the supervisor only, which then stops them in order.
    process = await asyncio.create_subprocess_exec(
        *program.command,
        env=dict(program.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=_end_with_parent,
        limit=1 << 20,
    )
    relay = asyncio.create_task(_relay(program.name, process))
    ended = asyncio.create_task(process.wait())
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not ended.done():
        await _end(process, grace_s)
    await relay
    return await ended


def _end_with_parent() -> None:
    """Asks Linux to end this process when its parent dies, SIGKILL included: no orphans."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def _relay(name: str, process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        sys.stderr.write(f"{name:<10} {line.decode(errors='replace')}")
        sys.stderr.flush()


async def _end(process: asyncio.subprocess.Process, grace_s: float) -> None:
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace_s)
    except TimeoutError:
        process.kill()
