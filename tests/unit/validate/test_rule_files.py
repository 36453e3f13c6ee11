"""A rule file is read whole or refused: by file, line and key, with what is allowed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ingestor.errors import BadRules
from ingestor.model import TABLES, Table, table_of
from ingestor.model.verdict import Severity
from ingestor.settings import config_dir
from ingestor.validate import NO_RULES, load_rulebook
from ingestor.validate.rules import CLASSES
from ingestor.vocabulary import Schema

TRADES = table_of(Schema.TRADES)
RULE = """\
  - id: priced
    check: price is not null
    severity: quarantine
"""


def written(folder: Path, text: str, name: str = "trades_data.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(folder: Path, table: Table = TRADES) -> str:
    with pytest.raises(BadRules) as error:
        load_rulebook(folder, table)
    assert error.value.hint
    return error.value.message


def test_a_rule_is_what_its_file_says(tmp_path: Path) -> None:
    """Columns in the order of the check, reason by default the check itself."""
    near_rule = (
        "  - id: near\n    check: abs(ts_recv - ts_event) < hours(1)\n    severity: flag\n"
        "    reason: it came late\n    required: true\n    when: {symbol: [ES*]}\n"
    )
    written(tmp_path, f"table: trades_data\nrules:\n{RULE}{near_rule}")
    book = load_rulebook(tmp_path, TRADES)
    priced, near = book.rules

    assert (priced.rule.id, priced.rule.severity) == ("priced", Severity.QUARANTINE)
    assert (priced.rule.columns, priced.required) == (("price",), False)
    assert priced.rule.reason == "breaks `price is not null`"
    assert (near.rule.columns, near.required) == (("ts_recv", "ts_event"), True)
    assert (near.rule.reason, near.rule.severity) == ("it came late", Severity.FLAG)
    assert not near.rule.of_table
    assert book.needs == {"symbol"}


def test_a_table_without_a_file_has_no_rules(tmp_path: Path) -> None:
    """And no digest."""
    assert load_rulebook(tmp_path, TRADES) is NO_RULES(TRADES)
    assert (NO_RULES(TRADES).digest, NO_RULES(TRADES).rules) == ("", ())


def test_included_rules_come_first_in_their_order(tmp_path: Path) -> None:
    written(
        tmp_path, f"table: trades_data\ninclude: [shared/b.yaml, shared/a.yaml]\nrules:\n{RULE}"
    )
    for name in "ab":
        text = f"rules:\n  - {{id: {name}, check: size > 0, severity: flag}}\n"
        written(tmp_path, text, f"shared/{name}.yaml")

    assert [each.rule.id for each in load_rulebook(tmp_path, TRADES).rules] == ["b", "a", "priced"]


def test_definitions_know_class_and_symbol_themselves(tmp_path: Path) -> None:
    """Other tables must be told."""
    when = "when: {instrument_class: [K], symbol: [A*]}"
    for name, column in (("trades_data", "size"), ("definitions_data", "min_trade_vol")):
        text = (
            f"table: {name}\nrules:\n  - {{id: a, check: {column} > 0, severity: flag, {when}}}\n"
        )
        written(tmp_path, text, f"{name}.yaml")

    assert load_rulebook(tmp_path, TRADES).needs == {"instrument_class", "symbol"}
    assert load_rulebook(tmp_path, table_of(Schema.DEFINITION)).needs == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: []", ["(table): is missing"]),
        ("table: trade_data", ["line 1 (table): 'trade_data' is no table", "mean trades_data?"]),
        ("table: tbbo_data", ["line 1 (table)", "is tbbo_data", "called after trades_data"]),
        ("table: trades_data\nrule: []", ["line 2 (rule)", "is no key of a rule file",
                                          "allowed are table, include, rejection_limit, rules",
                                          "did you mean rules?"]),
        ("table: trades_data\ntable: x", ["(table): is there twice, lines 1 and 2"]),
        ("table: trades_data\nrules:", ["line 2 (rules): is empty"]),
        ("table: [", ["line 1", "expected"]),
        ("- a", ["must hold keys with values, found a list"]),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_told_by_line_and_key(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    path = written(tmp_path, text)
    message = refusal(tmp_path)
    assert str(path) in message
    for each in said:
        assert each in message


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("id: Priced\ncheck: size > 0\nseverity: flag", ["line 3 (rules[0].id)", "found 'Priced'",
                                                         "lower-case letters, digits and hyphens"]),
        ("id: a.b\ncheck: size > 0\nseverity: flag", ["lower-case letters, digits and hyphens"]),
        ("id: a\nchek: size > 0\nseverity: flag", ["line 4 (rules[0].chek): is no key of a rule",
                                                   "did you mean check?",
                                                   "(rules[0].check): is missing"]),
        ("id: a\ncheck: size > 0\nseverity: flagg", ["line 5 (rules[0].severity)",
                                                     "'flagg' is no severity",
                                                     "there are flag, quarantine, stop",
                                                     "did you mean flag?"]),
        ("id: a\ncheck: size > 0",
         ["(rules[0].severity): is missing; there are flag, quarantine, stop"]),
        ("id: a\ncheck: sise > 0\nseverity: flag",
         ["line 4 (rules[0].check): character 1: trades_data has no column `sise`",
          "did you mean size?"]),
        ("id: a\ncheck: size > > 0\nseverity: flag", ["line 4 (rules[0].check)", "character 8"]),
        ("id: a\ncheck: 1 < 2\nseverity: flag", ["line 4 (rules[0].check)"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nrequired: maybe",
         ["line 6 (rules[0].required): must be true or false, found 'maybe'"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nreason: 5",
         ["line 6 (rules[0].reason)", "put it in quotes"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {clas: [K]}",
         ["line 6 (rules[0].when.clas): is no key of the conditions of a rule",
          "dataset, publisher, instrument_class, symbol"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {symbols: [K]}", ["did you mean symbol?"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {}", ["holds no condition"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {instrument_class: [k]}",
         ["'k' is no instrument class; there are B, C, F, I, K, M, P, S, T, X, Y"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {instrument_class: K}",
         ["(rules[0].when.instrument_class): must be a list, found 'K'"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {publisher: [one]}",
         ["(rules[0].when.publisher[0]): must be a whole number, found 'one'"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {dataset: [glbx.mdp3]}",
         ["'glbx.mdp3' is no dataset code", "did you mean GLBX.MDP3?"]),
        ("id: a\ncheck: size > 0\nseverity: flag\nwhen: {symbol: []}", ["must hold at least one"]),
    ],
)  # fmt: skip
def test_a_rule_that_is_wrong_is_told_by_line_and_key(
    tmp_path: Path, lines: str, said: list[str]
) -> None:
    rule = "\n".join(f"  {'-' if at == 0 else ' '} {each}"
                     for at, each in enumerate(lines.splitlines()))  # fmt: skip
    path = written(tmp_path, f"table: trades_data\nrules:\n{rule}\n")
    message = refusal(tmp_path)
    assert str(path) in message
    for each in said:
        assert each in message


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    rules = [f"- {{id: a, check: {column} > 0, severity: flag}}" for column in ("sise", "prise")]
    path = written(tmp_path, "\n".join(["table: trades_data", "rules:", *rules]))
    message = refusal(tmp_path)

    assert "has 3 faults" in message
    assert f"line 4 (rules[1].id): 'a' is the id of rules[0] in {path}, too" in message


def test_an_id_is_of_one_rule_over_all_files(tmp_path: Path) -> None:
    written(tmp_path, f"rules:\n{RULE}", "shared/a.yaml")
    written(tmp_path, f"table: trades_data\ninclude: [shared/a.yaml]\nrules:\n{RULE}")
    message = refusal(tmp_path)

    assert "line 4 (rules[0].id)" in message
    assert f"'priced' is the id of rules[0] in {tmp_path / 'shared' / 'a.yaml'}, too" in message


@pytest.mark.parametrize(
    ("include", "said"),
    [
        ("shared/bar.yaml", "is not there; there are shared/bars.yaml; did you mean shared/bars"),
        ("../bars.yaml", "must be a .yaml file below the folder"),
        ("/bars.yaml", "must be a .yaml file below the folder"),
        ("shared/bars", "must be a .yaml file below the folder"),
    ],
)  # fmt: skip
def test_an_include_that_leads_nowhere_is_told_with_what_there_is(
    tmp_path: Path, include: str, said: str
) -> None:
    written(tmp_path, "rules: []", "shared/bars.yaml")
    written(tmp_path, f"table: trades_data\ninclude:\n- {include}\n")
    message = refusal(tmp_path)
    assert "line 3 (include[0])" in message
    assert said in message


def test_a_file_is_included_once(tmp_path: Path) -> None:
    written(tmp_path, "rules: []", "shared/a.yaml")
    written(tmp_path, "table: trades_data\ninclude:\n- shared/a.yaml\n- shared/a.yaml\n")
    assert "line 4 (include[1]): 'shared/a.yaml' is included twice" in refusal(tmp_path)


def test_a_shared_file_holds_rules_alone_over_columns_that_the_table_has(tmp_path: Path) -> None:
    written(tmp_path, "table: trades_data\ninclude: [shared/a.yaml]\n")
    shared = written(tmp_path, "table: trades_data\nrules: []\n", "shared/a.yaml")
    message = refusal(tmp_path)
    assert f"shared rule file {shared}, line 1 (table)" in message
    assert "is no key of a file of shared rules; allowed are rules" in message

    written(tmp_path, "rules:\n- {id: a, check: volume > 0, severity: flag}\n", "shared/a.yaml")
    message = refusal(tmp_path)
    assert f"{shared}, line 2 (rules[0].check): of trades_data: character 1" in message


@pytest.mark.parametrize(
    "name",
    ["trade_data.yaml", "trades_data.yml", "trades_data.YAML", "trades_data", "trades_data.txt",
     "trades_data.yaml.new", "Trades_Data.yaml", "bars.yaml"],
)  # fmt: skip
def test_a_file_that_no_table_reads_is_refused(tmp_path: Path, name: str) -> None:
    """A wrong name would switch its rules off without a word."""
    path = written(tmp_path, "table: trades_data\n", name)
    for table in TABLES:
        message = refusal(tmp_path, table)
        assert f"rule file {path} is read by nobody" in message
        assert "definitions_data" in message
        assert name == "bars.yaml" or "did you mean trades_data.yaml?" in message


@pytest.mark.parametrize("name", ["trades_data.yaml~", ".trades_data.yaml.swp", "README.md"])
def test_copies_of_editors_hidden_files_and_notes_are_left_alone(tmp_path: Path, name: str) -> None:
    """And folders, whatever they are called."""
    written(tmp_path, f"table: trades_data\nrules:\n{RULE}")
    written(tmp_path, "rules: []", "deeper/still/a.yaml")
    written(tmp_path, "table: tbbo_data\n", name)
    assert [each.rule.id for each in load_rulebook(tmp_path, TRADES).rules] == ["priced"]


@pytest.mark.parametrize("name", ["trades_data.yaml", "shared/a.yaml"])
def test_a_link_to_nothing_is_refused(tmp_path: Path, name: str) -> None:
    """It is no table without rules; a link to a file is that file."""
    written(tmp_path, f"rules:\n{RULE}", "shared/a.yaml")
    written(tmp_path, "table: trades_data\ninclude: [shared/a.yaml]\n")
    path, hidden = tmp_path / name, tmp_path / ".hidden"
    path.rename(hidden)
    path.symlink_to(hidden)
    assert [each.rule.id for each in load_rulebook(tmp_path, TRADES).rules] == ["priced"]
    hidden.unlink()
    assert f"rule file {path} is a link to {hidden}, which is not there" in refusal(tmp_path)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text(""),
                                  lambda path: path.symlink_to("gone")])  # fmt: skip
def test_a_folder_that_is_none_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """All tables would be without rules."""
    folder = tmp_path / "validation"
    make(folder)
    assert f"folder of rule files {folder} cannot be listed" in refusal(folder)


def test_the_digest_is_that_of_what_sha256sum_prints(tmp_path: Path) -> None:
    """Of the table's file and what it includes; it changes with any of them."""
    shared = written(tmp_path, "rules: []", "shared/a.yaml")
    written(tmp_path, "table: trades_data\ninclude: [shared/a.yaml]\n")
    before = load_rulebook(tmp_path, TRADES).digest

    files = ["trades_data.yaml", "shared/a.yaml"]
    if shutil.which("sha256sum"):
        told = subprocess.run(
            ["sha256sum", *files], cwd=tmp_path, check=True, capture_output=True, timeout=60
        )
        assert hashlib.sha256(told.stdout).hexdigest() == before
    shared.write_text("rules: [] # nothing\n")
    assert load_rulebook(tmp_path, TRADES).digest != before


