"""The answers of ``metadata.*`` and ``symbology.resolve``: plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from ingestor.simulator import messages
from ingestor.simulator.billing import unit_price
from ingestor.simulator.desk import Desk
from ingestor.simulator.market import DAY
from ingestor.simulator.problems import Answer, bad_parameter, json_answer
from ingestor.simulator.query import Fields, known_dataset, optional_day, parse_lookup
from ingestor.simulator.symbology import as_answer
from ingestor.simulator.times import as_iso

_MODES: Final = ("historical", "historical-streaming", "live")


def list_datasets(desk: Desk, fields: Fields) -> Answer:
    """Those that have data on a day of [start_date, end_date)."""
    found = []
    for dataset in desk.archive.datasets():
        start, end = desk.availability.bounds(dataset)
        first = optional_day(fields, "start_date", start // DAY)
        past = optional_day(fields, "end_date", end // DAY + 1)
        if first * DAY < end and start < past * DAY:
            found.append(dataset)
    return json_answer(found)


def list_schemas(desk: Desk, fields: Fields) -> Answer:
    """Names of schemas."""
    return json_answer(list(desk.archive.schemas(known_dataset(fields, desk.archive))))


def list_fields(desk: Desk, fields: Fields) -> Answer:
    """Name and type of each field of a schema, for the encoding dbn only."""
    del desk
    schema = fields.get("schema", "")
    if schema not in messages.SCHEMAS:
        raise bad_parameter("schema", schema, f"any of {', '.join(messages.SCHEMAS)}")
    if fields.get("encoding") != "dbn":
        raise bad_parameter("encoding", fields.get("encoding", ""), "'dbn'")
    return json_answer(messages.fields(schema))


def list_unit_prices(desk: Desk, fields: Fields) -> Answer:
    """US dollars per gigabyte by mode and schema."""
    dataset = known_dataset(fields, desk.archive)
    prices = {each: unit_price(dataset, each) for each in desk.archive.schemas(dataset)}
    return json_answer([{"mode": mode, "unit_prices": prices} for mode in _MODES])


def list_publishers(desk: Desk, fields: Fields) -> Answer:
    """Those of the datasets served."""
    del fields
    datasets = set(desk.archive.datasets())
    return json_answer([each for each in _publishers() if each["dataset"] in datasets])


def get_dataset_range(desk: Desk, fields: Fields) -> Answer:
    """Of the dataset and of each schema; ends are exclusive."""
    dataset = known_dataset(fields, desk.archive)
    bounds = desk.availability.bounds
    return json_answer(
        {
            **_range(bounds(dataset)),
            "schema": {
                each: _range(bounds(dataset, each)) for each in desk.archive.schemas(dataset)
            },
        }
    )


def get_dataset_condition(desk: Desk, fields: Fields) -> Answer:
    """Both dates are included."""
    dataset = known_dataset(fields, desk.archive)
    start, end = desk.availability.bounds(dataset)
    first = optional_day(fields, "start_date", start // DAY)
    last = optional_day(fields, "end_date", -(-end // DAY) - 1)
    days = desk.availability.listed(dataset, first, last)
    return json_answer([each.as_answer() for each in days])


def get_record_count(desk: Desk, fields: Fields) -> Answer:
    """A number."""
    return json_answer(desk.count(desk.order(fields)))


def get_billable_size(desk: Desk, fields: Fields) -> Answer:
    """Bytes, uncompressed."""
    return json_answer(desk.size(desk.order(fields)))


def get_cost(desk: Desk, fields: Fields) -> Answer:
    """US dollars."""
    return json_answer(desk.cost(desk.order(fields)))


_WORDS: Final = ("OK", "Partially resolved", "Not found")


def resolve(desk: Desk, fields: Fields) -> Answer:
    """Status 206 where some symbols did not resolve; where none did, all are in `not_found`."""
    lookup = parse_lookup(fields, desk.archive)
    book = desk.archive.book(lookup.dataset)
    found = book.resolve(lookup.symbols, lookup.stype_in, lookup.first, lookup.past)
    state = 0 if found.complete else 1 if found.found else 2
    return json_answer(
        {
            "result": as_answer(found, lookup.stype_out),
            "symbols": list(lookup.symbols),
            "stype_in": lookup.stype_in,
            "stype_out": lookup.stype_out,
            "start_date": _date(lookup.first),
            "end_date": _date(lookup.past),
            "partial": list(found.partial),
            "not_found": list(found.not_found),
            "message": _WORDS[state],
            "status": state,
        },
        206 if state == 1 else 200,
    )


Method = Callable[[Desk, Fields], Answer]
METHODS: Final[Mapping[str, tuple[str, Method]]] = {
    "metadata.list_datasets": ("GET", list_datasets),
    "metadata.list_schemas": ("GET", list_schemas),
    "metadata.list_fields": ("GET", list_fields),
    "metadata.list_unit_prices": ("GET", list_unit_prices),
    "metadata.list_publishers": ("GET", list_publishers),
    "metadata.get_dataset_range": ("GET", get_dataset_range),
    "metadata.get_dataset_condition": ("GET", get_dataset_condition),
    "metadata.get_record_count": ("POST", get_record_count),
    "metadata.get_billable_size": ("POST", get_billable_size),
    "metadata.get_cost": ("POST", get_cost),
    "symbology.resolve": ("POST", resolve),
}
"""Method → its verb and what answers it."""


def _range(bounds: tuple[int, int]) -> dict[str, str]:
    return {"start": as_iso(bounds[0]), "end": as_iso(bounds[1])}


def _date(day: int) -> str:
    return as_iso(day * DAY).partition("T")[0]


@lru_cache
def _publishers() -> tuple[dict[str, object], ...]:
    """As the client's own list has them; importing it takes 0.6 s."""
    from databento import Publisher

    return tuple(
        {
            "publisher_id": each.to_int(),
            "dataset": each.dataset.value,
            "venue": each.venue.value,
            "description": each.description,
        }
        for each in Publisher
    )
