"""``python -m ingestor.cli``: the same as ``hdi``, for processes that start others."""

from ingestor.cli.entry import hdi

hdi()
