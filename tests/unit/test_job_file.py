"""Job files: what they may hold, and that every fault is told with its line."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from ingestor.errors import BadJob
from ingestor.job_file import JOB_SETTINGS, JobRequest, job_file_schema, load_job_file
from ingestor.job_file.document import MAX_BYTES, read_document
from ingestor.job_file.faults import spelled
from ingestor.job_file.model import WrittenJob, WrittenRequest
from ingestor.model import STORED
from ingestor.settings import load_settings
from ingestor.vocabulary import Priority, Schema, SType

REPO = Path(__file__).parents[2]
EXAMPLES = sorted((REPO / "configs" / "jobs").glob("*.yaml"))
PAGE = REPO / "docs" / "reference" / "job-files.md"
TODAY = dt.date(2025, 11, 22)
SMALL = """\
dataset: GLBX.MDP3
symbols: [ESM4]
requests:
  - schema: trades
    start: 2024-03-11
    end: 2024-03-12
"""
FULL = """\
name: march
source: databento-batch
dataset: GLBX.MDP3
symbols: [ESM4, "UD:1V: SG 2850060", AAPL  250221C00250000, ESM4]
stype_in: raw_symbol
requests:
  - {schema: trades, start: -2y, end: yesterday, chunk_days: 1}
  - {schemas: [ohlcv-1d, ohlcv-1m], end: latest}
chunk_symbols: 500
priority: high
budget: {max_usd: 12.5}
settings:
  retry: {max_attempts: 8}
  databento.patience_s: 60
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    file = folder / "job.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def ns(text: str) -> int:
    return (dt.date.fromisoformat(text) - dt.date(1970, 1, 1)).days * 86_400 * 10**9


def refusal(folder: Path, text: str | bytes) -> str:
    with pytest.raises(BadJob) as error:
        load_job_file(write(folder, text), today=TODAY)
    assert error.value.exit_code == 2
    assert error.value.hint
    assert "\n" not in error.value.message
    return error.value.message


def with_symbol(symbol: str) -> str:
    return SMALL.replace("symbols: [ESM4]", f"symbols:\n  - ESM4\n  - {symbol}")


def test_every_key_arrives(folder: Path) -> None:
    """Days resolved, schemas one by one, symbols once each, settings by dotted name."""
    job = load_job_file(write(folder, FULL), today=TODAY)

    assert (job.name, job.source, job.dataset) == ("march", "databento-batch", "GLBX.MDP3")
    assert job.symbols == ("ESM4", "UD:1V: SG 2850060", "AAPL  250221C00250000")
    assert job.stype_in is SType.RAW_SYMBOL
    assert job.requests == (
        JobRequest(Schema.TRADES, ns("2023-11-22"), ns("2025-11-21"), 1),
        JobRequest(Schema.OHLCV_1D, None, None, None),
        JobRequest(Schema.OHLCV_1M, None, None, None),
    )
    assert (job.chunk_symbols, job.priority, job.max_usd) == (500, Priority.HIGH, 12.5)
    assert job.settings == {"retry.max_attempts": "8", "databento.patience_s": "60"}
    assert job.notes == ("symbols named more than once, asked for once: ESM4",)


def test_what_is_not_given_has_its_default(folder: Path) -> None:
    """A job is called what its file is called."""
    job = load_job_file(write(folder, SMALL), today=TODAY)

    assert (job.name, job.source, job.stype_in) == ("job", "databento", SType.RAW_SYMBOL)
    assert (job.priority, job.max_usd, job.chunk_symbols) == (Priority.NORMAL, None, None)
    assert (dict(job.settings), job.notes) == ({}, ())


def test_a_job_is_frozen(folder: Path) -> None:
    """It travels between rooms."""
    job = load_job_file(write(folder, FULL), today=TODAY)

    with pytest.raises(dataclasses.FrozenInstanceError):
        job.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        job.settings["x"] = 1  # type: ignore[index]


