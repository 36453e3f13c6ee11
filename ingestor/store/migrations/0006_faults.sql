-- Faults: a stopped line, local faults in a row, notes on dead letters.
ALTER TABLE ingest.chunks
    ADD COLUMN local_faults INTEGER NOT NULL DEFAULT 0 CHECK (local_faults >= 0)
--------
COMMENT ON COLUMN ingest.chunks.local_faults IS
    'Attempts in a row that ended because their host lacked memory, disk or time'
--------
ALTER TABLE ingest.dead_letters
    ADD COLUMN note TEXT CHECK (octet_length(note) <= 2048)
--------
COMMENT ON COLUMN ingest.dead_letters.note IS 'Why an operator discarded it'
--------
CREATE INDEX dead_letters_chunk_idx ON ingest.dead_letters (chunk_id)
--------
CREATE TABLE ingest.halts (
    halt_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sqlstate TEXT NOT NULL CHECK (sqlstate ~ '^[0-9A-Z]{5}$'),
    reason TEXT NOT NULL CHECK (octet_length(reason) <= 2048),
    hint TEXT NOT NULL CHECK (octet_length(hint) <= 2048),
    worker TEXT NOT NULL,
    raised_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    probe_at TIMESTAMPTZ NOT NULL,
    probes INTEGER NOT NULL DEFAULT 0 CHECK (probes >= 0),
    lifted_at TIMESTAMPTZ
)
--------
COMMENT ON TABLE ingest.halts IS
    'What stopped the line: while one stands, no chunk is claimed but one at a time, to probe'
--------
CREATE UNIQUE INDEX halts_standing_idx ON ingest.halts (sqlstate) WHERE lifted_at IS NULL
--------
GRANT SELECT ON ingest.halts TO hdi_worker, hdi_reader
--------
GRANT INSERT, UPDATE ON ingest.halts TO hdi_worker
