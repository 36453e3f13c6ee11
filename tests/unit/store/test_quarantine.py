"""The spool of refused and flagged records: COPY's text format, on disk where there are many."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.errors import LocalFault
from ingestor.model.frame import Frame
from ingestor.model.verdict import Judged, Rule, Severity, Verdict
from ingestor.simulator.market import MONDAY, UNDEFINED_TIME
from ingestor.sources.dbn_raw import raw_records
from ingestor.store.binary_copy import HEADER, TRAILER
from ingestor.store.quarantine import Spool
from ingestor.vocabulary import Schema
from tests.loads import UNDEFINED_PRICE, blank
from tests.records import mapping_of

RANGE = Rule("size.range", Severity.QUARANTINE, ("size",), "size is wrong", of_table=True)
REPEAT = Rule("ordinal.repeat", Severity.QUARANTINE, ("ordinal",), "repeats", of_table=True)
CHEAP = Rule("price-above-size", Severity.QUARANTINE, ("price", "size"), "breaks `price > size`")
_SIGNS = {b"t": b"\t", b"n": b"\n", b"r": b"\r"}
LATE = Rule("late", Severity.FLAG, ("ts_recv",), "came late")


class Wire:
    """Takes what a COPY would send, by table."""

    def __init__(self) -> None:
        self.sent: dict[str, bytes] = {}

    async def copy_to_table(self, table: str, **told: object) -> None:
        self.sent[table] = told["source"].read()  # type: ignore[attr-defined]

    def words(self, table: str) -> list[list[str]]:
        return [line.split("\t") for line in self.sent[table].decode().splitlines()]


def frame(count: int = 1, **fields: object) -> Frame:
    records = blank(count)
    records["ts_recv"] = records["ts_event"] = MONDAY
    records["instrument_id"] = 7
    for name, values in fields.items():
        records[name] = values
    mapping = mapping_of(Schema.TRADES)
    return Frame(
        mapping.table,
        mapping.columns(records),
        records,
        np.arange(3, 3 + count, dtype=np.uint64),
        np.full(count, 2, np.int16),
    )


def judged(of: Frame, *rules: Rule) -> Judged:
    """Every record broke each of the rules."""
    rows = np.repeat(np.arange(len(of)), len(rules))
    return Judged(of.take(rows), np.tile(np.arange(len(rules)), len(of)), rules)


def verdict(
    refused: Judged | None = None, flagged: Judged | None = None, **undecided: int
) -> Verdict:
    none = judged(frame(0))
    listed = flagged or none
    return Verdict(frame(0), refused or none, listed, len(set(listed.frame.position)), undecided)


async def copied(*verdicts: Verdict, flags_kept: int = 10) -> Wire:
    wire = Wire()
    with Spool(5, "ab", flags_kept) as spool:
        for each in verdicts:
            spool.add(each, raw_records)
        await spool.copy_to(wire)  # type: ignore[arg-type]
    return wire


async def test_a_refused_record_is_a_line_of_tabbed_words() -> None:
    """chunk, place, bytes in hex, rule, field, value, reason, publisher, instrument, index time,
    ordinal, hash of the rules, readable values.
    """
    of = frame(size=2**31)
    [words] = (await copied(verdict(judged(of, RANGE)))).words("quarantine")
    assert words[:-1] == [
        "5", "3", rf"\\x{of.raw.tobytes().hex()}", "size.range", "size", "2147483648",
        "size is wrong", "1", "7", str(MONDAY), "2", "ab",
    ]  # fmt: skip
    assert (
        json.loads(words[-1].replace("\\\\", "\\"))["ts_recv"] == "2024-03-11T00:00:00.000000000Z"
    )


async def test_a_flagged_record_is_the_same_without_its_bytes() -> None:
    """It is a row already."""
    [words] = (await copied(verdict(flagged=judged(frame(), LATE)))).words("flagged")
    assert words[:6] == ["5", "3", "late", "ts_recv", "ts_recv 2024-03-11T00:00:00.000000000Z",
                         "came late"]  # fmt: skip
    assert words[6:11] == ["1", "7", str(MONDAY), "2", "ab"]


async def test_a_rule_of_a_file_tells_all_its_columns_for_people() -> None:
    """Prices are decimal there, and null is null."""
    of = frame(2, price=[1_500_000_000, UNDEFINED_PRICE], size=2)
    words = (await copied(verdict(judged(of, CHEAP)))).words("quarantine")
    assert [each[5] for each in words] == ["price 1.5, size 2", "price null, size 2"]


async def test_a_rule_of_a_table_tells_the_number_of_the_wire() -> None:
    """What no column can hold has no other spelling."""
    of = frame(price=UNDEFINED_PRICE)
    broken = Rule("price.range", Severity.QUARANTINE, ("price",), "beyond", of_table=True)
    assert (await copied(verdict(judged(of, broken)))).words("quarantine")[0][5] == str(
        UNDEFINED_PRICE
    )
    assert (await copied(verdict(judged(of, REPEAT)))).words("quarantine")[0][5] == "2"


async def test_a_reserved_field_is_told_in_hex() -> None:
    """No column keeps it: its bytes are taken from the wire."""
    records = np.zeros(1, [*blank(1, Schema.STATISTICS).dtype.descr])
    mapping = mapping_of(Schema.STATISTICS)
    records["_reserved"] = b"\1\2"
    of = Frame(
        mapping.table, mapping.columns(records), records, np.zeros(1, np.uint64),
        np.zeros(1, np.int16),
    )  # fmt: skip
    rule = Rule("_reserved.reserved", Severity.QUARANTINE, ("_reserved",), "holds", of_table=True)
    none = judged(of.take(np.zeros(1, np.bool_)))
    sent = await copied(Verdict(of, judged(of, rule), none, 0, {}))
    assert sent.words("quarantine")[0][5] == "0102"


async def test_what_could_not_be_read_has_no_value() -> None:
    """The column holds anything there; the bytes tell what was delivered."""
    of = frame(size=9)
    unread = Frame(
        of.table, of.columns, of.raw, of.position, of.ordinal, {"size": np.ones(1, np.bool_)}
    )
    rule = Rule("size.unread", Severity.QUARANTINE, ("size",), "is no number", of_table=True)
    [words] = (await copied(verdict(judged(unread, rule)))).words("quarantine")
    assert (words[5], json.loads(words[-1])["size"]) == ("", None)


async def test_a_record_without_an_index_timestamp_has_none_in_quarantine() -> None:
    """Null, not the number that stands for undefined on the wire."""
    of = frame(ts_recv=UNDEFINED_TIME)
    [words] = (await copied(verdict(judged(of, RANGE)))).words("quarantine")
    assert words[9] == r"\N"


@given(st.text(min_size=1))
async def test_what_would_end_a_word_is_escaped(reason: str) -> None:
    """Tabs, line ends and backslashes are COPY's own signs, and NUL is no text of PostgreSQL's."""
    rule = Rule("r", Severity.QUARANTINE, ("size",), reason)
    line = (await copied(verdict(judged(frame(), rule)))).sent["quarantine"]
    assert (line.count(b"\t"), line.count(b"\n"), line.count(b"\0")) == (12, 1, 0)
    word = line.split(b"\t")[6]
    read = re.sub(rb"\\(.)", lambda sign: _SIGNS.get(sign[1], sign[1]), word)
    assert read == reason.replace("\0", "\\0").encode("utf-8", "backslashreplace")


async def test_values_are_escaped_each_for_itself() -> None:
    """One value with a tab, or with the sign that values are joined by, spoils no other's."""
    mapping = mapping_of(Schema.DEFINITION)
    records = blank(3, Schema.DEFINITION)
    records["raw_symbol"] = [b"a\tb", b"c\x1fd", b"e\\"]
    of = Frame(
        mapping.table, mapping.columns(records), records, np.arange(3, dtype=np.uint64),
        np.zeros(3, np.int16),
    )  # fmt: skip
    rule = Rule("named", Severity.QUARANTINE, ("raw_symbol",), "is odd")
    none = judged(of.take(np.zeros(3, np.bool_)))
    sent = await copied(Verdict(of, judged(of, rule), none, 0, {}))
    values = [words[5] for words in sent.words("quarantine")]
    assert values == [r"raw_symbol a\tb", "raw_symbol c\x1fd", r"raw_symbol e\\"]


