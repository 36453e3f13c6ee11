"""JSON Schemas of the YAML files that people write, for editors: mapping, validation and job files.

Made from the models that read the files; what a model leaves to later checks (which columns a table
has) is put in here, so that an editor refuses a misspelt key while it is typed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from ingestor.job_file import job_file_schema
from ingestor.model import STORED, TABLES, Table, table_of
from ingestor.transform.rules import mapping_file_schema
from ingestor.validate.rules import CLASSES, RuleFile, SharedRules, WrittenRule

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

JsonSchema = dict[str, Any]

_SAID: Final = {
    ("Constant", "value"): "The value; of a number, a price or a text, as the column asks.",
    ("CopyOf", "column"): "The column that is copied; it is made by another op.",
    ("Difference", "of"): "The column that the other is taken from.",
    ("Difference", "minus"): "The column that is taken from it.",
}
"""What one key means where the model around it says it for all."""


def rule_schemas() -> dict[str, JsonSchema]:
    """``mapping``, ``validation`` and ``job`` → the JSON Schema (2020-12) of such a file."""
    return {
        name: _described(made)
        for name, made in (
            ("mapping", mapping_schema()),
            ("validation", validation_schema()),
            ("job", job_file_schema()),
        )
    }


def mapping_schema() -> JsonSchema:
    """Of a file in ``configs/mappings/<source>``: each schema has the columns of its table."""
    schema = mapping_file_schema()
    rule = schema["properties"]["columns"]["additionalProperties"]
    schema["$defs"]["Rule"] = rule
    schema["properties"]["columns"]["additionalProperties"] = {"$ref": "#/$defs/Rule"}
    schema["properties"]["schema"]["enum"] = [str(each) for each in STORED]
    schema["properties"]["table"]["enum"] = _table_names()
    schema["allOf"] = [
        {
            "if": {"properties": {"schema": {"const": str(each)}}, "required": ["schema"]},
            "then": {"properties": _of_table(table_of(each))},
        }
        for each in STORED
    ]
    return schema


def _of_table(table: Table) -> JsonSchema:
    columns = {
        each.name: {"$ref": "#/$defs/Rule", "description": each.doc} for each in table.frame_columns
    }
    return {
        "table": {"const": table.name},
        "columns": {
            "properties": columns,
            "required": list(columns),
            "additionalProperties": False,
        },
    }


def validation_schema() -> JsonSchema:
    """Of a file in ``configs/validation``: that of a table, or a shared one of rules alone."""
    own, shared = RuleFile.model_json_schema(), SharedRules.model_json_schema()
    defs = own.pop("$defs") | shared.pop("$defs")
    own["properties"]["table"]["enum"] = _table_names()
    own["properties"]["include"]["items"]["pattern"] = r"\.yaml$"
    defs["WrittenRule"]["properties"]["id"]["pattern"] = _pattern(WrittenRule, "id")
    defs["WrittenWhen"]["minProperties"] = 1
    for each in defs["WrittenWhen"]["properties"]["instrument_class"]["anyOf"]:
        if "items" in each:
            each["items"]["enum"] = list(CLASSES)
    keys = [each for each in own["properties"] if each != "rules"]
    return {
        "$schema": DIALECT,
        "title": "HDI validation file",
        "type": "object",
        "$defs": defs | {"RuleFile": own, "SharedRules": shared},
        "if": {"anyOf": [{"required": [each]} for each in keys]},
        "then": {"$ref": "#/$defs/RuleFile"},
        "else": {"$ref": "#/$defs/SharedRules"},
    }


def _pattern(model: type[BaseModel], key: str) -> str:
    """What pydantic checks, and tells no schema of: the text before it goes through a function."""
    told = (getattr(each, "pattern", None) for each in model.model_fields[key].metadata)
    return str(next(each for each in told if each is not None))


def _table_names() -> list[str]:
    return [table.name for table in TABLES]


def undescribed(schema: Mapping[str, Any]) -> Iterator[str]:
    """Keys that a schema tells nothing of, as ``Model.key``."""
    for where, key, told in _keys(schema):
        if not told.get("description"):
            yield f"{where}.{key}"


def _described(schema: JsonSchema) -> JsonSchema:
    """`op` says what its model says: editors show that for a whole value only."""
    made: JsonSchema = _written(schema)
    models = made.get("$defs", {})
    for where, key, told in _keys(made):
        if key == "op":
            told.setdefault("description", models[where]["description"].partition("\n")[0])
        elif (where, key) in _SAID:
            told.setdefault("description", _SAID[where, key])
    return made


def _written(node: Any) -> Any:
    """As people write it: a key without a value is refused, a share is a number."""
    if isinstance(node, list):
        return [_written(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {key: _written(value) for key, value in node.items() if value is not None}
    some = [each for each in made.get("anyOf", ()) if each != {"type": "null"}]
    if len(some) == 1 and len(some) < len(made["anyOf"]):
        del made["anyOf"]
        return {**some[0], **made}
    if some:
        made["anyOf"] = some
    if made.get("type") == "number" and isinstance(made.get("default"), str):
        made["default"] = float(made["default"])
    return made


def _keys(schema: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every key of every model: name of the model, key, and what is said of it."""
    models = {"file": schema} | schema.get("$defs", {})
    for where, model in models.items():
        for key, told in model.get("properties", {}).items():
            yield where, key, told