def test_settings_of_a_job_reach_the_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each allowed name is a setting, and text is taken as from the environment."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HDI_HOME", str(folder))
    job = load_job_file(write(folder, FULL), today=TODAY)
    settings = load_settings(job=job.settings)

    assert settings.retry.max_attempts == 8
    assert settings.databento.patience_s == 60
    assert load_settings(job=dict.fromkeys(JOB_SETTINGS, "1")).databento.backoff_s == 1


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_the_examples_are_jobs(file: Path) -> None:
    """They are called what their files are called, carry a cap, and need no note."""
    job = load_job_file(file, today=TODAY)

    assert job.name == file.stem
    assert job.max_usd is not None
    assert job.notes == ()
    assert f"hdi-submit --job configs/jobs/{file.name}" in file.read_text()
    jsonschema.validate(_as_editors_read(file.read_text()), job_file_schema())


def test_the_examples_show_what_people_ask_for() -> None:
    """Blanks in symbols, files of symbols, everything of a dataset, an open end."""
    jobs = {file.stem: load_job_file(file, today=TODAY) for file in EXAMPLES}

    assert jobs["opra-aapl-options"].symbols[0] == "AAPL  240315C00170000"
    assert jobs["nasdaq-top-up"].symbols == ("AAPL", "MSFT", "NVDA")
    assert jobs["nasdaq-top-up"].requests[0].start == ns("2025-11-12")
    assert jobs["nasdaq-top-up"].requests[0].end is None
    assert jobs["nasdaq-all-daily-bars"].symbols == ("ALL_SYMBOLS",)
    assert jobs["cme-daily-bars"].requests[0].start == ns("2023-11-22")
    settled = jobs["cme-definitions-and-settlements"]
    assert [each.schema for each in settled.requests] == ["definition", "statistics", "tbbo"]


