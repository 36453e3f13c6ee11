"""The simulator as a server: `serve` in the foreground, `running` in a thread of this process.

Example:
    >>> with running(SimulatorOptions(per_day=100)) as gateway:
    ...     client = historical_client(gateway.url)  # base URLs rewritten to http
    ...     gateway.fault("status", status=503, count=2)
    ...     client.timeseries.get_range("GLBX.MDP3", "2024-03-11", "2024-03-12", symbols="ESM4")
    ...     gateway.bill().usd, gateway.requests()[-1].status
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Final

from aiohttp import web

from ingestor import __version__
from ingestor.errors import BadSettings
from ingestor.simulator.billing import Bill
from ingestor.simulator.conditions import AvailableRange, Condition, DayCondition
from ingestor.simulator.control import Control
from ingestor.simulator.desk import Desk
from ingestor.simulator.fault_specs import parse_fault
from ingestor.simulator.faults import Fault
from ingestor.simulator.kept import Kept
from ingestor.simulator.options import KEY, SimulatorOptions
from ingestor.simulator.rate_limits import RateLimits
from ingestor.simulator.request_log import Request
from ingestor.simulator.routes import HEADER, Routes
from ingestor.simulator.times import parse_time

_SHUTDOWN_S: Final = 1.0
_START_S: Final = 60.0


class Gateway:
    """A running simulator. Every method may be called from any thread.

    Attributes:
        url: ``http://127.0.0.1:PORT``, for HDI_DATABENTO_GATEWAY.
        key: One that it accepts.
    """

    def __init__(self, desk: Desk, url: str, key: str) -> None:
        self._desk = desk
        self.url = url
        self.key = key

    def environment(self) -> dict[str, str]:
        """Settings that lead HDI's processes here."""
        return {"HDI_DATABENTO_GATEWAY": self.url, "DATABENTO_API_KEY": self.key}

    def bill(self) -> Bill:
        """What was billed so far."""
        return self._desk.till.bill()

    def requests(self, method: str | None = None) -> list[Request]:
        """Calls so far, in the order they ended; of one method where it is named."""
        return [each for each in self._desk.log.all() if method in (None, each.method)]

    def fault(self, kind: str | Fault, **fields: object) -> None:
        """Arms a fault: one that was made, or one of that kind with these fields.

        Raises:
            BadSettings: There is no such kind, field or value.
        """
        fault = kind if isinstance(kind, Fault) else parse_fault({"kind": kind, **fields})
        self._desk.arm([fault])

    def waiting_faults(self) -> list[Fault]:
        """Faults that are not used up."""
        return self._desk.faults.waiting()

    def clear_faults(self) -> None:
        """Disarms what waits; corrected days stay corrected."""
        self._desk.faults.reset()

    def condition(
        self,
        dataset: str,
        date: dt.date | str,
        condition: Condition | str,
        last_modified_date: dt.date | None = None,
    ) -> None:
        """Says how good a day is; the records of a pending or missing one are not delivered."""
        day = dt.date.fromisoformat(date) if isinstance(date, str) else date
        self._desk.set_condition(
            DayCondition(
                dataset=dataset,
                date=day,
                condition=Condition(condition),
                last_modified_date=last_modified_date,
            )
        )

    def available(
        self,
        *,
        start: int | str | None = None,
        end: int | str | None = None,
        dataset: str | None = None,
    ) -> None:
        """Sets the range, UTC nanoseconds or ISO 8601, of one dataset or of all."""
        bounds = [parse_time(each) if isinstance(each, str) else each for each in (start, end)]
        self._desk.set_range(AvailableRange(dataset=dataset, start=bounds[0], end=bounds[1]))

    def reset(self) -> None:
        """Forgets bill, log, faults, corrections, conditions and ranges."""
        self._desk.reset()


@contextmanager
def running(options: SimulatorOptions | None = None) -> Iterator[Gateway]:
    """A simulator in a thread of this process, stopped at the end.

    Raises:
        BadSettings: The folder cannot be served, or the port is taken.
    """
    options = options or SimulatorOptions()
    desk = _desk(options)
    started: Future[tuple[str, asyncio.AbstractEventLoop]] = Future()
    stop = asyncio.Event()
    thread = Thread(target=_run, args=(desk, options, started, stop), name="simulator", daemon=True)
    thread.start()
    url, loop = started.result(_START_S)
    try:
        yield Gateway(desk, url, options.key or KEY)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_S)


def serve(options: SimulatorOptions, started: Callable[[Gateway], None]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        started: Called once it listens.

    Raises:
        BadSettings: The folder cannot be served, or the port is taken.
    """
    desk = _desk(options)

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        key = options.key or KEY
        await _listen(desk, options, lambda url: started(Gateway(desk, url, key)), stop)

    asyncio.run(until_told())


def _desk(options: SimulatorOptions) -> Desk:
    desk = Desk(options.archive(), Kept(options.keep_mb * 10**6) if options.keep_mb else None)
    desk.arm(options.faults)
    return desk


def _run(
    desk: Desk,
    options: SimulatorOptions,
    started: Future[tuple[str, asyncio.AbstractEventLoop]],
    stop: asyncio.Event,
) -> None:
    async def until_told() -> None:
        loop = asyncio.get_running_loop()
        await _listen(desk, options, lambda url: started.set_result((url, loop)), stop)

    try:
        asyncio.run(until_told())
    except BaseException as error:
        # The starting thread raises it; later ones end the thread aloud.
        if started.done():
            raise
        started.set_exception(error)


async def _listen(
    desk: Desk, options: SimulatorOptions, started: Callable[[str], None], stop: asyncio.Event
) -> None:
    """Listens until told to stop; `started` gets the address."""
    runner = web.AppRunner(
        application(desk, options), access_log=None, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, options.host, options.port)
        try:
            await site.start()
        except OSError as error:
            # asyncio's own text names the address once more.
            reason = os.strerror(error.errno or 0)
            raise BadSettings(
                f"the simulator cannot listen on {options.host} port {options.port}: {reason}",
                hint="--port 0 finds a free one",
            ) from error
        started(_url(runner, options.host))
        await stop.wait()
    finally:
        await runner.cleanup()


def application(desk: Desk, options: SimulatorOptions) -> web.Application:
    """The routes over one desk."""
    app = web.Application()
    app.on_response_prepare.append(_mark)
    routes = Routes(desk, RateLimits(enforced=options.limits), options.key)
    app.add_routes([web.route("*", "/v0/{method}", routes.call), *Control(desk).routes()])
    return app


async def _mark(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer says that it is none of the provider's."""
    del request
    response.headers[HEADER] = __version__


def _url(runner: web.AppRunner, host: str) -> str:
    port = runner.addresses[0][1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
