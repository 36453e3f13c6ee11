-- The ledger: namespace `ingest`. One statement per block; blocks are parted by a line of dashes.
CREATE SCHEMA IF NOT EXISTS ingest
--------
COMMENT ON SCHEMA ingest IS 'Hist Data Ingestor: the ledger of jobs, chunks and what they proved'
--------
CREATE TABLE ingest.meta (
    key TEXT PRIMARY KEY,
    value JSONB NOT NULL,
    set_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
)
--------
CREATE TABLE ingest.jobs (
    job_id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    spec JSONB NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'running', 'completed', 'completed_with_failures', 'failed', 'cancelled')),
    priority SMALLINT NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 2),
    paused BOOLEAN NOT NULL DEFAULT false,
    chunk_count INTEGER NOT NULL CHECK (chunk_count >= 0),
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    started_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ,
    cancel_requested_at TIMESTAMPTZ,
    counts JSONB,
    CONSTRAINT jobs_final CHECK ((state IN ('pending', 'running')) = (finished_at IS NULL)),
    CONSTRAINT jobs_counts CHECK ((counts IS NOT NULL) = (finished_at IS NOT NULL))
)
--------
CREATE INDEX jobs_created_idx ON ingest.jobs (created_at DESC)
--------
CREATE INDEX jobs_open_idx ON ingest.jobs (priority DESC, created_at)
    WHERE state IN ('pending', 'running')
--------
CREATE TABLE ingest.symbol_groups (
    symbol_group_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    symbols TEXT[] NOT NULL
)
--------
CREATE TABLE ingest.requests (
    request_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL REFERENCES ingest.jobs,
    dataset TEXT NOT NULL,
    schema TEXT NOT NULL,
    stype_in TEXT NOT NULL,
    symbol_group_id INTEGER NOT NULL REFERENCES ingest.symbol_groups,
    start_ns NUMERIC(20) NOT NULL CHECK (start_ns >= 0),
    end_ns NUMERIC(20) NOT NULL,
    CONSTRAINT requests_range CHECK (end_ns > start_ns)
)
--------
CREATE INDEX requests_job_idx ON ingest.requests (job_id)
--------
CREATE TABLE ingest.payloads (
    payload_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uri TEXT NOT NULL,
    sha256 TEXT NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size BIGINT NOT NULL CHECK (size >= 0),
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (uri, sha256)
)
--------
CREATE TABLE ingest.chunks (
    chunk_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id UUID NOT NULL REFERENCES ingest.jobs,
    request_id INTEGER NOT NULL REFERENCES ingest.requests,
    symbol_group_id INTEGER NOT NULL REFERENCES ingest.symbol_groups,
    start_ns NUMERIC(20) NOT NULL CHECK (start_ns >= 0),
    end_ns NUMERIC(20) NOT NULL,
    last_slice BOOLEAN NOT NULL DEFAULT true,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN
        ('pending', 'queued', 'in_progress', 'retrying',
         'completed', 'completed_empty', 'failed', 'cancelled')),
    fence INTEGER NOT NULL DEFAULT 0 CHECK (fence >= 0),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    max_attempts INTEGER NOT NULL CHECK (max_attempts > 0),
    lost_count INTEGER NOT NULL DEFAULT 0 CHECK (lost_count >= 0),
    deferrals INTEGER NOT NULL DEFAULT 0 CHECK (deferrals >= 0),
    first_deferred_at TIMESTAMPTZ,
    not_before TIMESTAMPTZ NOT NULL DEFAULT '-infinity',
    enqueued_at TIMESTAMPTZ,
    dispatch_count INTEGER NOT NULL DEFAULT 0,
    expected BIGINT CHECK (expected >= 0),
    index_min NUMERIC(20),
    index_max NUMERIC(20),
    event_min NUMERIC(20),
    event_max NUMERIC(20),
    payload_id INTEGER REFERENCES ingest.payloads,
    predecessors INTEGER[] NOT NULL DEFAULT '{}',
    partial TEXT NOT NULL DEFAULT '',
    receipt JSONB,
    error_code TEXT,
    error_text TEXT CHECK (octet_length(error_text) <= 2048),
    finished_at TIMESTAMPTZ,
    CONSTRAINT chunks_range CHECK (end_ns > start_ns),
    CONSTRAINT chunks_receipt CHECK
        ((state IN ('completed', 'completed_empty')) = (receipt IS NOT NULL)),
    -- coalesce: a CHECK lets NULL pass, and so a receipt that lacks a count.
    CONSTRAINT chunks_adds_up CHECK (receipt IS NULL OR coalesce((receipt->>'fetched')::BIGINT =
        (receipt->>'stored')::BIGINT + (receipt->>'quarantined')::BIGINT
        + (receipt->>'already_stored')::BIGINT, false)),
    CONSTRAINT chunks_empty CHECK (receipt IS NULL OR coalesce(
        (state = 'completed_empty') = ((receipt->>'fetched')::BIGINT = 0), false)),
    CONSTRAINT chunks_final CHECK
        ((state IN ('completed', 'completed_empty', 'failed', 'cancelled'))
         = (finished_at IS NOT NULL)),
    CONSTRAINT chunks_failure CHECK (state <> 'failed' OR error_code IS NOT NULL),
    CONSTRAINT chunks_queued CHECK (state <> 'queued' OR enqueued_at IS NOT NULL),
    CONSTRAINT chunks_claimed CHECK (state <> 'in_progress' OR (fence > 0 AND attempt > 0)),
    CONSTRAINT chunks_deferred CHECK ((deferrals > 0) = (first_deferred_at IS NOT NULL))
) WITH (fillfactor = 70)
--------
CREATE INDEX chunks_open_idx ON ingest.chunks (job_id, chunk_id)
    WHERE state IN ('pending', 'queued', 'in_progress', 'retrying')