def test_the_page_explains_every_key_and_holds_every_example() -> None:
    """What is not on it nobody finds."""
    page = PAGE.read_text()
    keys = [
        field.alias or name
        for model in (WrittenJob, WrittenRequest)
        for name, field in model.model_fields.items()
    ]

    assert [key for key in keys if f"| `{key}` |" not in page] == []
    assert [name for name in JOB_SETTINGS if f"`{name}`" not in page] == []
    files = (REPO / "configs" / "jobs").iterdir()
    assert [each.name for each in files if f"configs/jobs/{each.name}\n" not in page] == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "GLBX.MDP3",
            "glbx.mdp3",
            (
                "line 1 (dataset): 'glbx.mdp3' is no dataset code; one looks like "
                "GLBX.MDP3; did you mean GLBX.MDP3?"
            ),
        ),
        ("dataset: GLBX.MDP3\n", "", "line 1 (dataset): is missing"),
        ("dataset:", "datset: GLBX.MDP3\ndataset:", "line 1 (datset): is no key of a job file; "),
        ("schema: trades", "schema: trade", "line 4 (requests[0].schema): 'trade' is no schema; "),
        ("schema: trades", "schema: trade", f"{', '.join(STORED)}; did you mean trades?"),
        ("schema: trades", "schema: mbo", f"'mbo' is no schema; there are {', '.join(STORED)}"),
        (
            "schema: trades",
            "schemas: trades",
            "line 4 (requests[0].schemas): must be a list, found 'trades'",
        ),
        ("schema: trades", "schemas: []", "schemas): must hold at least one, found an empty list"),
        (
            "  - schema: trades\n    start",
            "  - start",
            "line 4 (requests[0].schema): is missing; give schema or schemas",
        ),
        (
            "schema: trades",
            "schema: trades\n    schemas: [trades]",
            "line 5 (requests[0].schemas): excludes schema",
        ),
        (
            "end:",
            "chunk-days: 3\n    end:",
            (
                "line 6 (requests[0].chunk-days): is no key of a request; allowed are "
                "schema, schemas, start, end, chunk_days; did you mean chunk_days?"
            ),
        ),
        ("end:", "chunk_days: 0\n    end:", "requests[0].chunk_days): must be at least 1, found"),
        ("end:", "chunk_days: 1.5\n    end:", "chunk_days): must be a whole number, found '1.5'"),
        ("end:", "chunk_days: 1:30\n    end:", "chunk_days): must be a whole number, found '1:30'"),
        (
            "end: 2024-03-12",
            "end: 2024-03-11",
            (
                "line 4 (requests[0]): end 2024-03-11 must be after start 2024-03-11: the "
                "end is exclusive"
            ),
        ),
        (
            "start: 2024-03-11",
            "start: 2024-02-30",
            "line 5 (requests[0].start): '2024-02-30' is no day; write it as",
        ),
        ("start: 2024-03-11", "start: 20240311", "requests[0].start): '20240311' is no day"),
        ("start: 2024-03-11", "start: 2024-03-11 09:30:00", "give 2024-03-11 or 2024-03-12"),
        ("start: 2024-03-11", "start: latest", "'latest' is no day"),
        ("end: 2024-03-12", "end: -2yr", "did you mean -2y?"),
        ("start: 2024-03-11", "start:", "line 5 (requests[0].start): is empty; give it a value"),
        ("start: 2024-03-11", "start: [2024-03-11]", "start): must be a day, found a list"),
        (
            "symbols: [ESM4]",
            "symbols: ESM4 NQM4",
            "line 2 (symbols): must be ALL_SYMBOLS or a list: [ESM4, NQM4]; found 'ESM4 NQM4'",
        ),
        ("symbols: [ESM4]", "symbols: []", "line 2 (symbols): must hold at least one"),
        ("symbols: [ESM4]\n", "", "line 1 (symbols): is missing; give symbols or symbols_file"),
        ("symbols:", "symbols_file: x\nsymbols:", "line 2 (symbols_file): excludes symbols"),
        ("[ESM4]", "[ESM4, ALL_SYMBOLS]", "line 2 (symbols): ALL_SYMBOLS stands alone"),
        (
            "symbols:",
            "stype_in: raw-symbol\nsymbols:",
            (
                "'raw-symbol' is no symbol type; there are raw_symbol, instrument_id, "
                "parent, continuous; did you mean raw_symbol?"
            ),
        ),
        ("symbols:", "priority: urgent\nsymbols:", "'urgent' is no priority; there are low, "),
        (
            "symbols:",
            "budget: 5\nsymbols:",
            "line 2 (budget): must hold keys with values, found '5'",
        ),
        (
            "symbols:",
            "budget: {max_eur: 5, max_usd: 5}\nsymbols:",
            "budget.max_eur): is no key of a budget; allowed are max_usd; did you mean max_usd?",
        ),
        ("symbols:", "budget: {}\nsymbols:", "line 2 (budget.max_usd): is missing"),
        ("symbols:", "budget: {max_usd: -1}\nsymbols:", "max_usd): must be at least 0"),
        ("symbols:", "budget: {max_usd: .inf}\nsymbols:", "max_usd): must be a number, found"),
        ("symbols:", "budget: {max_usd: nan}\nsymbols:", "max_usd): must be a number, found"),
        ("symbols:", "chunk_symbols: 2001\nsymbols:", "chunk_symbols): must be at most 2000"),
        ("symbols:", "name: '@last'\nsymbols:", "'@last' is no name"),
        ("symbols:", f"name: {'n' * 101}\nsymbols:", "must have at most 100 characters"),
        ("symbols:", "source: dbn-files\nsymbols:", "submit files with `hdi-submit --path`"),
        ("symbols:", "source: Data Bento\nsymbols:", "source): must be lower-case letters"),
        (
            "symbols:",
            "schedule: 0 6 * * *\nsymbols:",
            "line 2 (schedule): schedules are not supported yet; let cron",
        ),
        (
            "symbols:",
            "settings: {lease.duration_s: 5}\nsymbols:",
            (
                "line 2 (settings.lease.duration_s): is no setting of a job; allowed are "
                "databento.backoff_s, "
            ),
        ),
        (
            "symbols:",
            "settings:\n  retry: {max_attempt: 5}\nsymbols:",
            "line 3 (settings.retry.max_attempt): is no setting of a job; ",
        ),
        (
            "symbols:",
            "settings: {retry.max_attempts: 5, retry: {max_attempts: 6}}\nsymbols:",
            "is given twice, dotted and nested",
        ),
        ("symbols:", "settings: {retry.max_attempts: [5]}\nsymbols:", "must be a number"),
        ("symbols:", "settings: 5\nsymbols:", "line 2 (settings): must hold keys with values"),
    ],
)
def test_a_fault_is_told_with_line_key_and_what_is_allowed(
    folder: Path, old: str, new: str, said: str
) -> None:
    """What it was, what was found, what would do."""
    assert SMALL.count(old) == 1
    assert said in refusal(folder, SMALL.replace(old, new))


