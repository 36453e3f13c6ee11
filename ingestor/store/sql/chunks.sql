-- claim --
-- Takes a chunk that is due, or takes one over whose lease has run out; no row: not to be had.
-- The lease must carry the chunk's own fence: where a rival moved the chunk between our snapshot
-- and our row lock, the re-read row no longer matches the lease we saw. While the line is stopped,
-- whoever gets hold of all halts that are due claims one chunk to probe; the next $5 seconds later.
-- While the server was down nobody could renew a lease: for $6 seconds after its start none is over.
WITH line AS (
    SELECT halt_id FROM ingest.halts
    WHERE lifted_at IS NULL AND probe_at <= clock_timestamp()
    FOR UPDATE SKIP LOCKED
), due AS (
    SELECT k.chunk_id, k.state AS was, k.fence AS old_fence, k.attempt AS old_attempt,
           l.worker AS old_worker, l.started_at AS old_started
    FROM ingest.chunks k
    JOIN ingest.jobs j USING (job_id)
    LEFT JOIN ingest.leases l USING (chunk_id)
    WHERE k.chunk_id = $1 AND NOT j.paused AND j.cancel_requested_at IS NULL
      AND (SELECT count(*) FROM ingest.halts WHERE lifted_at IS NULL)
          = (SELECT count(*) FROM line)
      AND ((k.state IN ('pending', 'queued', 'retrying') AND k.not_before <= clock_timestamp())
        OR (k.state = 'in_progress' AND l.fence = k.fence AND l.lease_until < clock_timestamp()
            AND k.lost_count + 1 < $4
            AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => $6)))
    FOR UPDATE OF k SKIP LOCKED
), taken AS (
    UPDATE ingest.chunks k
    SET state = 'in_progress', fence = k.fence + 1, attempt = k.attempt + 1, enqueued_at = NULL,
        lost_count = k.lost_count + (due.was = 'in_progress')::INTEGER
    FROM due WHERE k.chunk_id = due.chunk_id
    RETURNING k.*
), leased AS (
    INSERT INTO ingest.leases (chunk_id, fence, worker, lease_until)
    SELECT chunk_id, fence, $2, clock_timestamp() + make_interval(secs => $3) FROM taken
    ON CONFLICT (chunk_id) DO UPDATE
    SET fence = excluded.fence, worker = excluded.worker, started_at = clock_timestamp(),
        lease_until = excluded.lease_until, rows = 0, bytes = 0
), lost AS (
    INSERT INTO ingest.attempts
        (chunk_id, fence, attempt, worker, started_at, outcome, error_code, error_text)
    SELECT chunk_id, old_fence, old_attempt, old_worker, old_started, 'lost', 'LeaseLost',
           'the lease ran out; another worker took the chunk over'
    FROM due WHERE was = 'in_progress'
), started AS (
    UPDATE ingest.jobs j SET state = 'running', started_at = clock_timestamp()
    FROM taken WHERE j.job_id = taken.job_id AND j.state = 'pending'
), probing AS (
    UPDATE ingest.halts h
    SET probe_at = clock_timestamp() + make_interval(secs => $5), probes = probes + 1
    FROM line, taken WHERE h.halt_id = line.halt_id
), seen AS (
    UPDATE ingest.workers w SET chunk_id = $1, last_seen = clock_timestamp()
    FROM taken WHERE w.worker = $2
)
SELECT t.chunk_id, t.job_id, t.fence, t.attempt, t.max_attempts, t.lost_count, t.deferrals,
       t.local_faults, coalesce(extract(epoch FROM clock_timestamp() - t.first_deferred_at), 0)::FLOAT8
           AS first_deferred_s,
       j.source, r.dataset, r.schema, r.stype_in, g.symbols, t.start_ns, t.end_ns, t.last_slice,
       t.expected, p.uri, p.sha256, p.size, t.partial, t.replays, t.releases, t.cut_by,
       coalesce((j.spec->>'force')::BOOLEAN, false) AS forced,
       coalesce((j.spec->>'accept_removals')::BOOLEAN, false) AS accept_removals,
       ARRAY(SELECT q.uri || E'\n' || q.sha256 || E'\n' || q.size
             FROM unnest(t.predecessors) WITH ORDINALITY AS u(payload_id, place)
             JOIN ingest.payloads q USING (payload_id) ORDER BY u.place) AS predecessors
FROM taken t
JOIN ingest.jobs j USING (job_id)
JOIN ingest.requests r USING (request_id)
JOIN ingest.symbol_groups g ON g.symbol_group_id = t.symbol_group_id
LEFT JOIN ingest.payloads p USING (payload_id)

