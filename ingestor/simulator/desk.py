"""Everything behind the routes: what a call asks for, resolved, checked, counted and priced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ingestor.dbn import Header
from ingestor.errors import BadSettings
from ingestor.simulator.archive import Archive, Selection
from ingestor.simulator.billing import Till, billable_size, cost
from ingestor.simulator.calendar import number
from ingestor.simulator.conditions import Availability, AvailableRange, DayCondition
from ingestor.simulator.fault_plan import FaultPlan
from ingestor.simulator.faults import CorrectedFault, Fault, MislabelledFault
from ingestor.simulator.kept import Kept
from ingestor.simulator.made_archive import MadeArchive, Terms
from ingestor.simulator.problems import out_of_range, unresolved
from ingestor.simulator.query import Fields, Query, parse_query
from ingestor.simulator.request_log import RequestLog
from ingestor.simulator.symbology import Resolution

if TYPE_CHECKING:
    from ingestor.simulator.messages import Records


@dataclass(frozen=True, slots=True)
class Order:
    """A request that can be served: what was asked, and what its symbols are."""

    query: Query
    resolution: Resolution
    version: int

    def header(self) -> Header:
        """The metadata of its payload."""
        query = self.query
        return Header(
            dataset=query.dataset,
            schema=query.schema,
            start=query.start,
            end=query.end,
            symbols=query.symbols,
            mappings=self.resolution.mappings(),
            stype_in=query.stype_in,
            stype_out=query.stype_out,
            partial=self.resolution.partial,
            not_found=self.resolution.not_found,
            limit=query.limit,
            version=self.version,
        )


class Desk:
    """The gateway's state: archive, availability, faults, bill and log; what it keeps to send."""

    def __init__(self, archive: Archive, kept: Kept | None = None) -> None:
        self.archive = archive
        self.kept = kept
        self.availability = Availability(archive)
        self.faults = FaultPlan()
        self.till = Till()
        self.log = RequestLog()

    def order(self, fields: Fields, *, unresolvable: tuple[str, ...] | None = None) -> Order:
        """Checks and resolves a request.

        Args:
            unresolvable: Symbols that are not to resolve (none for the last one); None where all
                may.

        Raises:
            Refusal: The gateway would not serve it.
        """
        query = parse_query(fields, self.archive)
        self._check_range(query)
        book = self.archive.book(query.dataset)
        resolution = book.resolve(query.symbols, query.stype_in, *query.days)
        if unresolvable is not None:
            resolution = resolution.without(unresolvable or query.symbols[-1:])
        if not resolution.found and not resolution.everything:
            raise unresolved(query.symbols, query.stype_in)
        return Order(query, resolution, self.archive.version(query.dataset, query.schema))

    def count(self, order: Order) -> int:
        """Records that `slices` would hold, the limit included."""
        total = sum(self.archive.count(each) for each in self._selections(order))
        limit = order.query.limit
        return total if limit is None else min(total, limit)

    def size(self, order: Order) -> int:
        """Bytes the order is billed as."""
        return billable_size(order.query.schema, order.version, self.count(order))

    def cost(self, order: Order) -> float:
        """US dollars."""
        return cost(order.query.dataset, order.query.schema, self.size(order))

    def slices(self, order: Order) -> Iterator[Records]:
        """The order's records, a bounded number at a time."""
        left = order.query.limit
        for selection in self._selections(order):
            for records in self.archive.slices(selection):
                if left is None:
                    yield records
                    continue
                yield records[:left]
                left -= len(records[:left])
                if not left:
                    return

    def arm(self, faults: Iterable[Fault]) -> None:
        """Faults wait for their requests; corrections are made at once."""
        wanted = list(faults)
        for each in wanted:
            if isinstance(each, CorrectedFault):
                self._correct(each)
            if isinstance(each, MislabelledFault):
                self._can_mislabel(each)
        self.faults.arm(each for each in wanted if not isinstance(each, CorrectedFault))

    def set_condition(self, condition: DayCondition) -> None:
        """Raises `BadSettings` for a dataset that is not served."""
        self._known(condition.dataset)
        self.availability.set_day(condition)

    def set_range(self, wanted: AvailableRange) -> None:
        """Raises `BadSettings` for a dataset that is not served."""
        if wanted.dataset is not None:
            self._known(wanted.dataset)
        self.availability.set_range(wanted)

    def reset(self) -> None:
        """As started, but without the faults it was started with."""
        self.availability.reset()
        self.faults.reset()
        self.till.reset()
        self.log.reset()
        if isinstance(self.archive, MadeArchive):
            self.archive.corrected.clear()
            self._forget()

    def _can_mislabel(self, fault: MislabelledFault) -> None:
        """Every dataset must have the schema whose records are to be delivered."""
        served = [set(self.archive.schemas(each)) for each in self.archive.datasets()]
        common = set.intersection(*served)
        if fault.schema is not None and fault.schema not in common:
            raise BadSettings(
                f"schema {fault.schema!r} is not served; there are {', '.join(sorted(common))}",
                hint="name one of them",
            )

    def _known(self, dataset: str) -> None:
        datasets = self.archive.datasets()
        if dataset not in datasets:
            raise BadSettings(
                f"dataset {dataset!r} is not served; there are {', '.join(datasets)}",
                hint="name one of them",
            )

    def _correct(self, fault: CorrectedFault) -> None:
        if not isinstance(self.archive, MadeArchive):
            raise BadSettings(
                "a day of files cannot be corrected", hint="change the files, or use a made market"
            )
        self._known(fault.dataset)
        day = number(fault.day)
        per_day = self.archive.terms.per_day if fault.per_day is None else fault.per_day
        self.archive.corrected[fault.dataset, day] = Terms(fault.seed, per_day)
        self._forget()
        known = self.availability.condition(fault.dataset, day)
        modified = fault.last_modified_date or dt.datetime.now(dt.UTC).date()
        self.availability.set_day(replace(known, last_modified_date=modified))

    def _selections(self, order: Order) -> Iterator[Selection]:
        query = order.query
        for start, end in self.availability.served(query.dataset, query.start, query.end):
            yield Selection(query.dataset, query.schema, start, end, order.resolution.selected)

    def _check_range(self, query: Query) -> None:
        first, last = available = self.availability.bounds(query.dataset, query.schema)
        case = ""
        if query.start < first:
            case = "data_start_before_available_start"
        elif query.start >= last:
            case = "data_start_after_available_end"
        elif query.end > last:
            case = "data_end_after_available_end"
        if case:
            raise out_of_range(query.dataset, query.start, query.end, available, case)

    def degraded(self, order: Order) -> list[DayCondition]:
        """Days of the order whose quality is reduced."""
        return self.availability.degraded(order.query.dataset, *order.query.days)

    def _forget(self) -> None:
        if self.kept is not None:
            self.kept.clear()
