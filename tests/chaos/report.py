"""What came of a run: faults per kind, what was compared, what is amiss."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.chaos.oracle import Findings
from tests.chaos.storm import Tally


@dataclass
class Report:
    """One run.

    Attributes:
        seconds: Of the whole run; `storm_s` of them faults were injected, `drain_s` it took until
            everything was final after the last one.
        amiss: Every violation of what must hold; empty where all is well.
        notes: What does not concern the product: kinds left out, faults that found no victim.
    """

    seed: int
    tally: Tally
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0
    drain_s: float = 0.0
    jobs: int = 0
    retried: int = 0
    longest_unheld_s: float = 0.0
    starts: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    logged: dict[str, int] = field(default_factory=dict)
    amiss: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """What is amiss; a run in which nothing happened proves nothing."""
        return self.amiss + [
            f"{what}: nothing is proven"
            for what, count in {
                "no fault had an effect": self.tally.total,
                "no job was accepted": self.jobs,
                "no chunk was looked at": self.findings.chunks.total(),
                "no row was compared": self.findings.rows.total(),
            }.items()
            if not count
        ]

    def as_json(self) -> dict[str, object]:
        return {
            "seed": self.seed,
            "sound": self.sound,
            "faults": self.tally.total,
            "by_kind": dict(sorted(self.tally.hit.items())),
            "families": dict(sorted(self.tally.families.items())),
            "by_family": dict(sorted(self.tally.by_family().items())),
            "consisting_of": self._beside(),
            "missed": dict(sorted(self.tally.missed.items())),
            "seconds": round(self.seconds, 1),
            "storm_s": round(self.tally.seconds, 1),
            "drain_s": round(self.drain_s, 1),
            "faults_per_s": round(self.tally.total / max(self.tally.seconds, 0.001), 2),
            "jobs": self.jobs,
            "chunks": dict(self.findings.chunks),
            "rows_compared": {str(name): count for name, count in self.findings.rows.items()},
            "quarantined_compared": self.findings.quarantined,
            "already_stored": self.findings.already_stored,
            "dead_letters_retried": self.retried,
            "longest_unheld_s": round(self.longest_unheld_s, 2),
            "attempts": self.attempts,
            "process_starts": self.starts,
            "simulator_log": self.logged,
            "amiss": self.wrong,
            "notes": self.notes,
        }

    def _beside(self) -> dict[str, dict[str, int]]:
        return {kind: dict(some) for kind, some in sorted(self.tally.beside.items()) if some}

    def _told(self, kind: str) -> str:
        """What a kind's faults consisted of, such as ``  (40 messages)``."""
        some = self.tally.beside.get(kind)
        return f"  ({', '.join(f'{n} {what}' for what, n in some.items())})" if some else ""

    def write(self, file: Path) -> None:
        file.write_bytes(orjson.dumps(self.as_json(), option=orjson.OPT_INDENT_2) + b"\n")

    def lines(self) -> list[str]:
        """For people."""
        told = self.as_json()
        made = [f"{'fault, its effect seen':44} {'count':>6}"]
        made += [
            f"  {kind:42} {count:6}{self._told(kind)}"
            for kind, count in self.tally.hit.most_common()
        ]
        made += [f"{name:44} {count:6}" for name, count in sorted(self.tally.by_family().items())]
        made += [
            f"{'all faults':44} {self.tally.total:6}",
            f"seed {self.seed}: {told['faults_per_s']} faults/s over {told['storm_s']} s",
            f"all final {told['drain_s']} s after the last fault; {told['seconds']} s in all",
            f"{self.jobs} jobs, chunks {told['chunks']}, attempts {self.attempts}",
            f"rows compared by value: {told['rows_compared']}",
            f"quarantined records compared: {self.findings.quarantined}",
            f"rows that overlapping jobs found stored already: {self.findings.already_stored}",
            f"held by nobody for at most {told['longest_unheld_s']} s",
            f"dead letters retried: {self.retried}; process starts: {self.starts}",
        ]
        made += [f"note: {each}" for each in self.notes]
        made += [f"AMISS: {each}" for each in self.wrong]
        return [*made, f"chaos: {'all is well' if self.sound else 'FAILED'}"]
