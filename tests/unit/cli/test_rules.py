"""`hdi rules check` and `hdi rules schema`: files alone, no server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ingestor.cli.main import cli
from ingestor.cli.rule_check import check_folder
from ingestor.errors import BadRules
from ingestor.settings.forms import shipped_config_dir
from tests.architecture.test_import_weight import DATA_LIBRARIES, SERVICES, run

RULE = '{id: small, check: "size < 9", severity: flag}'


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    made = tmp_path / "configs"
    shutil.copytree(shipped_config_dir(), made)
    return made


def hdi(*words: object) -> Result:
    return CliRunner().invoke(cli, [*map(str, words)], standalone_mode=False)


def told(folder: Path) -> dict[str, Any]:
    return {each.file: each for each in check_folder(folder).files}


def write_rules(configs: Path, text: str, name: str = "trades_data.yaml") -> None:
    path = configs / "validation" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_what_is_shipped_is_sound(configs: Path) -> None:
    """One line for each file, and nobody has rules that nobody reads."""
    result = hdi("rules", "check", configs)
    assert result.exception is None
    lines = result.stdout.splitlines()
    shipped = [*configs.glob("mappings/**/*.yaml"), *configs.glob("validation/**/*.yaml")]
    assert len(lines) == len(shipped)
    assert all(line.startswith("ok ") for line in lines)
    assert "nobody includes it" not in result.stdout


def test_every_fault_is_told_with_its_line_and_what_is_allowed(configs: Path) -> None:
    """Of a mapping and of a rule file in one go; the others are checked all the same."""
    mapping = configs / "mappings" / "databento" / "trades.yaml"
    text = mapping.read_text().replace("op: fixed_price, field: price", "op: fixed, field: price")
    mapping.write_text(text.replace("field: flags", "field: flogs"))
    write_rules(configs, f"table: trades_data\nrules:\n  - {RULE.replace('size', 'sise')}\n")
    result = hdi("rules", "check", configs)
    assert isinstance(result.exception, BadRules)
    assert result.exception.message.startswith("2 of ")
    found = told(configs)
    line = text[: text.index("op: fixed,")].count("\n") + 1
    wrong = found["mappings/databento/trades.yaml"]
    assert f"line {line}" in wrong.fault
    assert "fixed_price" in wrong.fault
    rules = found["validation/trades_data.yaml"]
    assert "line 3" in rules.fault
    assert "did you mean size" in rules.fault
    assert sum(not each.ok for each in found.values()) == 2


def test_a_field_that_no_record_on_the_wire_has_is_told(configs: Path) -> None:
    mapping = configs / "mappings" / "databento" / "trades.yaml"
    mapping.write_text(mapping.read_text().replace("field: flags", "field: flogs"))
    wrong = told(configs)["mappings/databento/trades.yaml"]
    assert "'flogs' is no field of trades" in wrong.fault
    assert "did you mean flags" in wrong.fault


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("validation/trade_data.yaml", "did you mean trades_data"),
        ("validation/trades_data.yml", "is read by nobody"),
        ("validation/trades_data.YAML", "did you mean trades_data.yaml"),
        ("validation/trades_data", "did you mean trades_data.yaml"),
        ("validation/trades_data.yaml.new", "did you mean trades_data.yaml"),
        ("mappings/databento/trade.yaml", "did you mean trades"),
        ("mappings/databento/trades.yml", "is read by nobody"),
    ],
)
def test_a_file_that_nobody_would_read_is_told(configs: Path, name: str, said: str) -> None:
    """A misspelt name would switch its rules off silently."""
    (configs / name).write_text("rules: []\n")
    wrong = told(configs)[name]
    assert not wrong.ok
    assert said in wrong.fault


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("kx", "read by nobody: kx is no dataset code; one looks like ACME.BARS"),
        ("acme.bars", "acme.bars is no dataset code; one looks like ACME.BARS; did you mean ACME"),
        ("ACME.BARS/older", "ACME.BARS/older is no dataset code"),
        ("", "read by nobody: it is in no dataset's folder"),
    ],
)
def test_text_mappings_outside_a_datasets_folder_are_read_by_nobody(
    configs: Path, folder: str, said: str
) -> None:
    """However sound they are: no dataset can have such a code."""
    texts = configs / "mappings" / "csv-files"
    (texts / folder).mkdir(parents=True, exist_ok=True)
    made = texts / folder / "ohlcv-1d.yaml"
    made.write_bytes((texts / "ACME.BARS" / "ohlcv-1d.yaml").read_bytes())
    wrong = told(configs)[str(made.relative_to(configs))]
    assert not wrong.ok
    assert said in wrong.fault


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("databent", "no source reads the folder databent; there are databento and csv-files/<"),
        ("dbn-files", "no source reads the folder dbn-files"),
        ("databento/older", "no source reads the folder databento/older"),
        ("", "it is in no source's folder"),
    ],
)
def test_mappings_in_a_folder_that_no_source_reads_are_told(
    configs: Path, folder: str, said: str
) -> None:
    """However sound they are."""
    made = configs / "mappings" / folder / "trades.yaml"
    made.parent.mkdir(exist_ok=True)
    made.write_bytes((configs / "mappings" / "databento" / "trades.yaml").read_bytes())
    wrong = told(configs)[str(made.relative_to(configs))]
    assert not wrong.ok
    assert said in wrong.fault


def test_the_folder_of_a_source_that_was_installed_beside_is_left_to_it(
    configs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the source knows what it is called."""
    made = configs / "mappings" / "acme" / "trades.yaml"
    made.parent.mkdir()
    made.write_bytes((configs / "mappings" / "databento" / "trades.yaml").read_bytes())
    assert not told(configs)["mappings/acme/trades.yaml"].ok
    monkeypatch.setattr("ingestor.cli.rule_check.others_installed", lambda: True)
    assert told(configs)["mappings/acme/trades.yaml"].ok


