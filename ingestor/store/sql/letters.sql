-- letters --
-- Dead letters, latest first: $1 job or null, $2 chunks or null, $3 error code or null, $4 whether only
-- open ones, $5 how many at most.
SELECT d.dead_letter_id AS letter_id, d.chunk_id, d.job_id, j.name AS job_name, d.fence, d.attempts,
       d.error_code, d.error_text, d.created_at, d.resolved_at,
       coalesce(d.resolution, '') AS resolution, coalesce(d.note, '') AS note, k.state, j.source,
       r.dataset, r.schema, r.stype_in, g.symbols, k.start_ns, k.end_ns, p.uri, p.sha256, p.size
FROM ingest.dead_letters d
JOIN ingest.chunks k USING (chunk_id)
JOIN ingest.jobs j ON j.job_id = d.job_id
JOIN ingest.requests r USING (request_id)
JOIN ingest.symbol_groups g ON g.symbol_group_id = k.symbol_group_id
LEFT JOIN ingest.payloads p USING (payload_id)
WHERE ($1::UUID IS NULL OR d.job_id = $1)
  AND ($2::INTEGER[] IS NULL OR d.chunk_id = ANY($2))
  AND ($3::TEXT IS NULL OR d.error_code = $3)
  AND (NOT $4::BOOLEAN OR d.resolved_at IS NULL)
ORDER BY d.dead_letter_id DESC LIMIT $5

-- count --
-- How many of them there are: arguments as above.
SELECT count(*) FROM ingest.dead_letters d
WHERE ($1::UUID IS NULL OR d.job_id = $1)
  AND ($2::INTEGER[] IS NULL OR d.chunk_id = ANY($2))
  AND ($3::TEXT IS NULL OR d.error_code = $3)
  AND (NOT $4::BOOLEAN OR d.resolved_at IS NULL)

-- tried --
-- Attempts at the chunks $1, oldest first.
SELECT chunk_id, attempt, worker, started_at, ended_at, outcome,
       coalesce(error_code, '') AS error_code, coalesce(error_text, '') AS error_text
FROM ingest.attempts WHERE chunk_id = ANY($1::INTEGER[]) ORDER BY attempt_id

-- recent --
-- Open letters of the last $1 seconds, but for the last $2.
SELECT chunk_id, fence FROM ingest.dead_letters
WHERE resolved_at IS NULL AND created_at > clock_timestamp() - make_interval(secs => $1)
  AND created_at < clock_timestamp() - make_interval(secs => $2)

-- discard --
-- Closes open letters of the chunks $1 for the reason $2; their chunks stay failed.
UPDATE ingest.dead_letters
SET resolved_at = clock_timestamp(), resolution = 'discarded', note = $2
WHERE chunk_id = ANY($1::INTEGER[]) AND resolved_at IS NULL
RETURNING chunk_id