@pytest.mark.parametrize(
    ("symbol", "read_as"),
    [
        ("ON", "a truth value"), ("NO", "a truth value"), ("true", "a truth value"),
        ("1234", "a number"), ("0123", "a number"), ("1e5", "a number"), ("1.5", "a number"),
        ("12:30", "a number"), ("1_000", "a number"), ("0x1F", "a number"),
        ("null", "nothing"), ("~", "nothing"), ("=", "something special"),
    ],
)  # fmt: skip
def test_a_symbol_that_yaml_reads_as_something_else_must_be_quoted(
    folder: Path, symbol: str, read_as: str
) -> None:
    """ON Semiconductor is a symbol of Nasdaq; in quotes it is taken as it is."""
    said = refusal(folder, with_symbol(symbol))
    job = load_job_file(write(folder, with_symbol(f'"{symbol}"')), today=TODAY)

    assert (
        f'line 4 (symbols[1]): YAML reads {symbol} as {read_as}; put it in quotes: "{symbol}"'
        in (said)
    )
    assert job.symbols == ("ESM4", symbol)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("UD:1V: SG 2850060", 'put it in quotes: "UD:1V: SG 2850060"'),
        ("AAPL\n    250221C00250000", "as text over several lines, joined; put it in quotes"),
        ("ESM4, NQM4", "symbols[1]): 'ESM4, NQM4' holds a comma"),
        ('"ES\\tM4"', "holds a tab"),
        ('"ES\\0M4"', "holds a NUL byte"),
        ('" ESM4"', "begins or ends with a blank"),
        ('""', "holds an empty symbol"),
        ("", "symbols[1]): is empty"),
        ("{}", "symbols[1]): must be text, found keys with values"),
        ("[ESM4]", "symbols[1]): must be text, found a list"),
        ("*ESM4", "line 4: an alias (*ESM4) is not taken in a job file"),
        ("&ESM4", "line 4: an anchor (&ESM4) is not taken in a job file"),
        ("!ESM4", "line 4: a tag (!ESM4) is not taken in a job file"),
        ("@ESM4", "line 4: found character '@' that cannot start any token"),
    ],
)
def test_a_symbol_that_yaml_takes_apart_is_told(folder: Path, symbol: str, said: str) -> None:
    """Never changed in silence."""
    assert said in refusal(folder, with_symbol(symbol))


def taken(folder: Path, text: str) -> str | None:
    """The last symbol of a job file; None where it is refused."""
    try:
        return load_job_file(write(folder, text), today=TODAY).symbols[-1]
    except BadJob:
        return None


@effort(deadline=None)  # files are written
@given(symbol=st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
def test_a_symbol_that_yaml_wrote_arrives_as_it_was_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, symbol: str
) -> None:
    """In whatever quotes YAML's own writer puts it."""
    tree = yaml.safe_load(SMALL) | {"symbols": [symbol]}
    text = yaml.safe_dump(tree, allow_unicode=True)

    assert taken(tmp_path_factory.mktemp("job"), text) in (symbol, None)


@effort(deadline=None)  # files are written
@given(symbol=st.text("ABENOS01289.:-_/+~ ", min_size=1, max_size=12))
def test_a_symbol_without_quotes_arrives_as_it_was_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, symbol: str
) -> None:
    """But for the blanks around it, which are YAML's layout."""
    found = taken(tmp_path_factory.mktemp("job"), with_symbol(symbol))

    assert found in (symbol.strip(" "), None)