async def test_nothing_is_copied_where_nothing_was_rejected() -> None:
    """A sound chunk costs no statement."""
    assert (await copied(verdict())).sent == {}


async def test_the_spool_counts_by_rule() -> None:
    """The receipt's counts are these, over all batches."""
    with Spool(7, "", 10) as spool:
        spool.add(
            verdict(judged(frame(2), RANGE), judged(frame(3), LATE, CHEAP), odd=4), raw_records
        )
        spool.add(verdict(judged(frame(1), CHEAP), odd=1, late=1), raw_records)
        assert (spool.count, spool.flagged_records) == (3, 3)
        assert spool.rejected == {"size.range": 2, "price-above-size": 1}
        assert spool.flags == {"late": 3, "price-above-size": 3}
        assert spool.undecided == {"odd": 5, "late": 1}


async def test_of_flagged_records_each_rule_lists_its_first() -> None:
    """However many there are, so many are listed for each rule; all are counted."""
    wire = Wire()
    with Spool(7, "", 3) as spool:
        spool.add(verdict(flagged=judged(frame(2), LATE)), raw_records)
        spool.add(verdict(flagged=judged(frame(4), LATE, CHEAP)), raw_records)
        await spool.copy_to(wire)  # type: ignore[arg-type]
        assert spool.flags == {"late": 6, "price-above-size": 4}
    listed = [words[2] for words in wire.words("flagged")]
    assert (listed.count("late"), listed.count("price-above-size")) == (3, 3)


