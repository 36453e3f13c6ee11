"""How a simulator is started."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from ingestor.errors import BadSettings
from ingestor.simulator.archive import Archive
from ingestor.simulator.calendar import number
from ingestor.simulator.faults import Fault
from ingestor.simulator.folder import FolderArchive
from ingestor.simulator.made_archive import MadeArchive, Terms

KEY: Final = "db-SimulatorKeySimulatorKey00000"
"""A made-up key of the right form; any other of that form will do too."""

_KEY_FORM: Final = re.compile(r"db-\S{29}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """Defaults make a market of 18 months, with limits as documented.

    Attributes:
        host: A loopback address.
        port: 0 for a free one.
        seed: Another seed makes other records of the same instruments.
        per_day: Trades, and at most so many bars, per instrument, publisher and day.
        first: First day with data.
        past: Day after the last one.
        folder: DBN files to serve instead of a made-up market.
        limits: Whether the documented rate limits are enforced.
        key: The only key that is accepted; None for any of the right form.
        faults: Armed from the beginning.
        resolve_closed_days: Whether symbols resolve where a range has no session. The provider
            refuses such ranges (422); with this they are answered with no records.
        keep_mb: MB of payloads that are kept, to be streamed again as they are.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    per_day: int = 1_000
    first: dt.date = dt.date(2024, 1, 1)
    past: dt.date = dt.date(2025, 7, 1)
    folder: Path | None = None
    limits: bool = True
    key: str | None = None
    faults: tuple[Fault, ...] = field(default=())
    resolve_closed_days: bool = False
    keep_mb: int = 0

    def __post_init__(self) -> None:
        if not _is_loopback(self.host):
            raise BadSettings(
                f"the simulator listens on loopback only, found {self.host!r}",
                hint="use 127.0.0.1 or ::1",
            )
        if self.first >= self.past:
            raise BadSettings(
                f"the range ends on {self.past}, before its start {self.first} has passed",
                hint="let --to be later than --from",
            )
        if self.key is not None and not has_key_form(self.key):
            raise BadSettings(
                "the key has not the form of Databento's: db- and 29 more characters",
                hint="leave --key away to accept any key of that form",
            )

    def archive(self) -> Archive:
        """Raises `BadSettings` where the folder cannot be served."""
        if self.folder is not None:
            return FolderArchive(self.folder)
        return MadeArchive(
            Terms(self.seed, self.per_day),
            number(self.first),
            number(self.past),
            self.resolve_closed_days,
        )


def has_key_form(key: str) -> bool:
    """Whether it is ``db-`` and 29 more characters."""
    return _KEY_FORM.fullmatch(key) is not None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
