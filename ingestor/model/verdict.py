"""The verdict over one frame: what is stored, and what is quarantined with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from ingestor.model.frame import Frame


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that cannot be stored.

    Attributes:
        position: 0-based place in the payload.
        raw: The wire record's bytes, as delivered.
        rule: Stable id of the rule it broke, e.g. ``ts_recv.required``.
        field: Column at fault.
        value: The value found, in wire spelling.
        reason: One sentence for people.
        index_ns: Index timestamp, nanoseconds since 1970; None where it is undefined.
        ordinal: As in `Frame`: place among all delivered records of its key, stored or not.
    """

    position: int
    raw: bytes
    rule: str
    field: str
    value: str
    reason: str
    publisher_id: int
    instrument_id: int
    index_ns: int | None
    ordinal: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """A frame, judged: what is stored, and what is not."""

    accepted: Frame
    rejected: tuple[Rejected, ...]