--------
CREATE INDEX chunks_waiting_idx ON ingest.chunks (job_id, chunk_id)
    WHERE state IN ('pending', 'retrying')
--------
CREATE INDEX chunks_queued_idx ON ingest.chunks (enqueued_at) WHERE state = 'queued'
--------
CREATE INDEX chunks_in_progress_idx ON ingest.chunks (chunk_id) WHERE state = 'in_progress'
--------
CREATE INDEX chunks_job_idx ON ingest.chunks (job_id, state)
--------
CREATE TABLE ingest.leases (
    chunk_id INTEGER PRIMARY KEY REFERENCES ingest.chunks,
    fence INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    lease_until TIMESTAMPTZ NOT NULL,
    rows BIGINT NOT NULL DEFAULT 0,
    bytes BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50)
--------
CREATE TABLE ingest.attempts (
    attempt_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES ingest.chunks,
    fence INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    worker TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    outcome TEXT NOT NULL CHECK (outcome IN
        ('completed', 'completed_empty', 'retrying', 'deferred', 'failed', 'lost', 'handed_back',
         'cancelled')),
    error_code TEXT,
    error_text TEXT CHECK (octet_length(error_text) <= 2048)
)
--------
CREATE INDEX attempts_chunk_idx ON ingest.attempts (chunk_id)
--------
CREATE TABLE ingest.supersessions (
    old_chunk INTEGER NOT NULL,
    new_chunk INTEGER NOT NULL REFERENCES ingest.chunks,
    rows BIGINT NOT NULL CHECK (rows > 0),
    kind TEXT NOT NULL CHECK (kind IN ('corrected', 'removed')),
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
)
--------
CREATE INDEX supersessions_old_idx ON ingest.supersessions (old_chunk)
--------
CREATE INDEX supersessions_new_idx ON ingest.supersessions (new_chunk)
--------
CREATE TABLE ingest.dead_letters (
    dead_letter_id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES ingest.chunks,
    job_id UUID NOT NULL REFERENCES ingest.jobs,
    fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    error_code TEXT NOT NULL,
    error_text TEXT NOT NULL CHECK (octet_length(error_text) <= 2048),
    created_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    resolved_at TIMESTAMPTZ,
    resolution TEXT CHECK (resolution IN ('retried', 'discarded')),
    CONSTRAINT dead_letters_resolved CHECK ((resolution IS NULL) = (resolved_at IS NULL)),
    UNIQUE (chunk_id, fence)
)
--------
CREATE INDEX dead_letters_open_idx ON ingest.dead_letters (job_id) WHERE resolved_at IS NULL
--------
CREATE TABLE ingest.quarantine (
    quarantine_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    chunk_id INTEGER NOT NULL REFERENCES ingest.chunks,
    position BIGINT NOT NULL CHECK (position >= 0),
    raw BYTEA NOT NULL,
    rule TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (chunk_id, position)
)
--------
CREATE TABLE ingest.coverage (
    dataset TEXT NOT NULL,
    schema TEXT NOT NULL,
    stype_in TEXT NOT NULL,
    symbol TEXT NOT NULL,
    days DATEMULTIRANGE NOT NULL,
    PRIMARY KEY (dataset, schema, stype_in, symbol)
)
--------
COMMENT ON TABLE ingest.coverage IS
    'Whole UTC days held per symbol, merged; symbol * is a request for all symbols'
--------
CREATE TABLE ingest.workers (
    worker TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('worker', 'scheduler')),
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    vault_id TEXT,
    chunk_id INTEGER,
    started_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    last_seen TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
)
--------
CREATE TABLE ingest.symbol_intervals (
    dataset TEXT NOT NULL,
    stype_in TEXT NOT NULL,
    symbol TEXT NOT NULL,
    stype_out TEXT NOT NULL,
    instrument_id BIGINT NOT NULL CHECK (instrument_id BETWEEN 0 AND 4294967295),
    days DATEMULTIRANGE NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (dataset, stype_in, symbol, stype_out, instrument_id)
)
--------
CREATE VIEW public.symbol_mappings AS
SELECT dataset, stype_in, symbol, stype_out, instrument_id,
       lower(day_range) AS valid_from, upper(day_range) AS valid_to, source
FROM ingest.symbol_intervals, unnest(days) AS day_range
--------
CREATE TABLE public.publishers (
    publisher_id INTEGER PRIMARY KEY CHECK (publisher_id BETWEEN 0 AND 65535),
    dataset TEXT NOT NULL,
    venue TEXT
)
--------
CREATE INDEX publishers_dataset_idx ON public.publishers (dataset)