def test_all_faults_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    """One run, one round of mending."""
    text = (
        "datset: GLBX.MDP3\nsymbols: [ON, ESM4, 1234]\nsymbols_file: x\npriority:\nrequests:\n"
        "  - schema: trade\n    start: 2024-3-1\n  - start: latest\n"
    )
    said = refusal(folder, text)

    keys = ["datset", "dataset", "symbols[0]", "symbols[2]", "symbols_file", "priority",
            "requests[0].schema", "requests[0].start", "requests[1].schema",
            "requests[1].start"]  # fmt: skip
    assert said.startswith(f"job file {folder / 'job.yaml'} has 10 faults: line 1 (")
    places = [said.find(f" ({key}): ") for key in keys]
    assert -1 not in places
    assert sorted(places[2:]) == places[2:]


def test_many_faults_are_counted_not_listed(folder: Path) -> None:
    """Ten tell enough."""
    said = refusal(folder, SMALL.replace("[ESM4]", f"[{', '.join(['ON'] * 50)}]"))

    assert "has 50 faults" in said
    assert said.endswith("; and 40 more")


def test_a_secret_in_a_job_file_is_refused_without_showing_it(folder: Path) -> None:
    """Under settings, and under a key of somebody's own."""
    key = "db-" + "A1b2C3d4E5f6G7h8J9k0L1m2N3p4Q"
    under = refusal(folder, f"{SMALL}settings: {{databento_api_key: {key}}}\n")
    beside = refusal(folder, f"{SMALL}api_key: {key}\n")
    inside = refusal(folder, SMALL.replace("2024-03-12", key))

    assert "is a secret and is not read from YAML" in under
    assert all(key not in said for said in (under, beside, inside))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("start: 2024-03-01, end: 2024-03-10", "start: 2024-03-09, end: 2024-03-12"),
        ("start: 2024-03-01", "start: 2024-03-09, end: 2024-03-12"),
        ("end: 2024-03-02", "end: 2024-03-01"),
        ("start: -2d", "start: yesterday"),
    ],
)
def test_days_that_would_be_bought_twice_are_refused(folder: Path, first: str, second: str) -> None:
    """Whichever stands first."""
    head = "dataset: GLBX.MDP3\nsymbols: [ESM4]\nrequests:\n"
    for one, other in ((first, second), (second, first)):
        text = f"{head}  - {{schema: trades, {one}}}\n  - {{schema: trades, {other}}}\n"
        said = refusal(folder, text)
        assert "line 5 (requests[1]): asks for trades of days that requests[0] asks for too" in said


def test_requests_may_touch_and_schemas_may_share_days(folder: Path) -> None:
    """The end is exclusive."""
    text = SMALL + (
        "  - {schemas: [trades, ohlcv-1d], start: 2024-03-12, end: 2024-03-13}\n"
        "  - {schema: ohlcv-1m, start: 2024-03-11, end: 2024-03-13}\n"
    )

    assert len(load_job_file(write(folder, text), today=TODAY).requests) == 4


