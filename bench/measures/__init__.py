"""The measures: each takes its samples in turns (A B A B …) and makes figures of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from figures import Measure
from ground import Bench

from measures.answers import help_, read
from measures.chunks import chunks, done, planning, small
from measures.crew import job, locks, workers
from measures.judging import refused, rules
from measures.loading import history, load, profile, reload
from measures.memory import export_rss, refused_rss, rss
from measures.tuning import tuning
from measures.ways import customary, peers

MEASURES: Mapping[str, Callable[[Bench], Measure]] = {
    "load": load,
    "history": history,
    "customary": customary,
    "peers": peers,
    "reload": reload,
    "rules": rules,
    "refused": refused,
    "job": job,
    "workers": workers,
    "locks": locks,
    "chunks": chunks,
    "small": small,
    "planning": planning,
    "done": done,
    "read": read,
    "help": help_,
    "rss": rss,
    "refused-rss": refused_rss,
    "export-rss": export_rss,
    "tuning": tuning,
    "profile": profile,
}

__all__ = ["MEASURES"]