def test_files_are_read_anew_and_compiled_once(tmp_path: Path) -> None:
    """A worker goes by what the file says now; the same bytes are the same rulebook."""
    path = written(tmp_path, f"table: trades_data\nrules:\n{RULE}")
    first = load_rulebook(tmp_path, TRADES)
    assert load_rulebook(tmp_path, TRADES) is first

    path.write_text("table: trades_data\n")
    assert load_rulebook(tmp_path, TRADES).rules == ()


@pytest.mark.parametrize(
    ("limit", "records", "most"),
    [
        ("", 0, 100),
        ("", 2_000, 100),
        ("", 2_001, 100),
        ("", 2_020, 101),
        ("{records: 0, share: 0}", 10_000, 0),
        ("{records: 0, share: 0.29}", 100, 29),
        ("{records: 7, share: 1}", 12, 12),
        ("{schemas: {trades: {records: 5}}}", 10, 5),
        ("{schemas: {trades: {records: 5}}}", 1_000, 50),
        ("{share: 0.5, schemas: {trades: {records: 5}}}", 100, 50),
        ("{records: 3, schemas: {trades: {share: 0}}}", 1_000, 3),
    ],
)
def test_the_limit_is_records_or_share_whichever_is_more(
    tmp_path: Path, limit: str, records: int, most: int
) -> None:
    """By default 100 records or 5 %; what a schema does not say of itself, the file says."""
    written(tmp_path, "table: trades_data\n" + (f"rejection_limit: {limit}\n" if limit else ""))
    assert load_rulebook(tmp_path, TRADES).limit(Schema.TRADES, records).most == most


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("{share: 5}", "(rejection_limit.share): must be a number from 0 to 1 (0.05 is 5 %)"),
        ("{share: x}", "must be a number from 0 to 1"),
        ("{share: nan}", "must be a number from 0 to 1"),
        ("{records: -1}", "(rejection_limit.records): must be at least 0, found '-1'"),
        ("{recrds: 1}", "is no key of a rejection limit; allowed are records, share, schemas"),
        ("{schemas: {tbbo: {records: 1}}}", "is no schema of trades_data; it stores trades"),
        ("{schemas: {trade: {records: 1}}}", "'trade' is no schema"),
        ("{schemas: {trades: {rows: 1}}}", "is no key of the bounds of a schema"),
    ],
)  # fmt: skip
def test_a_limit_that_is_wrong_is_told_by_its_key(tmp_path: Path, limit: str, said: str) -> None:
    written(tmp_path, f"table: trades_data\nrejection_limit: {limit}\n")
    assert said in refusal(tmp_path)


def test_the_instrument_classes_are_those_of_dbn() -> None:
    """What DBN adds, a rule must be able to name."""
    import databento_dbn

    found = {str(each.value) for each in databento_dbn.InstrumentClass.variants()}
    assert set(CLASSES) == found


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_table_has_shipped_rules(table: Table) -> None:
    """With a reason for each, and the limit that is promised."""
    book = load_rulebook(config_dir() / "validation", table)

    assert book.rules
    assert all(not each.rule.reason.startswith("breaks") for each in book.rules)
    assert book.bounds.of(table.schemas[0]) == (100, Decimal("0.05"))
    assert Severity.STOP not in {each.rule.severity for each in book.rules}
