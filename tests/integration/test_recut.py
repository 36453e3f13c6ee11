"""A changed mapping of text files: records that move to other days are neither doubled nor lost."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingestor.errors import UnlikeRequest
from ingestor.origins import open_sources
from ingestor.pipeline import run_chunk
from ingestor.settings import Settings
from ingestor.settings.forms import shipped_config_dir
from ingestor.store import ledger
from ingestor.store.database import Database
from tests.acceptance.commands import Here, Said, ask, here
from tests.conftest import Place
from tests.workshops import Workshop

__all__ = ["here"]
pytestmark = [pytest.mark.timescaledb, pytest.mark.redis]

MAPPING = """\
schema: ohlcv-1h
table: ohlcv_1h_data
columns:
  ts_event: {{op: time, field: when, format: "%Y-%m-%d %H:%M", zone: {zone}}}
  instrument_id: {{op: symbol_id, field: code}}
  publisher_id: {{op: constant, value: 60009}}
  open_price: {{op: decimal_price, field: p}}
  high_price: {{op: decimal_price, field: p}}
  low_price: {{op: decimal_price, field: p}}
  close_price: {{op: decimal_price, field: p}}
  volume: {{op: number, field: v}}
  trade_count: {{op: undefined}}
  vwap: {{op: undefined}}
  granularity: {{op: constant, value: 1h}}
  data_source: {{op: constant, value: "csv:Noon"}}
"""
BARS = """\
code,when,p,v
X,2024-08-01 12:00,1,1
X,2024-08-01 23:00,2,2
X,2024-08-02 12:00,3,3
X,2024-08-02 23:00,4,4
"""
UTC_ZONE, NEW_YORK = "UTC", "America/New_York"
LATE = timedelta(hours=4)
TOLD = [datetime(2024, 8, day, hour, tzinfo=UTC) for day in (1, 2) for hour in (12, 23)]
STORED = "SELECT ts_event, volume FROM ohlcv_1h_data ORDER BY 1"


class Office(Workshop):
    """A workshop with a vendor's file of four bars."""

    def zone(self, name: str) -> None:
        """What the mapping says of the file's times from now on."""
        path = self.configs / "mappings" / "csv-files" / "NOON.MADE" / "ohlcv-1h.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MAPPING.format(zone=name))

    def write(self, path: Path) -> tuple[object, ...]:
        """The words that submit the file, cut into days."""
        path.write_text(BARS)
        return (
            "--source", "csv-files", "--path", path, "--dataset", "NOON.MADE", "--schema",
            "ohlcv-1h",
        )  # fmt: skip

    def require_bars(self, later: timedelta = timedelta(0)) -> None:
        """All four, each once, so much later than UTC would say; and the sums are right."""
        wanted = [(at + later, volume) for volume, at in enumerate(TOLD, 1)]
        assert self.fetch(STORED) == wanted
        self.require_sums()

    def again(self, words: tuple[object, ...]) -> Said:
        return self.submit(*words, "--json")

    def attempt(self, *, most: int = 99, broken: bool = False) -> list[UnlikeRequest]:
        """Every chunk that is due, or `most` of them; why some were refused, which then failed.

        Args:
            broken: Whether each fails before anything is read.
        """
        return ask(self._place, lambda database: self._attempts(database, most, broken))

    async def _attempts(self, database: Database, most: int, broken: bool) -> list[UnlikeRequest]:
        due = (
            "SELECT chunk_id FROM ingest.chunks WHERE state IN ('pending', 'queued')"
            " ORDER BY 1 LIMIT $1"
        )
        told = {"worker": "desk/1", "lease_s": 60, "max_lost": 3}
        refused = []
        for row in await database.fetch(due, most):
            claim = await ledger.claim(database, row["chunk_id"], **told)
            assert claim is not None
            try:
                if broken:
                    raise UnlikeRequest("it broke")
                sources = open_sources(self._settings)
                await run_chunk(database, claim, self._settings, sources, worker="desk/1")
            except UnlikeRequest as error:
                await ledger.fail(database, claim, code="UnlikeRequest", text=error.message)
                refused.append(error)
        await ledger.end_jobs(database)
        return refused


@pytest.fixture
def office(here: Here, settings: Settings, place: Place, tmp_path: Path) -> Office:
    configs = tmp_path / "configs"
    shutil.copytree(shipped_config_dir(), configs)
    made = Office(here, settings.model_copy(update={"config_dir": configs}), place)
    made.zone(UTC_ZONE)
    return made


DAYS = ("--chunk-days", "1", "--name", "noon")


@pytest.mark.parametrize("more", [DAYS, ("--name", "noon")], ids=["two chunks", "one chunk"])
def test_records_that_move_to_another_day_are_moved_whole(
    office: Office, tmp_path: Path, more: tuple[str, ...]
) -> None:
    """By one chunk for the file; and the same bytes submitted then are found stored."""
    words = office.write(tmp_path / "noon.csv")
    assert office.done(*words, *more).json["records"]["stored"] == 4
    office.require_bars()
    office.zone(NEW_YORK)
    _, records = office.replayed("noon")
    assert (records["fetched"], records["stored"], records["quarantined"]) == (4, 4, 0)
    office.require_bars(LATE)
    said = office.done(*words, *more)
    assert (said.json["records"]["stored"], said.json["records"]["already_stored"]) == (0, 4)
    office.require_bars(LATE)


