"""A worker with one guard taken out, to show that the tests notice. Never part of the product.

``python -m tests.faults.mutant_worker no_fence NAME``
"""

from __future__ import annotations

import os
import sys

from ingestor.store import ledger
from ingestor.store.queries import queries


def no_fence() -> None:
    """Claims whatever it is given, whoever owns it; loads and finishes without asking.

    The ledger's CHECK constraints refuse a completed chunk in progress even so: its receipt has to
    be wiped as well.
    """
    chunks = queries("chunks")
    claim = chunks["claim"].replace(
        "SET state = 'in_progress',",
        "SET receipt = NULL, finished_at = NULL, state = 'in_progress',",
    )
    start = claim.index("      AND ((k.state IN")
    end = claim.index("    FOR UPDATE OF k SKIP LOCKED")
    chunks["claim"] = claim[:start] + "      AND $4::INTEGER IS NOT NULL\n" + claim[end:]
    chunks["lock"] = "SELECT 1 FROM ingest.chunks WHERE chunk_id = $1 AND $2 IS NOT NULL FOR UPDATE"
    chunks["finish"] = chunks["finish"].replace(
        "WHERE chunk_id = $1 AND fence = $2 AND state = 'in_progress'",
        "WHERE chunk_id = $1 AND $2::INTEGER IS NOT NULL",
    )
    assert ledger._CHUNKS is chunks


MUTANTS = {"no_fence": no_fence}


def main() -> None:
    MUTANTS[sys.argv[1]]()
    os.environ["HDI_WORKER__CONCURRENCY"] = "1"
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
    from workers.app import app

    app.worker_main(["worker", "-n", f"{sys.argv[2]}@%h", "--loglevel", "INFO"])


if __name__ == "__main__":
    main()
