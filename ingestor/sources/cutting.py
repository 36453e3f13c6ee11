"""Payloads that are cut into slices by times that a mapping makes, not by their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ingestor.job import ChunkPlan, Claim


@runtime_checkable
class Cutting(Protocol):
    """A source of such payloads. Its plans say by which mapping (`ChunkPlan.cut_by`).

    By another mapping the same slice holds other records: `fetch` refuses it, and what is stored is
    loaded again by payload, not by slice.
    """

    def cut_by(self, claim: Claim) -> str:
        """Digest of the mapping by which a payload of the claim's kind is cut today.

        Raises:
            BadRules: There is none, or it is wrong.
        """
        ...

    def replan(self, claims: Sequence[Claim]) -> ChunkPlan:
        """One slice of the whole payload that all the claims name, as today's mapping reads it.

        It spans the days of the claims, too, so that nothing they stored is outside.

        Raises:
            PayloadMissing: This host cannot see the payload.
            CorruptPayload: It is damaged, has changed, or is unlike the mapping.
        """
        ...
