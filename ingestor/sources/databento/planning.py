"""Plans what to ask Databento for: what was asked, less what it has not, less what is held.

The pure part is `ingestor.plan`; here the provider is asked what it has, and what that costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from uuid import uuid4

from ingestor import plan
from ingestor.days import DayRange, DaySet, date_of_day, midnight
from ingestor.errors import BadJob, UnknownSymbols
from ingestor.job import JobPlan, RequestPlan
from ingestor.manifest import DayCondition, PayloadRequest
from ingestor.model import table_of
from ingestor.sources.databento.conditions import conditions_of, unavailable
from ingestor.sources.databento.defaults import Defaults
from ingestor.sources.databento.meaning import Meaning, shown
from ingestor.sources.databento.provider import Provider
from ingestor.sources.source import Ask, Wanted
from ingestor.steps import counted
from ingestor.vocabulary import ALL_SYMBOLS, Dataset, Schema

_SHOWN = 5
_HELD_ALL = "everything asked for is held already: nothing to fetch"
_NOTHING_THERE = "the provider has none of these days yet: nothing to fetch"


@dataclass(frozen=True, slots=True)
class _Resolved:
    """One schema of the ask on the days that the provider has.

    Attributes:
        days: Wanted and inside the provider's range.
        absent: Of these, the ones that it does not have.
        spans: What has to be asked for.
    """

    want: Wanted
    days: DaySet
    absent: DaySet
    spans: tuple[plan.Span, ...]


class Planner:
    """Asks one provider while it plans."""

    def __init__(self, provider: Provider, defaults: Defaults) -> None:
        self._provider = provider
        self._defaults = defaults

    def plan(self, source: str, ask: Ask) -> JobPlan:
        """The job: chunks that cover what is asked, available and not held, each once.

        Raises:
            BadJob: The ask makes no sense, or the provider does not have it.
            SourceRefused, AuthenticationFailed, PaymentRequired: The provider says no.
        """
        dataset, symbols = self._dataset(ask), _symbols(ask)
        notes: list[str] = []
        resolved = self._resolved(dataset, symbols, ask, notes)
        meaning = Meaning(self._provider, dataset, symbols, ask.stype_in)
        if wanted := _bounds([span for each in resolved for span in each.spans]):
            notes.extend(filter(None, [meaning.unknown(wanted)]))
        requests = tuple(self._request(dataset, symbols, ask, each, notes) for each in resolved)
        if resolved and not any(each.spans for each in resolved):
            there = any(each.days - each.absent for each in resolved)
            notes.append(_HELD_ALL if there else _NOTHING_THERE)
        return JobPlan(
            key=_key(source, dataset, symbols, ask, resolved),
            name=ask.name or _name(dataset, symbols, resolved),
            source=source,
            priority=ask.priority,
            spec=_spec(source, dataset, symbols, ask, resolved),
            requests=requests,
            notes=tuple(notes),
            quoted_usd=self._quoted(source, dataset, ask, resolved),
            realm=self._provider.realm,
            symbology=meaning.intervals(asked) if (asked := _asked(resolved)) else (),
        )

    def _dataset(self, ask: Ask) -> Dataset:
        if ask.dataset is None:
            raise BadJob("no dataset was given", hint="name one with --dataset, e.g. GLBX.MDP3")
        if not ask.wanted:
            raise BadJob("no schema was given", hint="name some with --schema, e.g. ohlcv-1d")
        known = self._provider.datasets()
        if ask.dataset not in known:
            near = get_close_matches(ask.dataset, known, n=3, cutoff=0.6)
            hint = f"did you mean {' or '.join(near)}?" if near else "`hdi datasets` lists them"
            raise BadJob(f"the provider has no dataset {ask.dataset}", hint=hint)
        return Dataset(ask.dataset)

    def _resolved(
        self, dataset: Dataset, symbols: Sequence[str], ask: Ask, notes: list[str]
    ) -> list[_Resolved]:
        # Two requests of one schema in a job may overlap: what one asks, the next leaves out.
        held = {} if ask.force else dict(ask.held)
        found = []
        for want in plan.in_order(ask.wanted):
            each = self._resolve(dataset, symbols, want, held, notes)
            if each is None:
                continue
            found.append(each)
            for symbol in symbols:
                mine = held.get((want.schema, symbol), DaySet())
                held[want.schema, symbol] = mine | (each.days - each.absent)
        return found

    def _resolve(
        self,
        dataset: Dataset,
        symbols: Sequence[str],
        want: Wanted,
        held: Mapping[tuple[Schema, str], DaySet],
        notes: list[str],
    ) -> _Resolved | None:
        days, said = plan.clamp(
            want.start, want.end, self._provider.available(dataset).of(want.schema)
        )
        notes.extend(f"{want.schema}: {line}" for line in said)
        if not days:
            return None
        conditions = conditions_of(self._provider, dataset, days)
        absent = unavailable(conditions)
        notes.extend(f"{want.schema}: {line}" for line in _told(conditions))
        mine = {symbol: some for (schema, symbol), some in held.items() if schema == want.schema}
        return _Resolved(want, days, absent, plan.spans(symbols, days, mine, absent))

    def _request(
        self,
        dataset: Dataset,
        symbols: tuple[str, ...],
        ask: Ask,
        each: _Resolved,
        notes: list[str],
    ) -> RequestPlan:
        schema = each.want.schema
        rules = self._defaults.rules(
            schema,
            all_symbols=symbols == (ALL_SYMBOLS,),
            chunk_days=each.want.chunk_days or ask.chunk_days,
            chunk_symbols=ask.chunk_symbols,
        )
        table, most = table_of(schema), ask.max_hypertable_chunks
        notes.extend(plan.fitting(rules, table, most=most)[1])
        chunks = plan.chunks(each.spans, rules, table, most=most)
        first, past = each.days.ranges[0][0], each.days.ranges[-1][1]
        return RequestPlan(
            dataset, schema, ask.stype_in, symbols, midnight(first), midnight(past), chunks
        )

    def _quoted(
        self, source: str, dataset: Dataset, ask: Ask, resolved: Sequence[_Resolved]
    ) -> float:
        """US dollars for all that has to be asked for: one question per span, free of charge."""
        requests = [
            PayloadRequest(
                source=source, realm=self._provider.realm, dataset=dataset,
                schema_name=each.want.schema, stype_in=ask.stype_in, symbols=span.symbols,
                start=midnight(span.first), end=midnight(span.past),
            )
            for each in resolved
            for span in each.spans
        ]  # fmt: skip
        return sum(map(self._cost, counted("prices asked", requests, len(requests))))

    def _cost(self, request: PayloadRequest) -> float:
        try:
            return self._provider.cost(request)
        except UnknownSymbols:
            return 0.0  # a weekend, say: the provider refuses it, and the chunk is proven empty


def _bounds(spans: Sequence[plan.Span]) -> DayRange | None:
    if not spans:
        return None
    return min(each.first for each in spans), max(each.past for each in spans)


def _asked(resolved: Sequence[_Resolved]) -> DayRange | None:
    ranges = [each for some in resolved for each in some.days.ranges]
    return (min(ranges)[0], max(past for _, past in ranges)) if ranges else None


def _symbols(ask: Ask) -> tuple[str, ...]:
    return tuple(sorted(set(ask.symbols))) or (ALL_SYMBOLS,)


def _told(conditions: Sequence[DayCondition]) -> list[str]:
    """A line per condition that deserves one."""
    groups: dict[str, list[DayCondition]] = {}
    for each in conditions:
        if each.condition != "available":
            groups.setdefault(each.condition, []).append(each)
    return [
        f"{shown([str(each.day) for each in days])} "
        + (f"{condition}: loaded as it is" if days[0].held else f"{condition}: left out")
        for condition, days in groups.items()
    ]


def _name(dataset: str, symbols: Sequence[str], resolved: Sequence[_Resolved]) -> str:
    schemas = ",".join(dict.fromkeys(str(each.want.schema) for each in resolved))
    first = symbols[0] if len(symbols) == 1 else f"{symbols[0]}+{len(symbols) - 1}"
    return " ".join(filter(None, (dataset, schemas, first)))


def _key(
    source: str,
    dataset: str,
    symbols: Sequence[str],
    ask: Ask,
    resolved: Sequence[_Resolved],
) -> str:
    salt = uuid4().hex if ask.force else ""
    days = [(each.want.schema, each.days - each.absent) for each in resolved]
    if not any(some for _, some in days):
        # Nothing is available: only what was asked tells two such jobs apart.
        salt += repr([(each.schema, each.start, each.end) for each in ask.wanted])
    return plan.job_key(source, dataset, ask.stype_in, symbols, days, salt=salt)


def _spec(
    source: str,
    dataset: str,
    symbols: Sequence[str],
    ask: Ask,
    resolved: Sequence[_Resolved],
) -> dict[str, Any]:
    """What was asked, for people: the symbols themselves are in the ledger's symbol groups."""
    return {
        "source": source,
        "dataset": dataset,
        "stype_in": ask.stype_in,
        "symbols": list(symbols[:_SHOWN]),
        "symbol_count": len(symbols),
        "force": ask.force,
        "accept_removals": ask.accept_removals,
        "requests": [
            {
                "schema": str(each.want.schema),
                "start": str(date_of_day(each.days.ranges[0][0])),
                "end": str(date_of_day(each.days.ranges[-1][1])),
                "chunk_days": each.want.chunk_days or ask.chunk_days,
            }
            for each in resolved
        ],
    }