-- heartbeat --
-- Renews a lease; no row: the chunk has another owner, stop at once.
UPDATE ingest.leases
SET lease_until = clock_timestamp() + make_interval(secs => $3), rows = $4, bytes = $5
WHERE chunk_id = $1 AND fence = $2
RETURNING true

-- lock --
-- First statement of every load transaction: the chunk is ours and stays so until it commits, and the
-- session has its name.
SELECT set_config('application_name', $3, true) FROM ingest.chunks
WHERE chunk_id = $1 AND fence = $2 AND state = 'in_progress' FOR UPDATE

-- finish --
-- Last statement of a load transaction; must report one row.
WITH done AS (
    UPDATE ingest.chunks
    SET state = $3, receipt = $4, finished_at = clock_timestamp(), error_code = NULL,
        error_text = NULL, index_min = $5, index_max = $6, event_min = $7, event_max = $8,
        payload_id = (SELECT payload_id FROM ingest.payloads WHERE uri = $9 AND sha256 = $10)
    WHERE chunk_id = $1 AND fence = $2 AND state = 'in_progress'
    RETURNING chunk_id, fence, attempt
), unleased AS (
    DELETE FROM ingest.leases l USING done
    WHERE l.chunk_id = done.chunk_id AND l.fence = done.fence
    RETURNING l.worker, l.started_at
), traced AS (
    INSERT INTO ingest.attempts (chunk_id, fence, attempt, worker, started_at, outcome)
    SELECT d.chunk_id, d.fence, d.attempt, u.worker, u.started_at, $3 FROM done d, unleased u
), lifted AS (
    -- A load that began under the halt proves that it is over.
    UPDATE ingest.halts h SET lifted_at = clock_timestamp()
    FROM unleased u WHERE h.lifted_at IS NULL AND h.raised_at < u.started_at
)
SELECT chunk_id FROM done

-- settled --
-- After a commit whose answer was lost: waits for the old transaction to end, then says how.
SELECT state, fence, receipt FROM ingest.chunks WHERE chunk_id = $1 FOR UPDATE

-- states --
SELECT chunk_id, state FROM ingest.chunks WHERE chunk_id = ANY($1::INTEGER[])

-- outcome --
-- What became of an attempt, where it is over.
SELECT outcome FROM ingest.attempts WHERE chunk_id = $1 AND fence = $2

-- release --
-- Gives a chunk back after an attempt that failed: to be tried again, or cancelled meanwhile.
-- $3 error code, $4 text, $5 seconds to wait, $6 whether the attempt is given back,
-- $7 outcome, $8 whether a Celery retry carries it (else the dispatcher does), $9 whether it counts as
-- a deferral, $10 whether the host was at fault.
WITH freed AS (
    UPDATE ingest.chunks k
    SET state = CASE WHEN j.cancel_requested_at IS NULL THEN 'retrying' ELSE 'cancelled' END,
        finished_at = CASE WHEN j.cancel_requested_at IS NULL THEN NULL
                           ELSE clock_timestamp() END,
        fence = k.fence + 1,
        attempt = k.attempt - ($6::BOOLEAN)::INTEGER,
        -- What is given back interrupts no row of deferrals or local faults; another failure does.
        deferrals = CASE WHEN $9::BOOLEAN THEN k.deferrals + 1
                         WHEN $6::BOOLEAN THEN k.deferrals ELSE 0 END,
        first_deferred_at = CASE WHEN $9::BOOLEAN
                                 THEN coalesce(k.first_deferred_at, clock_timestamp())
                                 WHEN $6::BOOLEAN THEN k.first_deferred_at END,
        local_faults = CASE WHEN $10::BOOLEAN THEN k.local_faults + 1
                            WHEN $6::BOOLEAN THEN k.local_faults ELSE 0 END,
        not_before = clock_timestamp() + make_interval(secs => $5),
        enqueued_at = CASE WHEN $8::BOOLEAN THEN clock_timestamp() END,
        error_code = $3, error_text = $4
    FROM ingest.jobs j
    WHERE k.chunk_id = $1 AND k.fence = $2 AND k.state = 'in_progress' AND j.job_id = k.job_id
    RETURNING k.chunk_id, k.state, k.attempt + ($6::BOOLEAN)::INTEGER AS attempt
), unleased AS (
    DELETE FROM ingest.leases l USING freed WHERE l.chunk_id = freed.chunk_id AND l.fence = $2
    RETURNING l.worker, l.started_at
), traced AS (
    INSERT INTO ingest.attempts
        (chunk_id, fence, attempt, worker, started_at, outcome, error_code, error_text)
    SELECT f.chunk_id, $2, f.attempt, u.worker, u.started_at, $7, $3, $4 FROM freed f, unleased u
)
SELECT state FROM freed

