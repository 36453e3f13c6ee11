"""Kind, Column, Table: the one definition from which every room derives its own spelling.

A *standard frame* holds a column as a numpy array of the Kind's `frame` dtype, in wire integers:
prices as int64 at 1e-9, timestamps as uint64 nanoseconds since 1970, characters as their byte.
Null is spelled by the column's sentinel there, and as SQL NULL in the table; nothing else is null.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from ingestor.vocabulary import Schema

INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sort of value is spelled in each room.

    Attributes:
        name: What the docs call it.
        frame: numpy dtype in the standard frame; for text the widest one (``S71`` holds 71 bytes).
        sql: PostgreSQL type.
        width: Bytes of the value in a binary COPY; 0 where they vary from row to row.
        arrow: Arrow type name.
        lowest: Smallest storable frame value, inclusive.
        highest: Largest storable frame value, inclusive; the sentinel may lie beyond it.
        step: Values must be multiples of it (bars fall on whole seconds).
    """

    name: str
    frame: str
    sql: str
    width: int
    arrow: str
    lowest: int | None = None
    highest: int | None = None
    step: int = 1


# u64 nanoseconds reach the year 2554, inside TIMESTAMPTZ: the sentinel is the only value to fear.
TIMESTAMP = Kind("timestamp", "u8", "TIMESTAMPTZ", 8, "timestamp[ns, UTC]", 0, UINT64_MAX - 1)
WHOLE_SECOND = Kind(
    "timestamp, whole seconds",
    "u8",
    "TIMESTAMPTZ",
    8,
    "timestamp[ns, UTC]",
    0,
    UINT64_MAX - 1,
    step=NANOSECONDS,
)
NANOS = Kind("nanoseconds below the microsecond", "i2", "SMALLINT", 2, "int16", 0, 999)
# −2^63 has no positive twin and no meaning on the wire; 2^63 − 1 is the sentinel.
PRICE = Kind("price", "i8", "NUMERIC", 20, "decimal128(38, 9)", -INT64_MAX, INT64_MAX - 1)
COUNT64 = Kind("64-bit count", "u8", "BIGINT", 8, "int64", 0, INT64_MAX)
INT64 = Kind("signed 64 bit", "i8", "BIGINT", 8, "int64")
UINT64 = Kind("unsigned 64 bit", "u8", "NUMERIC(20)", 18, "uint64")
UINT32 = Kind("unsigned 32 bit", "u4", "BIGINT", 8, "int64")
INT32 = Kind("signed 32 bit", "i4", "INTEGER", 4, "int32")
UINT16 = Kind("unsigned 16 bit", "u2", "INTEGER", 4, "int32")
INT16 = Kind("signed 16 bit", "i2", "SMALLINT", 2, "int16")
UINT8 = Kind("unsigned 8 bit", "u1", "SMALLINT", 2, "int16")
INT8 = Kind("signed 8 bit", "i1", "SMALLINT", 2, "int16")
# A byte past 0x7f alone is no UTF-8, and one such byte kills a whole COPY.
CHARACTER = Kind("character", "u1", "TEXT", 1, "string", 0, 0x7F)
TEXT = Kind("text", "S71", "TEXT", 0, "string")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a standard table.

    Attributes:
        name: As in the table and the frame.
        kind: How its values are spelled.
        doc: One sentence for users, with the unit.
        null: The frame value stored as NULL (empty bytes for text); None where the column is never
            null.
        required: The sentinel of a NOT NULL column; a record that holds it is quarantined.
        nanos_of: The timestamp column whose last three digits this one keeps; not in the frame.
        ledger: Filled in by the loader (chunk_id, ordinal), not by the source.
    """

    name: str
    kind: Kind
    doc: str
    null: int | bytes | None = None
    required: int | None = None
    nanos_of: str | None = None
    ledger: bool = False

    @property
    def nullable(self) -> bool:
        return self.null is not None

    @property
    def in_frame(self) -> bool:
        return not self.ledger and self.nanos_of is None


@dataclass(frozen=True)
class Table:
    """One standard table; DDL, COPY encoder, checks and docs are derived from it.

    Attributes:
        name: Table name in namespace ``public``.
        schemas: Record schemas stored in it.
        columns: In DDL order, widest first, which saves padding.
        key: Primary key columns, in index order.
        time_column: The hypertable's dimension.
        index_column: The index timestamp: what a request's start and end filter on.
        interval_days: Days of a hypertable chunk.
        doc: One sentence for users.
        record: Name of the Pydantic model of one record.
        ticks: Whether setting `store.trades_interval` decides about the hypertable chunk instead.
        main: Columns that a terminal has room for, beside time and symbol; empty for all.
    """

    name: str
    schemas: tuple[Schema, ...]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time_column: str
    index_column: str
    interval_days: int
    doc: str
    record: str
    ticks: bool = False
    main: tuple[str, ...] = ()
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {c.name: c for c in self.columns})

    def __getitem__(self, name: str) -> Column:
        return self._by_name[name]

    def __hash__(self) -> int:
        return hash(self.name)

    @cached_property
    def frame_columns(self) -> tuple[Column, ...]:
        """The columns a standard frame holds."""
        return tuple(c for c in self.columns if c.in_frame)

    @cached_property
    def value_columns(self) -> tuple[str, ...]:
        """All but the key and chunk_id: what makes two records of one key differ."""
        return tuple(c.name for c in self.columns if c.name not in (*self.key, "chunk_id"))

    @property
    def numbered(self) -> bool:
        """Whether `ordinal` tells records of one key apart; else a repeat is refused."""
        return "ordinal" in self.key


def chunk_id() -> Column:
    """The column that says which chunk wrote a row."""
    return Column(
        "chunk_id", INT32, "The ledger's chunk that wrote the row: its receipt and payload.",
        ledger=True,
    )  # fmt: skip


def ordinal() -> Column:
    """The last column of the key where records may share all others."""
    return Column(
        "ordinal",
        INT16,
        "0, 1, 2 … among records that share every other key column, in delivery order.",
        ledger=True,
    )


def nanos(of: str, *, nullable: bool = False) -> Column:
    """The column beside timestamp `of` that makes it exact; NULL where that is."""
    return Column(
        f"{of}_ns", NANOS, f"The 0–999 ns of {of} below its microsecond.",
        null=UINT64_MAX if nullable else None, nanos_of=of,
    )  # fmt: skip
