"""JSON Schemas for editors: they take what is shipped and refuse what a person mistypes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from ingestor.rule_schemas import rule_schemas, undescribed

CONFIGS = Path(__file__).parents[2] / "configs"
SCHEMAS = rule_schemas()
CHECKS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}
SHIPPED = [
    *(("mapping", path) for path in sorted(CONFIGS.glob("mappings/**/*.yaml"))),
    *(("validation", path) for path in sorted(CONFIGS.glob("validation/**/*.yaml"))),
    *(("job", path) for path in sorted(CONFIGS.glob("jobs/*.yaml"))),
]


def faults(name: str, value: object) -> list[str]:
    return [each.message for each in CHECKS[name].iter_errors(value)]


def read(path: Path) -> dict[str, Any]:
    """As an editor sees it: a key is text, whatever it looks like, and a date stays text."""
    node = yaml.compose(path.read_text(), Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    return _plain(node)  # type: ignore[no-any-return] # of a mapping: a dict


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    if node.tag.endswith(":timestamp"):
        return node.value
    return yaml.safe_load(yaml.serialize(node))


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_a_schema_by_its_own_dialect(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize(("name", "path"), SHIPPED, ids=[str(p.name) for _, p in SHIPPED])
def test_every_shipped_file_passes(name: str, path: Path) -> None:
    assert faults(name, read(path)) == []


@pytest.mark.parametrize(("name", "path"), SHIPPED, ids=[str(p.name) for _, p in SHIPPED])
def test_a_misspelt_key_is_refused_wherever_it_stands(name: str, path: Path) -> None:
    """One key after the other with an x behind it, about sixty of a file."""
    whole = read(path)
    free = {("columns", "values"), ("columns", "ids")}
    places = _keys(whole)
    for place in places[:: max(1, len(places) // 60)]:
        if (place[0], *place[2:3]) in free and len(place) > 3:
            continue  # words of the data, not keys of ours
        changed = copy.deepcopy(whole)
        inner: Any = changed
        for part in place[:-1]:
            inner = inner[part]
        inner[f"{place[-1]}x"] = inner.pop(place[-1])
        assert not CHECKS[name].is_valid(changed), f"{place} misspelt passes"


def _keys(node: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(node, dict):
        inner = [each for key, value in node.items() for each in _keys(value, (*place, key))]
        return [*((*place, key) for key in node), *inner]
    if isinstance(node, list):
        return [each for at, value in enumerate(node) for each in _keys(value, (*place, at))]
    return []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_says_what_it_means(name: str) -> None:
    """An editor shows it beside the key."""
    assert list(undescribed(SCHEMAS[name])) == []


RULE = {"id": "price-defined", "check": "price is not null", "severity": "flag"}
FILE = {"table": "trades_data", "rules": [RULE]}


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "warn"},
        {"id": "Price.Defined"},
        {"required": "yes please"},
        {"when": {}},
        {"when": {"instrument_class": ["Q"]}},
        {"when": {"publisher": ["GLBX"]}},
        {"reason": None},
    ],
)
def test_a_wrong_value_of_a_rule_is_refused(change: dict[str, Any]) -> None:
    """As `hdi rules check` would, as far as a schema can tell."""
    assert faults("validation", FILE) == []
    assert faults("validation", FILE | {"rules": [RULE | change]})


def test_numbers_are_numbers() -> None:
    """What YAML reads from 100 and 0.05 passes; words do not."""
    assert faults("validation", FILE | {"rejection_limit": {"records": 5, "share": 0.5}}) == []
    for wrong in ({"records": "many"}, {"share": 1.5}, {"share": "half"}, {"records": -1}):
        assert faults("validation", FILE | {"rejection_limit": wrong})


def test_shared_rules_stand_alone() -> None:
    """A file without a table holds rules and nothing else."""
    assert faults("validation", {"rules": [RULE]}) == []
    assert faults("validation", {"rules": [RULE], "include": ["shared/a.yaml"]})
    assert faults("validation", {"table": "trades", "rules": [RULE]})


def test_a_mapping_has_the_columns_of_its_schema() -> None:
    """One that lacks a column, or has one of another table, is refused."""
    whole = read(CONFIGS / "mappings/databento/trades.yaml")
    lacking = {**whole, "columns": {k: v for k, v in whole["columns"].items() if k != "price"}}
    other = {**whole, "table": "tbbo_data"}
    strange = {**whole, "columns": whole["columns"] | {"price": {"op": "fixed_price"}}}
    for wrong in (lacking, other, strange):
        assert faults("mapping", wrong)
