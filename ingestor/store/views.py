"""Table → DDL of its view for people: names beside numbers, prices as floats, whole nanoseconds.

Namespace ``market`` has one view per table, named after it without ``_data``. A view holds exactly
the rows of its table: what it joins may be missing (NULL), and never matches twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ingestor.model import Column, Table
from ingestor.model.kind import PRICE
from ingestor.store.schema import qualified

NAMESPACE = "market"

# Of BIGINT's nanoseconds the last, as a microsecond and the rest: casting one more is an error,
# which would end the whole query.
_LAST = "(TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)"


class _Shown(NamedTuple):
    """A column of a view."""

    name: str
    sql: str
    doc: str


_NAMES = (
    _Shown("symbol", "n.symbol",
           "Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where "
           "no payload told one."),
    _Shown("dataset", "p.dataset", "Dataset of the publisher, e.g. GLBX.MDP3."),
    _Shown("venue", "p.venue", "Venue of the publisher; NULL where it is not known."),
)  # fmt: skip

# Not the ranges of market.names: PostgreSQL takes every unnest for 100 rows and plans for those.
_JOINS = """\
FROM {table} t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.{index} AT TIME ZONE 'UTC')::DATE"""

_JOIN_STAT_TYPES = "\nLEFT JOIN public.stat_types s ON s.stat_type = t.stat_type"


def view_name(table: Table) -> str:
    """The view's name with its namespace, e.g. ``market.trades``."""
    return f"{NAMESPACE}.{table.name.removesuffix('_data')}"


def market_view(table: Table) -> list[str]:
    """Every statement that makes the table's view: itself, its comments, who may read it."""
    name, shown = view_name(table), list(_shown(table))
    comments = [_comment(f"COLUMN {name}.{each.name}", each.doc) for each in shown]
    return [
        _create(table, shown),
        _comment(f"VIEW {name}", f"{table.doc} With names, for people."),
        *comments,
        f"GRANT SELECT ON {name} TO hdi_worker, hdi_reader",
    ]


def _create(table: Table, shown: list[_Shown]) -> str:
    columns = ",\n".join(f"    {each.sql} AS {each.name}" for each in shown)
    joins = _JOINS.format(table=qualified(table), index=table.index_column)
    extra = _JOIN_STAT_TYPES if _has_stat_types(table) else ""
    return f"CREATE VIEW {view_name(table)} AS\nSELECT\n{columns}\n{joins}{extra}"


def _shown(table: Table) -> Iterator[_Shown]:
    """Names first, then times, who, prices, the rest, what the ledger adds."""
    yield from _NAMES
    nanos = {column.nanos_of: column.name for column in table.columns if column.nanos_of}
    for column in sorted((c for c in table.columns if c.nanos_of is None), key=_rank):
        yield _Shown(column.name, f"t.{column.name}", column.doc)
        if _is_time(column):
            yield _unix_ns(column, nanos.get(column.name))
        if column.kind is PRICE:
            doc = f"{column.name} as a float, which has 15 digits; {column.name} is exact."
            yield _Shown(f"{column.name}_float", f"t.{column.name}::FLOAT8", doc)
        if column.name == "stat_type":
            doc = "Name of the stat_type; its number where it is not known."
            yield _Shown("stat_name", "coalesce(s.name, t.stat_type::TEXT)", doc)


def _rank(column: Column) -> int:
    if column.ledger:
        return 4
    if _is_time(column):
        return 0
    if column.name in ("publisher_id", "instrument_id"):
        return 1
    return 2 if column.kind is PRICE else 3


def _is_time(column: Column) -> bool:
    return column.kind.sql == "TIMESTAMPTZ"


def _unix_ns(column: Column, below: str | None) -> _Shown:
    time, rest = f"t.{column.name}", f"t.{below}" if below else "0"
    sql = (
        f"CASE WHEN ({time}, {rest}) <= {_LAST}\n"
        f"         THEN (extract(epoch FROM {time}) * 1000000)::BIGINT * 1000 + {rest} END"
    )
    doc = f"{column.name}, whole nanoseconds since 1970; NULL after 2262-04-11."
    return _Shown(f"{column.name}_unix_ns", sql, doc)


def _has_stat_types(table: Table) -> bool:
    return any(column.name == "stat_type" for column in table.columns)


def _comment(what: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"COMMENT ON {what} IS '{quoted}'"
