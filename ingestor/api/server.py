"""uvicorn, run the way the other processes run: our logs, and a signal is a good end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI

# Requests under way get this long to end; below the grace of `hdi up` and of containers.
_GRACE_S: Final = 5


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stops on a signal. uvicorn's own raises it again behind the end, which is exit -15."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        for number in numbers:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


def run(app: FastAPI, listening: socket.socket) -> None:
    """Answers on the socket until SIGINT or SIGTERM; a second SIGINT does not wait for requests."""
    config = uvicorn.Config(
        app, lifespan="on", ws="none", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=_GRACE_S,
    )  # fmt: skip
    asyncio.run(_Server(config).serve(sockets=[listening]))
