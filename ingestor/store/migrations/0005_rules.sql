-- Rules: what quarantined records look like and what became of them; records that were stored although
-- they break a rule; what an asking-again found; chunks that load a payload, or its refused records, anew.
ALTER TABLE ingest.chunks
    ADD COLUMN replays INTEGER REFERENCES ingest.chunks,
    ADD COLUMN releases BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN cut_by TEXT,
    ADD CONSTRAINT chunks_releases CHECK (NOT releases OR replays IS NOT NULL),
    ADD CONSTRAINT chunks_replays CHECK (replays <> chunk_id)
--------
COMMENT ON COLUMN ingest.chunks.replays IS
    'Chunk whose payload is loaded again by today''s rules, or whose refused records are stored'
--------
COMMENT ON COLUMN ingest.chunks.releases IS
    'Whether it stores quarantined records of the chunk in replays, not a payload'
--------
COMMENT ON COLUMN ingest.chunks.cut_by IS
    'Digest of the mapping whose times cut the payload into slices; null where its own times do'
--------
CREATE INDEX chunks_replays_idx ON ingest.chunks (replays) WHERE replays IS NOT NULL
--------
CREATE INDEX chunks_cut_by_idx ON ingest.chunks (payload_id) WHERE cut_by IS NOT NULL
--------
-- The same bytes may lie in several places.
CREATE INDEX payloads_sha256_idx ON ingest.payloads (sha256)
--------
ALTER TABLE ingest.quarantine
    ADD COLUMN rules_hash TEXT,
    ADD COLUMN readable JSON,
    ADD COLUMN resolution TEXT CHECK (resolution IN ('replayed', 'discarded')),
    ADD COLUMN resolved_at TIMESTAMPTZ,
    ADD COLUMN resolved_by INTEGER REFERENCES ingest.chunks,
    ADD COLUMN resolved_reason TEXT,
    ADD CONSTRAINT quarantine_resolved CHECK ((resolution IS NULL) = (resolved_at IS NULL)),
    -- coalesce: a CHECK lets NULL pass.
    ADD CONSTRAINT quarantine_replayed CHECK
        (coalesce(resolution = 'replayed', false) = (resolved_by IS NOT NULL)),
    ADD CONSTRAINT quarantine_discarded CHECK
        (coalesce(resolution = 'discarded', false) = (resolved_reason IS NOT NULL))
--------
COMMENT ON COLUMN ingest.quarantine.rules_hash IS
    'sha256 of the validation files it was refused by, empty where none; null where it was not kept'
--------
COMMENT ON COLUMN ingest.quarantine.readable IS
    'Its columns for people: prices as decimal text, times in ISO 8601; null where it was not kept'
--------
COMMENT ON COLUMN ingest.quarantine.resolution IS
    'What became of it: replayed (stored later) or discarded (for a reason); null while it waits'
--------
COMMENT ON COLUMN ingest.quarantine.resolved_by IS 'Chunk that stored it later'
--------
CREATE TABLE ingest.rechecks (
    recheck_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES ingest.chunks,
    rule TEXT NOT NULL,
    rules_hash TEXT NOT NULL,
    broken BIGINT NOT NULL CHECK (broken >= 0),
    fine BIGINT NOT NULL CHECK (fine >= 0),
    undecided BIGINT NOT NULL CHECK (undecided >= 0),
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
)
--------
COMMENT ON TABLE ingest.rechecks IS
    'Stored records of a chunk asked again about a rule that could not be decided when they came'
--------
CREATE INDEX rechecks_chunk_idx ON ingest.rechecks (chunk_id)
--------
CREATE TABLE ingest.flagged (
    flagged_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES ingest.chunks,
    position BIGINT NOT NULL CHECK (position >= 0),
    rule TEXT NOT NULL,
    rules_hash TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    readable JSON,
    publisher_id INTEGER NOT NULL,
    instrument_id BIGINT NOT NULL,
    index_ns NUMERIC(20),
    ordinal INTEGER NOT NULL,
    recheck_id BIGINT REFERENCES ingest.rechecks,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (chunk_id, position, rule)
)
--------
COMMENT ON TABLE ingest.flagged IS
    'Records that are stored although they break a rule: store.flags_kept per chunk and rule, the '
    'receipt counts all'
--------
COMMENT ON COLUMN ingest.flagged.recheck_id IS
    'What found it; null where it was found when the chunk was loaded'
--------
CREATE INDEX flagged_instrument_idx ON ingest.flagged (publisher_id, instrument_id)
--------
GRANT SELECT ON ingest.rechecks, ingest.flagged TO hdi_worker, hdi_reader
--------
GRANT INSERT ON ingest.rechecks, ingest.flagged TO hdi_worker
--------
GRANT DELETE ON ingest.flagged TO hdi_worker
--------
GRANT UPDATE (resolution, resolved_at, resolved_by, resolved_reason) ON ingest.quarantine
    TO hdi_worker