-- fail --
-- Ends a chunk for good, with its dead letter, in one statement.
WITH dead AS (
    UPDATE ingest.chunks
    SET state = 'failed', fence = fence + 1, finished_at = clock_timestamp(),
        error_code = $3, error_text = $4
    WHERE chunk_id = $1 AND fence = $2 AND state = 'in_progress'
    RETURNING chunk_id, job_id, attempt
), unleased AS (
    DELETE FROM ingest.leases l USING dead WHERE l.chunk_id = dead.chunk_id AND l.fence = $2
    RETURNING l.worker, l.started_at
), traced AS (
    INSERT INTO ingest.attempts
        (chunk_id, fence, attempt, worker, started_at, outcome, error_code, error_text)
    SELECT d.chunk_id, $2, d.attempt, u.worker, u.started_at, 'failed', $3, $4
    FROM dead d, unleased u
), lettered AS (
    INSERT INTO ingest.dead_letters (chunk_id, job_id, fence, attempts, error_code, error_text)
    SELECT chunk_id, job_id, $2, attempt, $3, $4 FROM dead
)
SELECT chunk_id FROM dead

-- stale --
-- Ends the session of an attempt that is over (its fence is stale) and whose worker has not been
-- seen for $1 seconds: frozen, it would keep its turn to fetch for ever. One that is alive and still
-- downloads keeps it. The session's name is cut at 63 bytes; the trace has the worker's in full.
-- Sessions of a login whose privileges we lack are told of (ended is false), and go on.
SELECT a.pid, k.chunk_id,
       CASE WHEN pg_has_role(a.usesysid, 'USAGE')
                 AND (NOT r.rolsuper OR current_setting('is_superuser')::BOOLEAN)
            THEN pg_terminate_backend(a.pid) ELSE false END AS ended
FROM (SELECT pid, usesysid, string_to_array(application_name, ':') AS name FROM pg_stat_activity
      WHERE datname = current_database() AND application_name ~ '^hdi:[0-9]{1,9}:[0-9]{1,9}:.') a
JOIN ingest.chunks k ON k.chunk_id = a.name[2]::INTEGER AND k.fence > a.name[3]::INTEGER
JOIN pg_roles r ON r.oid = a.usesysid
LEFT JOIN LATERAL (SELECT worker FROM ingest.attempts t
                   WHERE t.chunk_id = k.chunk_id AND t.fence = a.name[3]::INTEGER LIMIT 1) t ON true
WHERE NOT EXISTS (SELECT 1 FROM ingest.workers w
                  WHERE coalesce(w.worker = t.worker, starts_with(w.worker, a.name[4]))
                    AND w.last_seen > clock_timestamp() - make_interval(secs => $1))

-- withdraw --
-- Ends a chunk that nobody is to blame for: what it asks for does not come. No dead letter.
WITH ended AS (
    UPDATE ingest.chunks
    SET state = 'cancelled', fence = fence + 1, finished_at = clock_timestamp(),
        error_code = $3, error_text = $4
    WHERE chunk_id = $1 AND fence = $2 AND state = 'in_progress'
    RETURNING chunk_id, attempt
), unleased AS (
    DELETE FROM ingest.leases l USING ended WHERE l.chunk_id = ended.chunk_id AND l.fence = $2
    RETURNING l.worker, l.started_at
), traced AS (
    INSERT INTO ingest.attempts
        (chunk_id, fence, attempt, worker, started_at, outcome, error_code, error_text)
    SELECT e.chunk_id, $2, e.attempt, u.worker, u.started_at, 'cancelled', $3, $4
    FROM ended e, unleased u
)
SELECT chunk_id FROM ended

-- clock --
SELECT extract(epoch FROM clock_timestamp())::FLOAT8

