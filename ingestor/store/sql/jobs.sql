-- insert --
-- Records a job; no row where the same resolved request was submitted before.
INSERT INTO ingest.jobs
    (job_id, name, idempotency_key, source, spec, priority, chunk_count, quoted_usd)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (idempotency_key) DO NOTHING
RETURNING job_id

-- by_key --
SELECT job_id FROM ingest.jobs WHERE idempotency_key = $1

-- insert_symbols --
-- A list of symbols, stored once however many chunks use it; no row where it is there.
INSERT INTO ingest.symbol_groups (hash, symbols) VALUES ($1, $2)
ON CONFLICT (hash) DO NOTHING RETURNING symbol_group_id

-- symbols_id --
-- A statement of its own: only its snapshot sees the list that another job has just committed.
SELECT symbol_group_id FROM ingest.symbol_groups WHERE hash = $1

-- insert_request --
INSERT INTO ingest.requests
    (job_id, dataset, schema, stype_in, symbol_group_id, start_ns, end_ns)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING request_id

-- insert_payloads --
-- Payloads by (uri, sha256): arrays $1, $2, $3, of realm $4. Sorted, so that two jobs never wait in
-- a ring.
INSERT INTO ingest.payloads (uri, sha256, size, realm)
SELECT DISTINCT uri, sha256, size, $4
FROM unnest($1::TEXT[], $2::TEXT[], $3::BIGINT[]) AS p(uri, sha256, size)
ORDER BY uri, sha256
ON CONFLICT (uri, sha256) DO NOTHING

-- payload_ids --
SELECT uri, sha256, payload_id FROM ingest.payloads
WHERE (uri, sha256) IN (SELECT * FROM unnest($1::TEXT[], $2::TEXT[]))

-- own_end --
-- Locks a job none of whose chunks is open. A retry that committed between this statement's snapshot
-- and its lock is seen by the next one, which must decide.
SELECT 1 FROM ingest.jobs j
WHERE j.job_id = $1 AND j.state IN ('pending', 'running')
  AND NOT EXISTS (SELECT 1 FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
                  ('pending', 'queued', 'in_progress', 'retrying'))
FOR UPDATE OF j SKIP LOCKED

-- end --
-- Ends a job none of whose chunks is open. Separate and idempotent: of two last chunks that commit
-- together neither sees the other, so it runs after every commit and from the scheduler.
WITH counted AS (
    SELECT j.job_id, c.*
    FROM ingest.jobs j
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE k.state LIKE 'completed%') AS done,
               count(*) FILTER (WHERE k.state = 'failed') AS failed,
               count(*) FILTER (WHERE k.state = 'cancelled') AS cancelled,
               (SELECT jsonb_object_agg(state, n) FROM (
                    SELECT state, count(*) AS n FROM ingest.chunks
                    WHERE job_id = j.job_id GROUP BY state) s) AS states,
               jsonb_build_object(
                   'fetched', coalesce(sum((k.receipt->>'fetched')::BIGINT), 0),
                   'stored', coalesce(sum((k.receipt->>'stored')::BIGINT), 0),
                   'quarantined', coalesce(sum((k.receipt->>'quarantined')::BIGINT), 0),
                   'already_stored', coalesce(sum((k.receipt->>'already_stored')::BIGINT), 0),
                   'flagged', coalesce(sum((k.receipt->>'flagged')::BIGINT), 0)) AS records
        FROM ingest.chunks k WHERE k.job_id = j.job_id) c
    WHERE j.job_id = $1 AND j.state IN ('pending', 'running')
      AND NOT EXISTS (SELECT 1 FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
                      ('pending', 'queued', 'in_progress', 'retrying'))
)
UPDATE ingest.jobs j
SET finished_at = clock_timestamp(),
    counts = jsonb_build_object('chunks', coalesce(counted.states, '{}'::JSONB),
                                'records', counted.records),
    state = CASE WHEN counted.cancelled > 0 THEN 'cancelled'
                 WHEN counted.failed = 0 THEN 'completed'
                 WHEN counted.done > 0 THEN 'completed_with_failures'
                 ELSE 'failed' END
FROM counted WHERE j.job_id = counted.job_id
RETURNING j.job_id, j.state

-- endable --
-- Whether a job is open and none of its chunks is.
SELECT EXISTS (
    SELECT 1 FROM ingest.jobs j
    WHERE j.job_id = $1 AND j.state IN ('pending', 'running')
      AND NOT EXISTS (SELECT 1 FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
                      ('pending', 'queued', 'in_progress', 'retrying')))

-- all_endable --
-- Open jobs without an open chunk.
SELECT j.job_id FROM ingest.jobs j
WHERE j.state IN ('pending', 'running')
  AND NOT EXISTS (SELECT 1 FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
                  ('pending', 'queued', 'in_progress', 'retrying'))

-- request_cancel --
UPDATE ingest.jobs SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
WHERE job_id = $1 AND state IN ('pending', 'running')
RETURNING job_id

