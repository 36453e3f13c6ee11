"""Slices whose payload another mapping cuts anew: it is loaded again whole, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ingestor.job import ChunkPlan
from ingestor.sources.cutting import Cutting
from ingestor.sources.source import Source
from ingestor.store.replays import Completed

Recut = Mapping[int, ChunkPlan | None]
"""Chunk → what loads it again: the whole payload, or None where another chunk's plan does."""


def recut(found: Sequence[Completed], source: Source) -> Recut:
    """Plans of all payloads that were cut by another mapping than today's, then or since.

    Records may have moved from slice to slice: slice by slice, one could be taken out of a slice
    that is loaded again before it is stored in the other.
    """
    if not isinstance(source, Cutting):
        return {}
    plans: dict[int, ChunkPlan | None] = {}
    for slices in _by_payload(found):
        if any(_otherwise(each, source) for each in slices):
            whole = source.replan([each.claim for each in slices])
            ids: list[int] = sorted(each.claim.chunk_id for each in slices)
            plans |= dict.fromkeys(ids)
            plans[ids[0]] = replace(whole, replays=ids[0])
    return plans


def _otherwise(each: Completed, source: Cutting) -> bool:
    cut_by = each.claim.cut_by
    return bool(cut_by) and (each.recut or cut_by != source.cut_by(each.claim))


def _by_payload(found: Sequence[Completed]) -> Iterable[Sequence[Completed]]:
    groups: dict[object, list[Completed]] = {}
    for each in found:
        groups.setdefault((each.asked.request_id, each.claim.payload), []).append(each)
    return groups.values()
