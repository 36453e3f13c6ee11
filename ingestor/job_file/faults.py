"""What pydantic finds wrong with a job file, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ValidationError

from ingestor import documents
from ingestor.documents import Fault, Loc, spelled
from ingestor.job_file.model import Budget, WrittenJob, WrittenRequest

_NO_SCHEDULE: Final = (
    "schedules are not supported yet; let cron or a systemd timer run `hdi-submit --job` on this "
    "file: relative days are counted anew each time"
)


def model_faults(error: ValidationError) -> list[Fault]:
    """What the model refused; of a schedule, what to do instead."""
    return [
        Fault(fault.loc, _NO_SCHEDULE) if fault.loc == ("schedule",) else fault
        for fault in documents.model_faults(error, _surroundings)
    ]


def _surroundings(loc: Loc) -> tuple[str, Sequence[str]]:
    models: dict[object, tuple[str, type[BaseModel]]] = {
        "requests": ("a request", WrittenRequest),
        "budget": ("a budget", Budget),
    }
    where, model = models.get(loc[0] if len(loc) > 1 else "", ("a job file", WrittenJob))
    return where, [field.alias or name for name, field in model.model_fields.items()]


__all__ = ["model_faults", "spelled"]