def test_a_schema_without_a_mapping_is_noted(configs: Path) -> None:
    """It is no fault: who never loads it needs none."""
    assert not any("no mapping" in note for note in check_folder(configs).notes)
    (configs / "mappings" / "databento" / "trades.yaml").unlink()
    found = check_folder(configs)
    assert not found.wrong
    assert "databento has no mapping of trades: chunks of it fail" in found.notes


def test_a_shared_file_that_nobody_includes_is_checked_and_told(configs: Path) -> None:
    """It may be meant for later, or its name misspelt where it is included."""
    write_rules(configs, f"rules:\n  - {RULE}\n", "shared/lonely.yaml")
    assert told(configs)["validation/shared/lonely.yaml"].note == "nobody includes it"
    write_rules(configs, "rules:\n  - {id: small}\n", "shared/lonely.yaml")
    assert "check" in told(configs)["validation/shared/lonely.yaml"].fault


def test_a_shared_file_names_its_tables(configs: Path) -> None:
    write_rules(configs, f"rules:\n  - {RULE}\n", "shared/some.yaml")
    write_rules(configs, "table: trades_data\ninclude: [shared/some.yaml]\n")
    assert told(configs)["validation/shared/some.yaml"].note == "included by trades_data"


def test_a_table_without_rules_is_noted(configs: Path) -> None:
    (configs / "validation" / "trades_data.yaml").unlink()
    found = check_folder(configs)
    assert not found.wrong
    assert [note for note in found.notes if note.startswith("trades_data ")]


def test_a_link_to_nothing_is_told_of_the_table_that_it_is_called_after(configs: Path) -> None:
    """It is not noted as a table without rules."""
    path = configs / "validation" / "trades_data.yaml"
    path.unlink()
    path.symlink_to("gone.yaml")
    assert "which is not there" in told(configs)["validation/trades_data.yaml"].fault
    assert not check_folder(configs).notes


def test_a_configuration_without_a_folder_of_rules_is_told(configs: Path) -> None:
    """An empty one is none without rules by mistake."""
    shutil.rmtree(configs / "validation")
    assert "cannot be listed" in told(configs)["validation"].fault
    (configs / "validation").mkdir()
    assert not check_folder(configs).wrong


def test_mappings_of_text_files_are_checked_too(configs: Path) -> None:
    """Their folders are datasets; which columns a file will have nobody knows."""
    folder = configs / "mappings" / "csv-files" / "MINE.BARS"
    folder.mkdir(parents=True)
    source = next(configs.glob("mappings/csv-files/*/ohlcv-1d.yaml")).read_text()
    (folder / "ohlcv-1d.yaml").write_text(source)
    assert told(configs)["mappings/csv-files/MINE.BARS/ohlcv-1d.yaml"].ok
    wrong = source.replace("op: decimal_price, field: Open", "op: fixed_price, field: Open")
    (folder / "ohlcv-1d.yaml").write_text(wrong)
    assert "are text" in told(configs)["mappings/csv-files/MINE.BARS/ohlcv-1d.yaml"].fault


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    result = hdi("rules", "check", tmp_path)
    assert isinstance(result.exception, BadRules)
    assert "holds no mapping file" in result.stdout


def test_json_has_every_file(configs: Path) -> None:
    (configs / "validation" / "trade_data.yaml").write_text("rules: []\n")
    result = hdi("rules", "check", configs, "--json")
    found = json.loads(result.stdout)
    assert found["ok"] is False
    wrong = [each["file"] for each in found["files"] if each["fault"]]
    assert wrong == ["validation/trade_data.yaml"]
    [other] = [each for each in found["files"] if each["file"] == "validation/trades_data.yaml"]
    assert (other["ok"], other["note"]) == (False, "not checked while trade_data.yaml is there")


def test_schemas_go_to_stdout_or_to_a_folder(tmp_path: Path) -> None:
    """The same ones."""
    whole = json.loads(hdi("rules", "schema").stdout)
    assert set(whole) == {"mapping", "validation", "job"}
    hdi("rules", "schema", "-o", tmp_path / "deep" / "er")
    for name, schema in whole.items():
        path = tmp_path / "deep" / "er" / f"{name}.schema.json"
        assert json.loads(path.read_bytes()) == schema


def test_replay_says_how_it_differs_from_the_other_words_for_again() -> None:
    said = " ".join(hdi("replay", "--help").stdout.split())
    assert "*replay* loads again from the vault and never buys" in said
    assert "*retry* does failed work again and may buy" in said
    assert "--force" in said


@pytest.mark.parametrize("words", [("rules",), ("rules", "diff"), ("replay",)])
def test_help_is_quick(words: tuple[str, ...]) -> None:
    status, modules = run("hdi", *words, "--help")
    assert status == 0
    assert not modules & (DATA_LIBRARIES | SERVICES)
