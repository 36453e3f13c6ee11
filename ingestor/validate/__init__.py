"""Which records of a standard frame can be stored: a pandera schema from the Table, a Verdict."""

from ingestor.validate.judge import judge
from ingestor.model.verdict import Rejected, Verdict

__all__ = ["Rejected", "Verdict", "judge"]