def test_a_file_of_symbols_lies_beside_the_job_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is run; and repeated symbols are noted."""
    (folder / "lists").mkdir()
    (folder / "lists" / "some.txt").write_bytes(b"\xef\xbb\xbfESM4\r\n# x\r\nON\r\nESM4\r\n")
    monkeypatch.chdir("/")
    text = SMALL.replace("symbols: [ESM4]", "symbols_file: lists/some.txt")
    job = load_job_file(write(folder, text), today=TODAY)

    assert job.symbols == ("ESM4", "ON")
    assert job.notes == ("symbols named more than once, asked for once: ESM4",)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (None, "cannot be read: No such file"),
        (b"ESM4\nNQ\0\n", "some.txt', line 2: 'NQ\\x00' holds a NUL byte"),
        (b"# nothing", "no symbol in "),
    ],
)
def test_a_wrong_file_of_symbols_is_told_with_both_files(
    folder: Path, raw: bytes | None, said: str
) -> None:
    """The job file's line, and the line in the list."""
    if raw is not None:
        (folder / "some.txt").write_bytes(raw)
    found = refusal(folder, SMALL.replace("symbols: [ESM4]", "symbols_file: some.txt"))

    assert f"{folder / 'job.yaml'}, line 2 (symbols_file): " in found
    assert said in found


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "must hold keys with values, found nothing"),
        (b"# only\n", "must hold keys with values, found nothing"),
        (b"- a\n", "must hold keys with values, found a list"),
        (b"text", "must hold keys with values, found a single value"),
        (b"a: 1\n---\nb: 2\n", "line 2: but found another document"),
        (b"a: b: c\n", "line 1: mapping values are not allowed here"),
        (b"a: 1\n\tb: 2\n", "line 2: found character '\\t' that cannot start any token"),
        (b"name: a\nname: b\n", "line 1 (name): is there twice, lines 1 and 2"),
        (b"? [a]\n: b\n", "line 1: a key is text, found a list"),
        (b"a: \x00\n", "line 1: the character U+0000 is not allowed"),
        (b"a: 1\nb: \x1b\n", "line 2: the character U+001B is not allowed"),
        (b"\xff\xfea", "is no UTF-8 text"),
        (b"a: " + b"[" * 50_000, "something nested more than 20 deep is not taken"),
        (b"a: &a [x]\nb: [*a, *a]\n", "line 1: an anchor (&a) is not taken"),
        (b"a: !!python/object/apply:os.getcwd []\n", "line 1: a tag ("),
        (b"#" * (MAX_BYTES + 1), "is larger than 256 KiB"),
    ],
)
def test_what_is_no_job_file_is_refused_with_its_line(folder: Path, raw: bytes, said: str) -> None:
    """And nothing of a small file gets large."""
    assert said in refusal(folder, raw)


@effort(deadline=None)  # files are written
@given(raw=st.binary(max_size=60) | st.text("abc:-[]{}\n \"'#&*!|>?%@,1", max_size=60))
def test_whatever_a_file_holds_it_is_refused_in_our_words(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes | str
) -> None:
    """No other error comes out."""
    file = write(tmp_path_factory.mktemp("job"), raw)
    with pytest.raises(BadJob):
        load_job_file(file, today=TODAY)


def test_a_job_file_that_cannot_be_read_is_named(folder: Path) -> None:
    """A folder, or nothing."""
    for path in (folder, folder / "none.yaml"):
        with pytest.raises(BadJob, match="cannot be read: "):
            load_job_file(path, today=TODAY)


def test_lines_are_those_of_the_keys(folder: Path) -> None:
    """Of what has no line of its own, that of what surrounds it."""
    document = read_document(write(folder, SMALL))

    assert document.line(("requests", 0, "end")) == 6
    assert document.line(("requests", 0, "chunk_days")) == 4
    assert spelled(("requests", 0, "end")) == "requests[0].end"


def _as_editors_read(text: str) -> object:
    """YAML by the rules of 1.2, where a date is text."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def test_the_json_schema_takes_what_is_right_and_refuses_what_is_wrong() -> None:
    """For editors."""
    schema = job_file_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    checker = jsonschema.Draft202012Validator(schema)

    assert checker.is_valid(_as_editors_read(FULL))
    assert all(checker.is_valid(_as_editors_read(SMALL.replace("trades", s))) for s in STORED)
    for wrong in (
        SMALL.replace("trades", "trade"),
        SMALL.replace("trades", "mbo"),
        SMALL.replace("2024-03-11", "latest"),
        SMALL.replace("[ESM4]", "[ON]"),
        SMALL + "symbols_file: x\n",
        SMALL + "schedule: x\n",
        SMALL + "settings: {lease.duration_s: 5}\n",
        SMALL.replace("schema: trades", "chunk_days: 1"),
    ):
        assert not checker.is_valid(_as_editors_read(wrong)), wrong
