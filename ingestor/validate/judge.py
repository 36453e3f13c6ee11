"""One frame through its pandera schema, lazily: every broken rule is found, none stops a batch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pa

from ingestor.model import Column
from ingestor.model.frame import Frame
from ingestor.model.kind import UINT64_MAX
from ingestor.model.reasons import reason_of, reserved_reason
from ingestor.model.verdict import Rejected, Verdict
from ingestor.validate.reserved import RULE, strays
from ingestor.validate.storable import schema_of


def judge(frame: Frame) -> Verdict:
    """Splits a frame into what its table can hold and what it cannot.

    A record that breaks several rules is rejected once, by the first of them in column order.
    """
    view = pd.DataFrame({**frame.columns, "ordinal": frame.ordinal}, copy=False)
    broken: dict[int, str] = {}
    try:
        schema_of(frame.table).validate(view, lazy=True)
    except pa.errors.SchemaErrors as error:
        broken = _broken(error)
    for row, rule in strays(frame):
        broken.setdefault(row, rule)
    return _split(frame, broken) if broken else Verdict(frame, ())


def _broken(error: pa.errors.SchemaErrors) -> dict[int, str]:
    """Row → the first rule it broke. A failure that names no row is a fault of ours: raised."""
    rows: dict[int, str] = {}
    for case in error.failure_cases.itertuples():
        if case.index is None or pd.isna(case.index):
            raise error
        rows.setdefault(int(case.index), str(case.check))
    return rows


def _split(frame: Frame, broken: dict[int, str]) -> Verdict:
    keep: npt.NDArray[np.bool_] = np.ones(len(frame), dtype=bool)
    keep[list(broken)] = False
    rejected = tuple(_rejected(frame, row, rule) for row, rule in sorted(broken.items()))
    return Verdict(frame.take(keep), rejected)


def _rejected(frame: Frame, row: int, rule: str) -> Rejected:
    field, value, reason = _fault(frame, row, rule)
    index_ns = int(frame.columns[frame.table.index_column][row])
    return Rejected(
        position=int(frame.position[row]),
        raw=frame.raw[row].tobytes(),
        rule=rule,
        field=field,
        value=value,
        reason=reason,
        publisher_id=int(frame.columns["publisher_id"][row]),
        instrument_id=int(frame.columns["instrument_id"][row]),
        index_ns=None if index_ns == UINT64_MAX else index_ns,
        ordinal=int(frame.ordinal[row]),
    )


def _fault(frame: Frame, row: int, rule: str) -> tuple[str, str, str]:
    """Field, value found and reason."""
    if rule.endswith(f".{RULE}"):
        field = rule.partition(".")[0]
        return field, bytes(frame.raw[field][row]).hex(), reserved_reason(field)
    column = _column(frame, rule)
    values = frame.ordinal if column.name == "ordinal" else frame.columns[column.name]
    return column.name, str(values[row]), reason_of(rule, column)


def _column(frame: Frame, rule: str) -> Column:
    name = rule.partition(".")[0]
    if name == "ordinal" and not frame.table.numbered:
        return Column("ordinal", frame.table["publisher_id"].kind, "Repeat of a key.")
    return frame.table[name]
