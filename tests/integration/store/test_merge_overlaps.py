"""Loads over rows that are there: equal, corrected and new ones, of every stored schema."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingestor.model import STORED, table_of
from ingestor.receipt import Receipt
from ingestor.vocabulary import Schema
from tests.loads import Bench, write
from tests.made import corrected, made

COUNT = 100
SCHEMAS = pytest.mark.parametrize("schema", STORED)


async def load(bench: Bench, path: Path, records: np.ndarray, schema: Schema) -> Receipt:
    [receipt] = await bench.load(write(path, records, schema))
    return receipt


async def check_accounts(bench: Bench, schema: Schema) -> None:
    """Live rows of each chunk are what it stored less what later chunks took over from it."""
    rows = await bench.database.fetch(f"""
        SELECT (k.receipt->>'stored')::BIGINT - coalesce(
                   (SELECT sum(rows) FROM ingest.supersessions WHERE old_chunk = k.chunk_id), 0)
                   AS proven,
               (SELECT count(*) FROM {table_of(schema).name} WHERE chunk_id = k.chunk_id) AS there,
               (k.receipt->>'corrected')::BIGINT AS corrected,
               (k.receipt->>'removed')::BIGINT AS removed,
               (SELECT coalesce(sum(rows) FILTER (WHERE kind = 'corrected'), 0)
                FROM ingest.supersessions WHERE new_chunk = k.chunk_id) AS corrected_of,
               (SELECT coalesce(sum(rows) FILTER (WHERE kind = 'removed'), 0)
                FROM ingest.supersessions WHERE new_chunk = k.chunk_id) AS removed_of
        FROM ingest.chunks k WHERE k.receipt IS NOT NULL""")
    assert rows
    for row in rows:
        assert row["proven"] == row["there"]
        assert (row["corrected"], row["removed"]) == (row["corrected_of"], row["removed_of"])


@pytest.mark.parametrize("shared", [0, 1, 50, 100])
@SCHEMAS
async def test_equal_corrected_and_new_records_are_told_apart(
    any_bench: Bench, tmp_path: Path, schema: Schema, shared: int
) -> None:
    """Of 100 records `shared` were there, half of them with another price; 30 more were there
    that the new file does not have, and stay. The table then holds what both files say, newest
    first, and each row is accounted for.
    """
    records = made(schema, COUNT + 30)
    changed = shared // 2
    older = np.concatenate(
        [corrected(records[:changed], schema), records[changed:shared], records[COUNT:]]
    )
    await load(any_bench, tmp_path / "old.dbn", older, schema)
    receipt = await load(any_bench, tmp_path / "new" / "x.dbn", records[:COUNT], schema)
    assert (receipt.stored, receipt.corrected, receipt.already_stored, receipt.removed) == (
        COUNT - shared + changed, changed, shared - changed, 0,
    )  # fmt: skip
    await check_accounts(any_bench, schema)
    merged = await any_bench.rows(schema)
    await any_bench.clear()
    await load(any_bench, tmp_path / "all" / "x.dbn", records, schema)
    assert merged == await any_bench.rows(schema)


@SCHEMAS
async def test_an_equal_reload_leaves_no_dead_row(
    any_bench: Bench, tmp_path: Path, schema: Schema
) -> None:
    """No row is rewritten or even locked, and no table grows: there is nothing to vacuum."""
    name, path = table_of(schema).name, tmp_path / "a.dbn"
    await load(any_bench, path, made(schema, COUNT), schema)
    rows = f"SELECT tableoid, ctid, xmin::TEXT, xmax::TEXT FROM {name} ORDER BY 1, 2"
    sizes = f"SELECT sum(pg_relation_size(o)) FROM (SELECT DISTINCT tableoid AS o FROM {name}) t"
    before = await any_bench.database.fetch(rows), await any_bench.database.fetchval(sizes)
    [receipt] = await any_bench.load(path)
    assert (receipt.already_stored, receipt.stored) == (COUNT, 0)
    assert before == (
        await any_bench.database.fetch(rows), await any_bench.database.fetchval(sizes),
    )  # fmt: skip


@SCHEMAS
async def test_two_merges_at_once_count_each_record_once(
    any_bench: Bench, tmp_path: Path, schema: Schema
) -> None:
    """Both overlap what is there and each other: a record that both bring is new to one of them
    only, and one that both correct is corrected once.
    """
    records = made(schema, 3 * COUNT)
    base = np.concatenate([corrected(records[:40], schema), records[40:COUNT]])
    await load(any_bench, tmp_path / "base.dbn", base, schema)
    parts = [records[20 : 2 * COUNT], records[: 3 * COUNT]]
    ids = [
        chunk
        for at, part in enumerate(parts)
        for chunk in await any_bench.chunks(write(tmp_path / str(at) / "x.dbn", part, schema))
    ]
    receipts = await any_bench.race(ids)
    assert sum(receipt.stored for receipt in receipts) == 2 * COUNT + 40
    assert sum(receipt.corrected for receipt in receipts) == 40
    assert sum(receipt.fetched for receipt in receipts) == sum(map(len, parts))
    assert len(await any_bench.rows(schema)) == 3 * COUNT
    await check_accounts(any_bench, schema)
