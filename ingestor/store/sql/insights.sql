-- jobs --
-- Jobs, newest first: $1 id or null, $2 state or null, $3 how many at most.
SELECT j.job_id, j.name, j.state, j.source, j.priority, j.paused, j.chunk_count,
       j.cancel_requested_at IS NOT NULL AS cancelling, j.created_at, j.finished_at, j.counts,
       j.quoted_usd::FLOAT8 AS quoted_usd,
       extract(epoch FROM coalesce(j.finished_at, clock_timestamp()) - j.created_at)::FLOAT8
           AS elapsed_s
FROM ingest.jobs j
WHERE ($1::UUID IS NULL OR j.job_id = $1) AND ($2::TEXT IS NULL OR j.state = $2)
ORDER BY j.created_at DESC, j.job_id
LIMIT $3

-- tallies --
-- Chunks and records of one job by state, from the chunks themselves.
SELECT state, count(*) AS chunks, coalesce(sum(expected), 0)::BIGINT AS expected,
       coalesce(sum((receipt->>'fetched')::BIGINT), 0)::BIGINT AS fetched,
       coalesce(sum((receipt->>'stored')::BIGINT), 0)::BIGINT AS stored,
       coalesce(sum((receipt->>'quarantined')::BIGINT), 0)::BIGINT AS quarantined,
       coalesce(sum((receipt->>'already_stored')::BIGINT), 0)::BIGINT AS already_stored,
       coalesce(sum((receipt->>'flagged')::BIGINT), 0)::BIGINT AS flagged
FROM ingest.chunks WHERE job_id = $1 GROUP BY state

-- underway --
-- Records that the chunks in progress have taken so far, as their heartbeats say; never more than
-- the plan counted, so that a chunk taken twice does not count twice.
SELECT coalesce(sum(least(l.rows, k.expected)), 0)::BIGINT
FROM ingest.chunks k JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
WHERE k.job_id = $1 AND k.state = 'in_progress'

-- named --
-- Jobs of exactly this name, newest first.
SELECT job_id, name FROM ingest.jobs WHERE name = $1 ORDER BY created_at DESC LIMIT $2

-- prefixed --
-- Jobs whose id begins with $1: hexadecimal digits without dashes.
SELECT job_id, name FROM ingest.jobs
WHERE starts_with(replace(job_id::TEXT, '-', ''), $1) ORDER BY created_at DESC LIMIT $2

-- recent --
SELECT job_id, name FROM ingest.jobs ORDER BY created_at DESC, job_id LIMIT $1

-- workers --
-- Processes that say they live, with the chunk each one holds: $1 seconds make one away.
SELECT w.worker, w.role, w.host, w.pid, w.version,
       extract(epoch FROM clock_timestamp() - w.started_at)::FLOAT8 AS up_s,
       extract(epoch FROM clock_timestamp() - w.last_seen)::FLOAT8 AS silent_s,
       w.last_seen > clock_timestamp() - make_interval(secs => $1) AS online,
       k.chunk_id, k.job_id, r.dataset, r.schema, k.start_ns, k.end_ns, k.attempt, k.expected,
       l.rows, extract(epoch FROM clock_timestamp() - l.started_at)::FLOAT8 AS busy_s
FROM ingest.workers w
LEFT JOIN ingest.leases l ON l.chunk_id = w.chunk_id AND l.worker = w.worker
LEFT JOIN ingest.chunks k ON k.chunk_id = l.chunk_id AND k.fence = l.fence
LEFT JOIN ingest.requests r ON r.request_id = k.request_id
ORDER BY w.role DESC, w.host, w.worker

-- troubles --
-- Chunks of a job in the states $2 that have an error to tell, latest first, at most $3.
SELECT k.chunk_id, k.state, r.dataset, r.schema, k.start_ns, k.end_ns, k.attempt, k.lost_count,
       k.error_code, k.error_text, k.finished_at, p.uri,
       CASE WHEN k.state = 'retrying' AND k.not_before > clock_timestamp()
            THEN extract(epoch FROM k.not_before - clock_timestamp())::FLOAT8 END AS again_in_s,
       (SELECT count(*) FROM ingest.attempts a WHERE a.chunk_id = k.chunk_id) AS attempts
FROM ingest.chunks k
JOIN ingest.requests r USING (request_id)
LEFT JOIN ingest.payloads p USING (payload_id)
WHERE k.job_id = $1 AND k.state = ANY($2::TEXT[]) AND k.error_code IS NOT NULL
ORDER BY k.finished_at DESC NULLS LAST, k.chunk_id
LIMIT $3

-- chunk_lines --
-- Chunks of a job in the states $2 with their receipts, as planned: those behind chunk $3, at most
-- $4.
SELECT k.chunk_id, k.state, r.dataset, r.schema, k.start_ns, k.end_ns, k.attempt, p.uri, k.receipt,
       k.error_text
FROM ingest.chunks k
JOIN ingest.requests r USING (request_id)
LEFT JOIN ingest.payloads p USING (payload_id)
WHERE k.job_id = $1 AND k.state = ANY($2::TEXT[]) AND k.chunk_id > $3::BIGINT
ORDER BY k.chunk_id LIMIT $4

-- figures --
-- What metrics tell. $1 seconds make a process away. Chunks are those of jobs that have not ended.
SELECT (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (
            SELECT k.state, count(*) AS n FROM ingest.jobs j JOIN ingest.chunks k USING (job_id)
            WHERE j.state IN ('pending', 'running') GROUP BY k.state) s) AS chunks,
       (SELECT count(*) FROM ingest.jobs WHERE state IN ('pending', 'running')) AS open_jobs,
       (SELECT count(*) FROM ingest.jobs
        WHERE state IN ('pending', 'running') AND paused) AS paused_jobs,
       (SELECT coalesce(jsonb_object_agg(error_code, n), '{}') FROM (
            SELECT error_code, count(*) AS n FROM ingest.dead_letters
            WHERE resolved_at IS NULL GROUP BY error_code) s) AS dead_letters,
       (SELECT count(*) FROM ingest.leases WHERE lease_until < clock_timestamp()) AS leases_over,
       (SELECT coalesce(jsonb_object_agg(role, n), '{}') FROM (
            SELECT role, count(*) AS n FROM ingest.workers
            WHERE last_seen > clock_timestamp() - make_interval(secs => $1)
            GROUP BY role) s) AS online,
       (SELECT coalesce(jsonb_object_agg(sqlstate, 1), '{}') FROM ingest.halts
        WHERE lifted_at IS NULL) AS halts

-- presence --
-- Worker processes online, schedulers online, and for how long no scheduler has been seen:
-- $1 seconds make one away.
SELECT count(*) FILTER (WHERE role = 'worker' AND silent_s < $1::FLOAT8) AS workers,
       count(*) FILTER (WHERE role = 'scheduler' AND silent_s < $1::FLOAT8) AS schedulers,
       min(silent_s) FILTER (WHERE role = 'scheduler') AS scheduler_silent_s
FROM (SELECT role, extract(epoch FROM clock_timestamp() - last_seen)::FLOAT8 AS silent_s
      FROM ingest.workers) w
