"""The keys of a job file, each with its type, bounds and meaning."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from ingestor.documents import Text
from ingestor.job_file.fields import (
    DatasetCode,
    EndDay,
    Name,
    PriorityWord,
    SchemaWord,
    Source,
    StartDay,
    STypeWord,
    Symbols,
)
from ingestor.job_file.job_settings import settings_schema
from ingestor.vocabulary import MAX_SYMBOLS, Priority, Schema, SType


class _Keys(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)


class WrittenRequest(_Keys):
    """One schema, or several, over one range of days."""

    record_schema: SchemaWord | None = Field(
        None, alias="schema", description="Record schema; this or schemas."
    )
    schemas: tuple[SchemaWord, ...] | None = Field(
        None, min_length=1, description="Several schemas over the same days."
    )
    start: StartDay = Field(
        None, description="First day, UTC; the first that the provider has unless given."
    )  # fmt: skip
    end: EndDay = Field(
        None, description="Day after the last, UTC; latest, the end of what there is, unless given."
    )
    chunk_days: int | None = Field(
        None, ge=1, le=3660, description="Days per chunk; by schema unless given."
    )

    @property
    def every_schema(self) -> tuple[Schema, ...]:
        return self.schemas or ((self.record_schema,) if self.record_schema else ())

    @model_validator(mode="after")
    def _holds_a_day(self) -> WrittenRequest:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(
                f"end {self.end} must be after start {self.start}: the end is exclusive"
            )
        return self


class Budget(_Keys):
    """What the job may cost."""

    max_usd: float = Field(
        ge=0, allow_inf_nan=False, description="Most US dollars; a dearer quote is refused."
    )


class WrittenJob(_Keys):
    """A job file as it is written."""

    name: Name | None = Field(
        None, min_length=1, max_length=100,
        description="What commands call the job; the file's own name unless given.",
    )  # fmt: skip
    source: Source = Field(
        "databento", pattern=r"^[a-z][a-z0-9-]{0,63}$", description="Provider to ask."
    )
    dataset: DatasetCode = Field(description="Dataset code, e.g. GLBX.MDP3.")
    symbols: Symbols | None = Field(
        None, min_length=1, description="A list of symbols, or ALL_SYMBOLS; this or symbols_file."
    )
    symbols_file: Text | None = Field(
        None, min_length=1,
        description="File with one symbol per line; a relative path begins at the job file.",
    )  # fmt: skip
    stype_in: STypeWord = Field(SType.RAW_SYMBOL, description="What the symbols are.")
    requests: tuple[WrittenRequest, ...] = Field(
        min_length=1,
        description="What is asked for. Definitions are loaded first, then bars from coarse "
        "to fine, then the rest as given.",
    )  # fmt: skip
    chunk_symbols: int | None = Field(
        None, ge=1, le=MAX_SYMBOLS, description="Symbols per chunk; by source unless given."
    )
    priority: PriorityWord = Field(
        Priority.NORMAL, description="Higher ones go first, equals in turn."
    )
    budget: Budget | None = Field(None, description="What the job may cost.")
    settings: Annotated[dict[str, Any], WithJsonSchema(settings_schema())] = Field(
        {}, description="Settings for planning and recording this job."
    )


def job_file_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a job file, for editors and checks."""
    schema = WrittenJob.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "HDI job file"
    schema["oneOf"] = _either("symbols", "symbols_file")
    schema["$defs"]["WrittenRequest"]["oneOf"] = _either("schema", "schemas")
    return schema


def _either(one: str, other: str) -> list[dict[str, Any]]:
    return [{"required": [one]}, {"required": [other]}]
