"""Which records of a standard frame can be stored: a pandera schema from the Table, a Verdict."""

from ingestor.model.verdict import Rejected, Verdict
from ingestor.validate.judge import judge

__all__ = ["Rejected", "Verdict", "judge"]
