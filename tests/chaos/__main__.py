"""``python -m tests.chaos``: what scripts/chaos runs."""

from __future__ import annotations

import logging
import signal
import sys

import orjson

from tests.chaos.campaign import run
from tests.chaos.ground import refuse_foreign_settings
from tests.chaos.options import parse
from tests.chaos.sums import table


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> int:
    options = parse()
    if options.sums:
        for line in table([orjson.loads(file.read_bytes()) for file in options.sums]):
            _say(line)
        return 0
    # Whoever stops us, everything that was started ends with us.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    refuse_foreign_settings()
    # asyncpg and aiohttp tell at length of what is injected.
    logging.disable(logging.CRITICAL)
    report = run(options, _say)
    for line in report.lines():
        _say(line)
    return 0 if report.sound else 1


if __name__ == "__main__":
    sys.exit(main())
