"""Whether workers judged a job by the files that a command reads: their folder may be another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ingestor.criteria import Criteria
from ingestor.store.judged_by import judged_by
from ingestor.store.replays import completed_claims

if TYPE_CHECKING:
    from uuid import UUID

    from ingestor.job import Claim
    from ingestor.settings import Settings
    from ingestor.sources.installed import Sources
    from ingestor.store.database import Database

_SHOWN: Final = 8
"""Digits of a hash that are told."""


@dataclass(frozen=True, slots=True)
class Otherwise:
    """Files of one kind that workers read otherwise than this command.

    Attributes:
        kind: ``rules`` or ``mapping``.
        of: Dataset and schema.
        theirs: First digits of the sha256 in the receipts; ``none`` where there were no files.
        ours: The same of the files that this command reads.
        chunks: How many were loaded by theirs.
    """

    kind: str
    of: str
    theirs: str
    ours: str
    chunks: int


async def judged_otherwise(
    database: Database, settings: Settings, sources: Sources, job_id: UUID
) -> list[Otherwise]:
    """What chunks of a job were loaded by, where it differs from the files of `settings`.

    Raises:
        BadRules: One of those files is missing or wrong.
    """
    claims = {each.chunk_id: each for each in await completed_claims(database, job_id)}
    ours: dict[tuple[str, str, str], tuple[str, str]] = {}
    counts: dict[tuple[str, str, str, str], int] = {}
    for each in await judged_by(database, job_id, claims):
        kind = (each.source, each.dataset, each.schema)
        if kind not in ours:
            ours[kind] = _digests(settings, sources, claims[each.chunk_id])
        of = f"{each.dataset} {each.schema}"
        theirs = (each.mapping_hash, each.rules_hash)
        for name, found, own in zip(("mapping", "rules"), theirs, ours[kind], strict=True):
            if found != own:
                key = (name, of, _short(found), _short(own))
                counts[key] = counts.get(key, 0) + 1
    return [Otherwise(*key, chunks) for key, chunks in counts.items()]


def _digests(settings: Settings, sources: Sources, claim: Claim) -> tuple[str, str]:
    criteria = Criteria.of(settings.config_dir, sources.named(claim.source), claim)
    return criteria.mapping.digest, criteria.rulebook.digest


def _short(digest: str) -> str:
    return digest[:_SHOWN] or "none"
