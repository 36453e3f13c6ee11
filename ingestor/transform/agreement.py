"""Whether a mapping file agrees with the table that it fills and the wire that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

import numpy as np
from pydantic import ValidationError

from ingestor.documents import (
    Fault,
    Loc,
    Manner,
    empty_faults,
    model_faults,
    nearest,
    parse_document,
    wrong,
)
from ingestor.errors import BadRules
from ingestor.model import Column, Table, table_of
from ingestor.transform.derived import kinship, sources_of
from ingestor.transform.literals import literal
from ingestor.transform.ops import ABSENT
from ingestor.transform.rules import (
    RULES,
    Constant,
    CopyOf,
    Difference,
    Enum,
    MappingFile,
    Rule,
    SymbolId,
    Undefined,
)
from ingestor.transform.sorts import makers
from ingestor.transform.wires import Wire
from ingestor.vocabulary import Schema

MANNER: Final = Manner(
    "mapping file", BadRules, "docs/reference/mapping-files.md says what it may hold"
)


def checked_file(raw: bytes, name: str, schema: Schema, wire: Wire | None) -> MappingFile:
    """A file that can fill the table of `schema` from records of a wire; None where it is unknown.

    Raises:
        BadRules: It cannot, with all its faults.
    """
    document = parse_document(raw, name, MANNER)
    faults = [*document.faults, *empty_faults(document)]
    try:
        file = MappingFile.model_validate(document.values)
    except ValidationError as error:
        # `from None`: pydantic's error holds every value.
        raise wrong(document, [*_without_tags(error), *faults]) from None
    faults += disagreements(file, table_of(schema), schema, wire)
    if faults:
        raise wrong(document, faults)
    return file


def _without_tags(error: ValidationError) -> Iterator[Fault]:
    """What the model refused; pydantic puts the op into the place of what stands below it."""
    for each in model_faults(error, _keys, MappingFile):
        if each.loc[0] != "columns" or len(each.loc) < 3:
            yield each
        elif each.loc[2] == "op" and each.what == "is missing":
            yield Fault(each.loc, f"is missing; there are {', '.join(RULES)}")
        else:
            yield Fault(
                each.loc if each.loc[2] == "op" else (*each.loc[:2], *each.loc[3:]), each.what
            )


def _keys(loc: Loc) -> tuple[str, Sequence[str]]:
    if len(loc) < 3:
        return "a mapping file", ["schema", "table", "columns"]
    op = str(loc[2])
    return f"op {op}", list(RULES[op].model_fields)


def disagreements(
    file: MappingFile, table: Table, schema: Schema, wire: Wire | None
) -> Iterator[Fault]:
    """Everything that keeps a file from filling its table."""
    if file.record_schema is not schema:
        yield Fault(("schema",), f"must be {schema}, found {file.record_schema}: the file's name")
        return
    if file.table != table.name:
        yield Fault(("table",), f"must be {table.name}, found {file.table[:60]!r}")
    wanted = {column.name: column for column in table.frame_columns}
    if missing := [name for name in wanted if name not in file.columns]:
        names = ", ".join(missing)
        yield Fault(("columns",), f"holds no rule for {names}; op undefined makes a column null")
    for name, rule in file.columns.items():
        if name not in wanted:
            yield Fault(
                ("columns", name),
                f"is no column of {table.name}; there are {', '.join(wanted)}"
                f"{nearest(name, list(wanted))}",
            )
        else:
            yield from _of_rule(rule, wanted[name], table, wire)
    yield from _width(file, schema)
    yield from _circles(file)


def _width(file: MappingFile, schema: Schema) -> Iterator[Fault]:
    """Bars of another width than their schema's would be stored as bars of it."""
    rule, width = file.columns.get("granularity"), schema.rpartition("-")[2]
    if isinstance(rule, Constant) and rule.value != width:
        loc: Loc = ("columns", "granularity", "value")
        yield Fault(loc, f"must be {width}, as bars of {schema} are; found {rule.value[:60]!r}")


def _of_rule(rule: Rule, column: Column, table: Table, wire: Wire | None) -> Iterator[Fault]:
    loc: Loc = ("columns", column.name)
    if isinstance(rule, Undefined):
        if not column.nullable:
            yield Fault((*loc, "op"), f"op undefined makes nulls, but {column.name} is never null")
        return
    if rule.op not in (allowed := makers(column.kind)):
        yield Fault(
            (*loc, "op"),
            f"op {rule.op} cannot make a column of kind {column.kind.name}; allowed are "
            f"{', '.join(allowed)}",
        )
        return
    yield from _of_values(rule, column, loc)
    if isinstance(rule, CopyOf | Difference):
        yield from _of_sources(rule, column, table, loc)
    for field in rule.fields if wire is not None else ():
        assert wire is not None
        key, what = wire.fault(rule, field, np.dtype(column.kind.frame))
        if what:
            yield Fault((*loc, _named(rule, key, field)), what)


def _named(rule: Rule, key: str, field: str) -> str:
    """The key of the rule that names a field."""
    if key == "field" and getattr(rule, "date_field", None) == field:
        return "date_field"
    return key


def _of_values(rule: Rule, column: Column, loc: Loc) -> Iterator[Fault]:
    """Values that the column cannot hold, and nulls where it has none."""
    if isinstance(rule, Constant):
        yield from _unless(column, rule.value, (*loc, "value"))
    if isinstance(rule, Enum):
        for key, value in rule.values.items():
            yield from _unless(column, value, (*loc, "values", key))
    if isinstance(rule, SymbolId) and len(set(rule.ids.values())) < len(rule.ids):
        yield Fault((*loc, "ids"), "gives one id to two symbols; each instrument has its own")
    if getattr(rule, "nulls", ()) and not column.nullable:
        yield Fault((*loc, "nulls"), f"makes nulls, but {column.name} is never null")
    absent = getattr(rule, "absent", None)
    if absent == ABSENT:
        if not column.nullable:
            yield Fault((*loc, "absent"), f"makes nulls, but {column.name} is never null")
    elif absent is not None:
        yield from _unless(column, absent, (*loc, "absent"))


def _unless(column: Column, text: str, loc: Loc) -> Iterator[Fault]:
    try:
        literal(column, text)
    except ValueError as error:
        yield Fault(loc, str(error))


def _of_sources(
    rule: CopyOf | Difference, column: Column, table: Table, loc: Loc
) -> Iterator[Fault]:
    known = [each.name for each in table.frame_columns]
    keys = ("column",) if isinstance(rule, CopyOf) else ("of", "minus")
    unknown = [
        (key, name) for key, name in zip(keys, sources_of(rule), strict=True) if name not in known
    ]
    for key, name in unknown:
        there = f"is no column of {table.name}; there are {', '.join(known)}{nearest(name, known)}"
        yield Fault((*loc, key), f"{name[:60]!r} {there}")
    if not unknown and (hindrance := kinship(rule, column, table)):
        yield Fault(loc, hindrance)


def in_order(file: MappingFile) -> list[str]:
    """Derived columns, each behind those that it is made of.

    Raises:
        CycleError: One is made of itself.
    """
    graph = {name: sources_of(rule) for name, rule in file.columns.items()}
    return [name for name in TopologicalSorter(graph).static_order() if graph.get(name)]


def _circles(file: MappingFile) -> Iterator[Fault]:
    try:
        in_order(file)
    except CycleError as error:
        names = error.args[1]
        yield Fault(("columns", names[0]), f"is made of itself: {' ← '.join(names)}")
