"""The forms of answers are those of the values and of the published schema."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel

from ingestor.api import answers, letter_answers
from ingestor.cli.output import as_json
from ingestor.dead_letters import Tried
from ingestor.insights import ChunkLine, JobLine, JobStatus, Notice, Versions, Work, Worker
from ingestor.insights.letters import Listing, Told
from ingestor.job import PayloadRef
from ingestor.receipt import Receipt
from ingestor.vocabulary import ChunkState, Dataset, JobState, Schema
from tests.unit.test_dead_letters import LETTER

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "reference" / "status.schema.json").read_text()
)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (answers.ChunkAnswer, ChunkLine),
        (answers.ReceiptAnswer, Receipt),
        (letter_answers.TriedAnswer, Tried),
        (letter_answers.PayloadAnswer, PayloadRef),
        (answers.WorkAnswer, Work),
        (answers.WorkerAnswer, Worker),
        (answers.NoticeAnswer, Notice),
        (answers.VersionsAnswer, Versions),
    ],
)
def test_an_answer_has_the_fields_of_its_value(answer: type[BaseModel], value: Any) -> None:
    """Somebody who gives a value another field is reminded of its answer here."""
    named = {field.alias or name for name, field in answer.model_fields.items()}

    assert named == {field.name for field in fields(value)}


def test_a_job_in_the_list_is_a_status_and_what_else_the_list_knows() -> None:
    own = set(answers.JobAnswer.model_fields) - set(answers.StatusAnswer.model_fields)

    assert own == {field.name for field in fields(JobLine)} - {"status"}


def test_a_status_is_that_of_the_published_schema() -> None:
    """The same names are there and required, at every depth; `progress` is of `hdi watch` only."""
    made = answers.StatusAnswer.model_json_schema(mode="serialization")
    published = dict(SCHEMA["properties"])
    del published["progress"]

    assert set(made["properties"]) == set(published)
    assert set(made["required"]) == set(SCHEMA["required"])
    for name in ("chunks", "records", "cost_usd"):
        inner = made["$defs"][made["properties"][name]["$ref"].rpartition("/")[2]]
        assert set(inner["required"]) == set(published[name]["required"])
        assert inner["additionalProperties"] is False


def test_an_answer_carries_a_status_unchanged() -> None:
    """To the byte what `hdi status --json` says."""
    chunks = dict.fromkeys(ChunkState, 0) | {ChunkState.COMPLETED: 2}
    records = dict.fromkeys(("fetched", "stored", "quarantined", "already_stored", "flagged"), 7)
    status = JobStatus(UUID(int=1), "march", JobState.RUNNING, chunks, records, 1.23456, 2.5, 1.5)
    told = answers.StatusAnswer.model_validate(status.as_json()).model_dump(mode="json")

    assert told == status.as_json()
    jsonschema.validate(told, SCHEMA)


def test_a_payload_with_a_password_in_its_address_is_masked() -> None:
    line = ChunkLine(
        1, ChunkState.FAILED, Dataset("GLBX.MDP3"), Schema.TRADES, 0, 1,
        "s3://key:hushhush@host/x.dbn", "password=hushhush", 1, None,
    )  # fmt: skip
    told = answers.ChunkAnswer.model_validate(line).model_dump_json(by_alias=True)

    assert "hushhush" not in told
    assert json.loads(told)["schema"] == "trades"


def test_a_letter_is_that_of_the_commands() -> None:
    """To the byte what `hdi dlq list --json` says, but for secrets."""
    found = Listing({"CorruptPayload": 3}, (Told(LETTER),), 1)
    made = letter_answers.DeadLettersAnswer.model_validate(found.as_json())
    told = made.model_dump(mode="json", by_alias=True)

    assert told == json.loads(as_json(found.as_json()).replace(b"+00:00", b"Z"))
    secret = replace(LETTER, error_text="password=hushhush", note="password=hushhush")
    listed = Listing({}, (Told(secret),))
    assert (
        "hushhush"
        not in letter_answers.DeadLettersAnswer.model_validate(listed.as_json()).model_dump_json()
    )


def test_nanoseconds_stay_whole() -> None:
    """Beyond 2^53, where a float would be wrong; the end of time is 2^64 - 1."""
    line = ChunkLine(
        1, ChunkState.PENDING, Dataset("GLBX.MDP3"), Schema.TRADES, 2**53 + 1, 2**64 - 1, "", "", 0,
        None,
    )  # fmt: skip
    told = json.loads(answers.ChunkAnswer.model_validate(line).model_dump_json(by_alias=True))

    assert (told["start"], told["end"]) == (2**53 + 1, 2**64 - 1)
