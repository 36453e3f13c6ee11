-- waiting_ranks --
-- Priorities of open jobs that have chunks nobody holds, highest first.
SELECT DISTINCT j.priority FROM ingest.jobs j
WHERE j.state IN ('pending', 'running') AND NOT j.paused AND j.cancel_requested_at IS NULL
  AND EXISTS (SELECT 1 FROM ingest.chunks k
              WHERE k.job_id = j.job_id AND k.state IN ('pending', 'retrying'))
ORDER BY j.priority DESC

-- queued_from --
-- Chunks on the queue whose job has priority $1 or more.
SELECT count(*) FROM ingest.chunks k JOIN ingest.jobs j USING (job_id)
WHERE k.state = 'queued' AND j.priority >= $1 AND NOT j.paused

-- enqueue_lost --
-- Marks up to $1 chunks whose worker died as queued, whatever else waits: their time is running.
WITH picked AS (
    SELECT k.chunk_id FROM ingest.jobs j JOIN ingest.chunks k USING (job_id)
    WHERE j.state IN ('pending', 'running') AND NOT j.paused AND j.cancel_requested_at IS NULL
      AND k.state = 'retrying' AND k.error_code = 'LeaseLost' AND k.enqueued_at IS NULL
      AND k.not_before <= clock_timestamp()
    ORDER BY k.chunk_id LIMIT $1
    FOR UPDATE OF k SKIP LOCKED
)
UPDATE ingest.chunks k
SET state = 'queued', enqueued_at = clock_timestamp(), dispatch_count = k.dispatch_count + 1
FROM picked p WHERE k.chunk_id = p.chunk_id
RETURNING k.chunk_id, k.dispatch_count

-- enqueue --
-- Marks up to $2 due chunks of priority $1 as queued, in turn over the jobs, oldest job first, and what
-- was begun before what was not. A retrying chunk whose Celery retry is under way is left alone for $3
-- seconds past its time.
WITH turns AS (
    SELECT w.chunk_id,
           row_number() OVER (PARTITION BY j.job_id ORDER BY w.fresh, w.chunk_id) AS turn,
           j.created_at
    FROM ingest.jobs j
    CROSS JOIN LATERAL (
        (SELECT k.chunk_id, false AS fresh FROM ingest.chunks k
         WHERE k.job_id = j.job_id AND k.state = 'retrying' AND k.not_before <= clock_timestamp()
           AND (k.enqueued_at IS NULL OR greatest(k.enqueued_at, k.not_before)
                < clock_timestamp() - make_interval(secs => $3))
         ORDER BY k.chunk_id LIMIT $2)
        UNION ALL
        (SELECT k.chunk_id, true FROM ingest.chunks k
         WHERE k.job_id = j.job_id AND k.state = 'pending' AND k.not_before <= clock_timestamp()
         ORDER BY k.chunk_id LIMIT $2)) w
    WHERE j.state IN ('pending', 'running') AND NOT j.paused
      AND j.cancel_requested_at IS NULL AND j.priority = $1
), picked AS (
    SELECT k.chunk_id, t.turn, t.created_at
    FROM (SELECT * FROM turns ORDER BY turn, created_at LIMIT $2) t
    JOIN ingest.chunks k USING (chunk_id)
    WHERE k.state IN ('pending', 'retrying')
    FOR UPDATE OF k SKIP LOCKED
), queued AS (
    UPDATE ingest.chunks k
    SET state = 'queued', enqueued_at = clock_timestamp(), dispatch_count = k.dispatch_count + 1
    FROM picked p WHERE k.chunk_id = p.chunk_id
    RETURNING k.chunk_id, k.dispatch_count, p.turn, p.created_at
)
SELECT chunk_id, dispatch_count FROM queued ORDER BY turn, created_at

-- overdue --
-- Chunks put on the queue more than $1 seconds ago that no worker has claimed.
SELECT k.chunk_id FROM ingest.chunks k JOIN ingest.jobs j USING (job_id)
WHERE k.state = 'queued' AND k.enqueued_at < clock_timestamp() - make_interval(secs => $1)
  AND NOT j.paused
ORDER BY k.enqueued_at LIMIT $2

-- enqueue_again --
-- Marks chunks that Redis no longer holds as queued anew, where they are still overdue: by $2 seconds.
UPDATE ingest.chunks k SET enqueued_at = clock_timestamp(), dispatch_count = dispatch_count + 1
FROM ingest.jobs j
WHERE k.chunk_id = ANY($1::INTEGER[]) AND k.state = 'queued' AND j.job_id = k.job_id
  AND k.enqueued_at < clock_timestamp() - make_interval(secs => $2)
RETURNING k.chunk_id, k.dispatch_count, j.priority

-- try_lead --
-- One dispatcher at a time: several would fill the window several times over.
SELECT pg_try_advisory_xact_lock(hashtext('hdi.dispatch'))

-- anything_open --
SELECT EXISTS (SELECT 1 FROM ingest.jobs WHERE state IN ('pending', 'running') AND NOT paused)