-- cancel_chunks --
-- Cancels what is open; a row locked by a load that is being committed is left to complete.
WITH open AS (
    SELECT k.chunk_id, k.state AS was, k.fence AS old_fence, k.attempt, l.worker, l.started_at
    FROM ingest.chunks k
    JOIN ingest.jobs j ON j.job_id = k.job_id AND j.cancel_requested_at IS NOT NULL
    LEFT JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
    WHERE k.job_id = $1 AND k.state IN ('pending', 'queued', 'in_progress', 'retrying')
    FOR UPDATE OF k SKIP LOCKED
), stopped AS (
    UPDATE ingest.chunks k
    SET state = 'cancelled', fence = k.fence + 1, finished_at = clock_timestamp()
    FROM open WHERE k.chunk_id = open.chunk_id AND k.fence = open.old_fence
    RETURNING k.chunk_id
), unleased AS (
    DELETE FROM ingest.leases l USING stopped WHERE l.chunk_id = stopped.chunk_id
), traced AS (
    INSERT INTO ingest.attempts (chunk_id, fence, attempt, worker, started_at, outcome)
    SELECT chunk_id, old_fence, attempt, worker, started_at, 'cancelled'
    FROM open WHERE was = 'in_progress' AND worker IS NOT NULL
)
SELECT count(*) FROM stopped

-- half_cancelled --
-- Open jobs whose cancel met rows that somebody held, a dispatcher or a claim.
SELECT j.job_id FROM ingest.jobs j
WHERE j.state IN ('pending', 'running') AND j.cancel_requested_at IS NOT NULL
  AND EXISTS (SELECT 1 FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
              ('pending', 'queued', 'in_progress', 'retrying'))

-- being_cancelled --
-- Open chunks of a job that somebody has cancelled; its row is locked.
SELECT (SELECT count(*) FROM ingest.chunks k WHERE k.job_id = j.job_id AND k.state IN
        ('pending', 'queued', 'in_progress', 'retrying')) AS chunks
FROM ingest.jobs j WHERE j.job_id = $1 AND j.cancel_requested_at IS NOT NULL
FOR UPDATE OF j

-- pause --
UPDATE ingest.jobs SET paused = true
WHERE job_id = $1 AND state IN ('pending', 'running') AND NOT paused
RETURNING job_id

-- resume --
UPDATE ingest.jobs SET paused = false WHERE job_id = $1 AND paused RETURNING job_id

-- forget_deferrals --
-- What a paused job's chunks waited for lies in the past.
UPDATE ingest.chunks SET deferrals = 0, first_deferred_at = NULL
WHERE job_id = $1 AND first_deferred_at IS NOT NULL
  AND state IN ('pending', 'queued', 'retrying')

-- unqueue --
-- Takes a paused job's chunks off the queue as far as the ledger goes: their messages find nothing to
-- claim. One that is being claimed at this moment is left to its worker.
WITH queued AS (
    SELECT k.chunk_id FROM ingest.chunks k JOIN ingest.jobs j USING (job_id)
    WHERE k.job_id = $1 AND k.state = 'queued' AND j.paused
    FOR UPDATE OF k SKIP LOCKED
)
UPDATE ingest.chunks k SET state = 'pending', enqueued_at = NULL
FROM queued WHERE k.chunk_id = queued.chunk_id

-- waiting --
-- Chunks of a job that wait, and those that a worker has.
SELECT count(*) FILTER (WHERE state <> 'in_progress') AS waiting,
       count(*) FILTER (WHERE state = 'in_progress') AS in_progress
FROM ingest.chunks
WHERE job_id = $1 AND state IN ('pending', 'queued', 'in_progress', 'retrying')

-- open_chunks --
SELECT count(*) FROM ingest.chunks
WHERE job_id = $1 AND state IN ('pending', 'queued', 'in_progress', 'retrying')

-- retry_chunks --
-- Puts ended chunks of the given states back to the start, those of $3 or, where it is null, all of the
-- job; their trace stays. A release is its own command's to repeat.
WITH again AS (
    UPDATE ingest.chunks k
    SET state = 'pending', attempt = 0, lost_count = 0, deferrals = 0, first_deferred_at = NULL,
        local_faults = 0, fence = k.fence + 1, not_before = '-infinity', enqueued_at = NULL, finished_at = NULL
    WHERE k.job_id = $1 AND k.state = ANY($2::TEXT[]) AND NOT k.releases
      AND ($3::INTEGER[] IS NULL OR k.chunk_id = ANY($3))
    RETURNING k.chunk_id
), resolved AS (
    UPDATE ingest.dead_letters d SET resolved_at = clock_timestamp(), resolution = 'retried'
    FROM again WHERE d.chunk_id = again.chunk_id AND d.resolved_at IS NULL
)
SELECT count(*) FROM again

-- reopen --
UPDATE ingest.jobs
SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), finished_at = NULL,
    counts = NULL, cancel_requested_at = NULL
WHERE job_id = $1

-- refuse_rest --
-- The provider refuses this job: ends every chunk that would ask it too and that nobody holds, with
-- a dead letter each. $1 job, $2 error code, $3 text.
WITH rest AS (
    SELECT chunk_id, fence AS old_fence FROM ingest.chunks
    WHERE job_id = $1 AND state IN ('pending', 'queued', 'retrying') AND payload_id IS NULL
    FOR UPDATE SKIP LOCKED
), dead AS (
    UPDATE ingest.chunks k
    SET state = 'failed', fence = k.fence + 1, finished_at = clock_timestamp(), error_code = $2,
        error_text = $3
    FROM rest WHERE k.chunk_id = rest.chunk_id AND k.fence = rest.old_fence
    RETURNING k.chunk_id, k.job_id, k.attempt, rest.old_fence
), lettered AS (
    INSERT INTO ingest.dead_letters (chunk_id, job_id, fence, attempts, error_code, error_text)
    SELECT chunk_id, job_id, old_fence, attempt, $2, $3 FROM dead
)
SELECT chunk_id FROM dead ORDER BY chunk_id