def test_there_and_back_again(office: Office, tmp_path: Path) -> None:
    """The former mapping restored: its slices are not loaded one by one under a newer whole.

    Nor does it matter which of the jobs is replayed.
    """
    words = office.write(tmp_path / "noon.csv")
    office.done(*words, *DAYS)
    office.zone(NEW_YORK)
    second, _ = office.replayed("noon")
    office.zone(UTC_ZONE)
    office.replayed("noon")
    office.require_bars()
    office.zone(NEW_YORK)
    office.replayed(second)
    office.require_bars(LATE)


def test_slices_of_the_same_mapping_are_replayed_one_by_one(office: Office, tmp_path: Path) -> None:
    words = office.write(tmp_path / "noon.csv")
    office.done(*words, *DAYS)
    again, records = office.replayed("noon")
    query = "SELECT count(*) FROM ingest.chunks WHERE job_id = $1::TEXT::UUID"
    assert office.fetch(query, again) == [(2,)]
    assert (records["stored"], records["already_stored"]) == (0, 4)
    office.require_bars()


def test_slices_of_several_jobs_and_copies_are_one_payload(office: Office, tmp_path: Path) -> None:
    """Whoever loaded them: what the bytes do not make any more is taken away."""
    words = office.write(tmp_path / "noon.csv")
    copy = office.write(tmp_path / "copy.csv")
    office.done(*words, "--name", "first", "--end", "2024-08-02")
    office.done(*copy, "--name", "second", "--start", "2024-08-02")
    office.require_bars()
    office.zone(NEW_YORK)
    office.replayed("first")
    office.require_bars(LATE)
    office.replayed("second")
    office.require_bars(LATE)


def test_the_bytes_are_not_loaded_beside_what_another_mapping_made_of_them(
    office: Office, tmp_path: Path
) -> None:
    """Submitted again, under another name or as a copy: refused, and nothing is recorded."""
    words = office.write(tmp_path / "noon.csv")
    office.done(*words, *DAYS)
    office.zone(NEW_YORK)
    jobs = office.fetch("SELECT job_id FROM ingest.jobs")
    for each in (words, (*words, "--force"), office.write(tmp_path / "copy.csv")):
        refused = office.again(each)
        assert refused.code == 2
        assert "were loaded by job noon by another mapping" in refused.err
        assert "hdi replay" in refused.nexts[0]
    assert office.fetch("SELECT job_id FROM ingest.jobs") == jobs
    office.require_bars()


def test_a_chunk_that_another_mapping_cut_is_refused(office: Office, tmp_path: Path) -> None:
    """Tried again, it would read other records than were planned, and as many of them."""
    words = office.write(tmp_path / "noon.csv")
    job = office.again((*words, *DAYS)).json["job_id"]
    assert office.attempt(most=1) == []
    office.attempt(broken=True)
    assert [volume for _, volume in office.fetch(STORED)] == [1, 2]
    office.zone(NEW_YORK)
    retried = office.hdi("retry", job)
    assert retried.code == 0, retried.err
    [refused] = office.attempt()
    assert "its days were cut by the former one" in refused.message
    assert f"hdi replay {job[:8]}" in refused.hint
    assert [volume for _, volume in office.fetch(STORED)] == [1, 2]
    office.require_sums()
    office.replayed("noon")
    office.require_bars(LATE)


def test_what_was_never_loaded_is_submitted_again(office: Office, tmp_path: Path) -> None:
    words = office.write(tmp_path / "noon.csv")
    assert office.again((*words, *DAYS)).code == 0
    office.zone(NEW_YORK)
    assert len(office.attempt()) == 2
    assert office.fetch(STORED) == []
    assert office.done(*words, "--name", "anew").json["records"]["stored"] == 4
    office.require_bars(LATE)


def test_what_slices_had_flagged_or_refused_counts_no_more(office: Office, tmp_path: Path) -> None:
    """Of every slice, also of those that the replay does not name."""
    flag = '{id: odd, check: "volume == 0", severity: flag}'
    last = '{id: last, check: "volume < 4", severity: quarantine}'
    office.rules(flag, last, table="ohlcv_1h_data")
    words = office.write(tmp_path / "noon.csv")
    office.done(*words, *DAYS)
    listed = office.hdi("quarantine", "list", "--flagged", "--json").json
    assert listed["total"] == 3
    office.zone(NEW_YORK)
    office.rules(table="ohlcv_1h_data")
    office.replayed("noon")
    office.require_bars(LATE)
    assert office.hdi("quarantine", "list", "--json").json["total"] == 0
    assert office.hdi("quarantine", "list", "--flagged", "--json").json["total"] == 0