-- reap --
-- Takes chunks back whose lease ran out: to be tried again, or, lost too often, failed as poison.
-- A row locked by a live load is skipped. $1 lost leases that make a poison chunk; $2 seconds after the
-- server's start, before which nobody could renew a lease.
WITH lapsed AS (
    SELECT k.chunk_id, k.job_id, k.fence AS old_fence, k.attempt, k.lost_count + 1 AS lost,
           l.worker, l.started_at, j.cancel_requested_at IS NOT NULL AS cancelled
    FROM ingest.chunks k
    JOIN ingest.jobs j USING (job_id)
    JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
    WHERE k.state = 'in_progress' AND l.lease_until < clock_timestamp()
      AND pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => $2)
    ORDER BY k.chunk_id
    FOR UPDATE OF k SKIP LOCKED
), moved AS (
    UPDATE ingest.chunks k
    SET fence = k.fence + 1, lost_count = lapsed.lost, not_before = clock_timestamp(),
        enqueued_at = NULL, error_code = 'LeaseLost',
        error_text = CASE WHEN lapsed.lost >= $1
            THEN 'poison: it took ' || lapsed.lost || ' workers down, the last one ' || lapsed.worker
            ELSE 'worker ' || lapsed.worker || ' stopped renewing its lease' END,
        state = CASE WHEN lapsed.cancelled THEN 'cancelled'
                     WHEN lapsed.lost >= $1 THEN 'failed' ELSE 'retrying' END,
        finished_at = CASE WHEN lapsed.cancelled OR lapsed.lost >= $1
                           THEN clock_timestamp() END
    FROM lapsed WHERE k.chunk_id = lapsed.chunk_id AND k.fence = lapsed.old_fence
    RETURNING k.chunk_id, k.job_id, k.state, k.error_text, k.attempt
), unleased AS (
    DELETE FROM ingest.leases l USING lapsed
    WHERE l.chunk_id = lapsed.chunk_id AND l.fence = lapsed.old_fence
), traced AS (
    INSERT INTO ingest.attempts
        (chunk_id, fence, attempt, worker, started_at, outcome, error_code, error_text)
    SELECT l.chunk_id, l.old_fence, l.attempt, l.worker, l.started_at, 'lost', 'LeaseLost',
           m.error_text
    FROM lapsed l JOIN moved m USING (chunk_id)
), lettered AS (
    INSERT INTO ingest.dead_letters (chunk_id, job_id, fence, attempts, error_code, error_text)
    SELECT m.chunk_id, m.job_id, l.old_fence, m.attempt, 'LeaseLost', m.error_text
    FROM moved m JOIN lapsed l USING (chunk_id) WHERE m.state = 'failed'
)
SELECT chunk_id, job_id, state FROM moved

-- stuck --
-- Ends the database session of a load whose worker stopped renewing its lease $1 seconds ago: a
-- frozen client keeps its row lock for ever, and only ending its backend frees it. Where we lack the
-- privileges of its login, it goes on (ended is false).
SELECT a.pid, k.chunk_id,
       CASE WHEN pg_has_role(a.usesysid, 'USAGE')
                 AND (NOT r.rolsuper OR current_setting('is_superuser')::BOOLEAN)
            THEN pg_terminate_backend(a.pid) ELSE false END AS ended
FROM ingest.chunks k
JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
JOIN pg_stat_activity a
  ON a.datname = current_database()
 AND a.application_name LIKE 'hdi:' || k.chunk_id || ':' || k.fence || ':%'
JOIN pg_roles r ON r.oid = a.usesysid
WHERE k.state = 'in_progress'
  AND l.lease_until < clock_timestamp() - make_interval(secs => $1)

-- held --
SELECT chunk_id FROM ingest.leases WHERE worker = ANY($1::TEXT[])

-- hand_back --
-- Releases all chunks of a worker that is shutting down: to be done by another, or cancelled
-- meanwhile. Their attempts are given back.
WITH mine AS (
    SELECT k.chunk_id, k.fence AS old_fence, k.attempt, l.worker, l.started_at,
           j.cancel_requested_at IS NOT NULL AS cancelled
    FROM ingest.chunks k
    JOIN ingest.jobs j USING (job_id)
    JOIN ingest.leases l ON l.chunk_id = k.chunk_id AND l.fence = k.fence
    WHERE k.state = 'in_progress' AND l.worker = ANY($1::TEXT[])
    FOR UPDATE OF k SKIP LOCKED
), freed AS (
    UPDATE ingest.chunks k
    SET state = CASE WHEN mine.cancelled THEN 'cancelled' ELSE 'retrying' END,
        finished_at = CASE WHEN mine.cancelled THEN clock_timestamp() END,
        fence = k.fence + 1, attempt = k.attempt - 1, enqueued_at = NULL,
        not_before = clock_timestamp()
    FROM mine WHERE k.chunk_id = mine.chunk_id AND k.fence = mine.old_fence
    RETURNING k.chunk_id
), unleased AS (
    DELETE FROM ingest.leases l USING mine
    WHERE l.chunk_id = mine.chunk_id AND l.fence = mine.old_fence
), traced AS (
    INSERT INTO ingest.attempts (chunk_id, fence, attempt, worker, started_at, outcome)
    SELECT chunk_id, old_fence, attempt, worker, started_at, 'handed_back' FROM mine
)
SELECT chunk_id FROM freed
