"""Validation, in two stages: the payload against its request, then each frame against its rules.

One pandera schema, made of the Table and the rule file in ``configs/validation``, gives a Verdict.
"""

from ingestor.validate.finding import Finding
from ingestor.validate.judge import judge
from ingestor.validate.limit import Limit
from ingestor.validate.raw import check_raw
from ingestor.validate.rule_files import load_rulebook
from ingestor.validate.rulebook import NO_RULES, CompiledRule, Rulebook

__all__ = [
    "NO_RULES",
    "CompiledRule",
    "Finding",
    "Limit",
    "Rulebook",
    "check_raw",
    "judge",
    "load_rulebook",
]
