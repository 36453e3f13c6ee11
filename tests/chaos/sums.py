"""Reports of several runs added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def table(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Faults per family and kind of all runs, in Markdown, and what the runs looked at."""
    families = {kind: name for each in reports for kind, name in each["families"].items()}
    kinds = _sum(each["by_kind"] for each in reports)
    sums = _sum(each["by_family"] for each in reports)
    beside = {
        kind: _sum(each["consisting_of"].get(kind, {}) for each in reports) for kind in families
    }
    seeds = ", ".join(str(each["seed"]) for each in reports)
    yield f"| fault, its effect seen (seeds {seeds}) | count |"
    yield "|---|---|"
    for family, count in sums.most_common():
        yield f"| **{family}** | **{count:,}** |"
        for kind in sorted(each for each in kinds if families[each] == family):
            yield f"| {kind}{_told(beside[kind])} | {kinds[kind]:,} |"
    yield f"| **all** | **{sums.total():,}** |"
    yield ""
    yield _seen(reports)
    for each in reports:
        yield from (f"Amiss with seed {each['seed']}: {what}" for what in each["amiss"])


def _seen(reports: Sequence[Mapping[str, Any]]) -> str:
    chunks = _sum(each["chunks"] for each in reports)
    told = ", ".join(f"{count:,} {state}" for state, count in chunks.most_common())
    rows = _sum(each["rows_compared"] for each in reports).total()
    quarantined, jobs = (sum(each[name] for each in reports) for name in (_QUARANTINED, "jobs"))
    sound = sum(bool(each["sound"]) for each in reports)
    return (
        f"{len(reports)} runs, {sound} of them sound; {jobs:,} jobs of {chunks.total():,} chunks "
        f"({told}); {rows:,} rows and {quarantined:,} quarantined records compared; all final at "
        f"most {max(each['drain_s'] for each in reports):g} s after the last fault; no chunk was "
        f"held by nobody for longer than {max(each['longest_unheld_s'] for each in reports):g} s."
    )


_QUARANTINED = "quarantined_compared"


def _sum(some: Iterable[Mapping[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for each in some:
        found.update(each)
    return found


def _told(some: Counter[str]) -> str:
    return f" ({', '.join(f'{count:,} {what}' for what, count in some.items())})" if some else ""
