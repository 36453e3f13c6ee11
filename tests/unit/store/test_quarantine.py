"""The spool of rejected records: COPY's text format, on disk where there are many."""

from __future__ import annotations

from ingestor.model.verdict import Rejected
from ingestor.store.quarantine import Spool


class Wire:
    """Takes what a COPY would send."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def copy_to_table(self, table: str, **told: object) -> None:
        self.sent.append(told["source"].read())  # type: ignore[attr-defined]


def rejected(value: str = "1", position: int = 3, index: int | None = 5) -> Rejected:
    return Rejected(
        position, b"\x00\xff", "size.range", "size", value, "size is wrong", 1, 7, index, 2
    )


async def copied(*records: Rejected) -> list[bytes]:
    wire = Wire()
    with Spool(7) as spool:
        spool.add(records)
        await spool.copy_to(wire)  # type: ignore[arg-type]
    return wire.sent


async def test_a_record_is_a_line_of_tabbed_words() -> None:
    """chunk, place, bytes in hex, rule, field, value, reason, publisher, instrument, index time,
    ordinal.
    """
    assert await copied(rejected()) == [
        b"7\t3\t\\\\x00ff\tsize.range\tsize\t1\tsize is wrong\t1\t7\t5\t2\n"
    ]


async def test_a_record_without_an_index_timestamp_has_none_in_quarantine() -> None:
    """Null, not the number that stands for undefined on the wire."""
    [line] = await copied(rejected(index=None))
    assert line.endswith(b"\t1\t7\t\\N\t2\n")


async def test_what_would_end_a_word_is_escaped() -> None:
    """Tabs, line ends and backslashes in a value are COPY's own signs."""
    [line] = await copied(rejected("a\tb\nc\\d\re"))
    assert line.split(b"\t")[5] == b"a\\tb\\nc\\\\d\\re"


async def test_nothing_is_copied_where_nothing_was_rejected() -> None:
    """A sound chunk costs no statement."""
    assert await copied() == []


async def test_the_spool_counts_what_it_took() -> None:
    """The receipt's `quarantined` is this number."""
    with Spool(7) as spool:
        spool.add((rejected(), rejected(position=4)))
        spool.add((rejected(position=5),))
        assert spool.count == 3