async def test_rows_of_refused_records_go_out_as_one_binary_copy() -> None:
    """Whatever batches they came in; a batch without any adds nothing."""
    wire = Wire()
    with Spool(7, "", 0) as spool:
        assert not spool.refuses
        for rows in (b"", b"one", b"", b"two"):
            spool.refuse(memoryview(rows))
        assert spool.refuses
        await spool.copy_refused(wire, "stage", ["a"])  # type: ignore[arg-type]
    assert wire.sent == {"stage": HEADER + b"onetwo" + TRAILER}


def test_a_temporary_folder_that_is_full_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not as an answer of the database, which would be waited for."""
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", _full)
    with Spool(7, "", 0) as spool, pytest.raises(LocalFault, match="No space left on device"):
        spool.add(verdict(judged(frame(), RANGE)), raw_records)


def _full(_: int) -> object:
    return open("/dev/full", "wb", buffering=0)  # noqa: PTH123


_HALF_A_MILLION = """
import resource
from tests.unit.store.test_quarantine import CHEAP, frame, judged, raw_records, verdict
from ingestor.store.quarantine import Spool

refused = verdict(judged(frame(10_000), CHEAP))
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with Spool(7, "ab" * 32, 10) as spool:
    spool.add(refused, raw_records)
    before = peak()
    for _ in range(49):
        spool.add(refused, raw_records)
    print(spool.count, round(peak() - before))
"""


def test_half_a_million_refused_records_fit_into_a_process_of_some_megabytes() -> None:
    """Peak memory of the whole process, beyond what the first 10,000 took: 250 MB of lines go to
    disk.
    """
    done = subprocess.run(
        [sys.executable, "-c", _HALF_A_MILLION], capture_output=True, text=True, check=True
    )
    count, megabytes = map(int, done.stdout.split())
    assert count == 500_000
    assert megabytes < 25
