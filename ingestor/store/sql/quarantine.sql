-- refused --
-- Quarantined records: of job $1, rule $2, dataset $3, symbol $4 on its day, index timestamps from $5
-- to before $6, ids $7 (null: all); with $8 those that are resolved or superseded, too. One without an
-- index timestamp counts at the last moment of its chunk.
SELECT q.quarantine_id AS id, q.chunk_id, k.job_id, j.source, r.dataset, r.schema, q.position, q.rule,
       q.field, q.value, q.reason, q.publisher_id, q.instrument_id, q.index_ns, q.ordinal, q.rules_hash,
       q.readable, q.recorded_at, q.resolution, q.resolved_at, q.resolved_by, q.resolved_reason,
       q.superseded_by, t.day
FROM ingest.quarantine q
JOIN ingest.chunks k ON k.chunk_id = q.chunk_id
JOIN ingest.requests r ON r.request_id = k.request_id
JOIN ingest.jobs j ON j.job_id = k.job_id
CROSS JOIN LATERAL (SELECT coalesce(q.index_ns, k.end_ns - 1) AS at) i
CROSS JOIN LATERAL (SELECT DATE '1970-01-01' + div(i.at, 86400000000000)::INTEGER AS day) t
WHERE ($1::UUID IS NULL OR k.job_id = $1) AND ($2::TEXT IS NULL OR q.rule = $2)
  AND ($3::TEXT IS NULL OR r.dataset = $3)
  AND ($4::TEXT IS NULL OR EXISTS (
      SELECT FROM ingest.symbol_intervals s
      WHERE s.dataset = r.dataset AND s.symbol = $4 AND s.stype_out = 'instrument_id'
        AND s.instrument_id = q.instrument_id AND s.days @> t.day)
      OR q.instrument_id::TEXT = $4)
  AND ($5::NUMERIC IS NULL OR i.at >= $5) AND ($6::NUMERIC IS NULL OR i.at < $6)
  AND ($7::BIGINT[] IS NULL OR q.quarantine_id = ANY($7))
  AND ($8::BOOLEAN OR (q.resolution IS NULL AND q.superseded_by IS NULL))

-- flagged --
-- Stored records that break a rule: the same parameters. Without $8 those of chunks that were loaded
-- again since are left out; ids ascend, so the smallest of a chunk's ancestors is its root.
SELECT f.flagged_id AS id, f.chunk_id, k.job_id, j.source, r.dataset, r.schema, f.position, f.rule,
       f.field, f.value, f.reason, f.publisher_id, f.instrument_id, f.index_ns, f.ordinal, f.rules_hash,
       f.readable, f.recorded_at, NULL::TEXT AS resolution, NULL::TIMESTAMPTZ AS resolved_at,
       NULL::INTEGER AS resolved_by, NULL::TEXT AS resolved_reason, NULL::INTEGER AS superseded_by,
       t.day
FROM ingest.flagged f
JOIN ingest.chunks k ON k.chunk_id = f.chunk_id
JOIN ingest.requests r ON r.request_id = k.request_id
JOIN ingest.jobs j ON j.job_id = k.job_id
CROSS JOIN LATERAL (SELECT coalesce(f.index_ns, k.end_ns - 1) AS at) i
CROSS JOIN LATERAL (SELECT DATE '1970-01-01' + div(i.at, 86400000000000)::INTEGER AS day) t
WHERE ($1::UUID IS NULL OR k.job_id = $1) AND ($2::TEXT IS NULL OR f.rule = $2)
  AND ($3::TEXT IS NULL OR r.dataset = $3)
  AND ($4::TEXT IS NULL OR EXISTS (
      SELECT FROM ingest.symbol_intervals s
      WHERE s.dataset = r.dataset AND s.symbol = $4 AND s.stype_out = 'instrument_id'
        AND s.instrument_id = f.instrument_id AND s.days @> t.day)
      OR f.instrument_id::TEXT = $4)
  AND ($5::NUMERIC IS NULL OR i.at >= $5) AND ($6::NUMERIC IS NULL OR i.at < $6)
  AND ($7::BIGINT[] IS NULL OR f.flagged_id = ANY($7))
  AND ($8::BOOLEAN OR NOT EXISTS (
      SELECT FROM replayed p WHERE p.chunk_id = f.chunk_id))

-- replayed --
-- Chunks whose payload was loaded again after them, by whatever chunk of their lineage.
WITH RECURSIVE climbed AS (
    SELECT chunk_id, replays AS above FROM ingest.chunks WHERE replays IS NOT NULL
    UNION ALL
    SELECT c.chunk_id, k.replays
    FROM climbed c JOIN ingest.chunks k ON k.chunk_id = c.above WHERE k.replays IS NOT NULL
), rooted AS (
    SELECT chunk_id, min(above) AS root FROM climbed GROUP BY chunk_id
), beside AS (
    -- Slices that one replay took in when another mapping's times had cut their payload anew.
    SELECT s.chunk_id, r.root
    FROM rooted r JOIN ingest.chunks k ON k.chunk_id = r.chunk_id
    JOIN ingest.chunks s ON s.payload_id = k.payload_id AND s.cut_by IS NOT NULL
    WHERE k.cut_by IS NOT NULL AND k.receipt IS NOT NULL AND s.replays IS NULL
      AND s.start_ns >= k.start_ns AND s.end_ns <= k.end_ns
      AND (k.last_slice OR NOT s.last_slice)
), member AS (
    SELECT chunk_id, root FROM rooted UNION SELECT root, root FROM rooted
    UNION SELECT chunk_id, root FROM beside
    UNION SELECT r.chunk_id, b.root FROM rooted r JOIN beside b ON b.chunk_id = r.root
), latest AS (
    SELECT m.root, max(k.finished_at) AS finished_at
    FROM rooted m JOIN ingest.chunks k USING (chunk_id)
    WHERE k.replays IS NOT NULL AND NOT k.releases AND k.receipt IS NOT NULL GROUP BY m.root
), replayed AS (
    SELECT k.chunk_id
    FROM member m JOIN latest l USING (root) JOIN ingest.chunks k USING (chunk_id)
    WHERE k.finished_at < l.finished_at
)

-- rules --
-- How many of `matching` each rule has, most first.
SELECT rule, count(*) AS records FROM matching GROUP BY rule ORDER BY records DESC, rule

-- records --
-- The first $9 of `matching` behind id $10, by id, with the raw symbol of their day.
SELECT m.*, n.symbol
FROM (SELECT id, chunk_id, job_id, source, dataset, schema, position, rule, field, value, reason,
             publisher_id, instrument_id, index_ns, ordinal, rules_hash, readable, recorded_at,
             resolution, resolved_at, resolved_by, resolved_reason, superseded_by, day
      FROM matching WHERE id > $10 ORDER BY id LIMIT $9) m
LEFT JOIN LATERAL (
    SELECT s.symbol FROM ingest.symbol_intervals s
    WHERE s.dataset = m.dataset AND s.stype_in = 'raw_symbol' AND s.stype_out = 'instrument_id'
      AND s.instrument_id = m.instrument_id AND s.days @> m.day
    ORDER BY s.symbol COLLATE "C" LIMIT 1) n ON true
ORDER BY m.id

-- ids --
SELECT id FROM matching ORDER BY id

-- unlisted --
-- By rule, flagged records that are counted but not kept: of job $1, rule $2, dataset $3; with $4 of
-- chunks that were loaded again since, too. A later recheck counts in place of the receipt.
, counted AS (
    SELECT k.chunk_id, e.key AS rule, e.value::BIGINT AS records, 0::BIGINT AS recheck_id
    FROM ingest.chunks k CROSS JOIN LATERAL jsonb_each_text(k.receipt->'flags') e
    WHERE k.receipt->'flags' IS NOT NULL
    UNION ALL
    SELECT chunk_id, rule, broken, recheck_id FROM ingest.rechecks
), known AS (
    SELECT DISTINCT ON (chunk_id, rule) chunk_id, rule, records
    FROM counted ORDER BY chunk_id, rule, recheck_id DESC
), kept AS (
    SELECT chunk_id, rule, count(*) AS records FROM ingest.flagged GROUP BY chunk_id, rule
)
SELECT n.rule, sum(n.records - coalesce(h.records, 0))::BIGINT AS records
FROM known n
JOIN ingest.chunks k ON k.chunk_id = n.chunk_id
JOIN ingest.requests r ON r.request_id = k.request_id
LEFT JOIN kept h ON h.chunk_id = n.chunk_id AND h.rule = n.rule
WHERE n.records > coalesce(h.records, 0)
  AND ($1::UUID IS NULL OR k.job_id = $1) AND ($2::TEXT IS NULL OR n.rule = $2)
  AND ($3::TEXT IS NULL OR r.dataset = $3)
  AND ($4::BOOLEAN OR NOT EXISTS (SELECT FROM replayed p WHERE p.chunk_id = n.chunk_id))
GROUP BY n.rule ORDER BY records DESC, n.rule

-- raw --
-- Records of ids $1 with their bytes, by chunk and place in the payload.
SELECT quarantine_id AS id, chunk_id, position, rule, ordinal, raw FROM ingest.quarantine
WHERE quarantine_id = ANY($1::BIGINT[]) ORDER BY chunk_id, position

-- chunks_of --
-- By chunk, those of ids $1 that wait, in the order of the payload; with $2 discarded ones, too.
SELECT chunk_id, array_agg(quarantine_id ORDER BY position) AS ids FROM ingest.quarantine
WHERE quarantine_id = ANY($1::BIGINT[]) AND superseded_by IS NULL
  AND (resolution IS NULL OR ($2::BOOLEAN AND resolution = 'discarded'))
GROUP BY chunk_id ORDER BY chunk_id

-- discard --
-- Marks records of ids $1 that still wait as discarded, for reason $2. Locked in one order, so that two
-- commands never wait in a ring.
UPDATE ingest.quarantine
SET resolution = 'discarded', resolved_at = clock_timestamp(), resolved_reason = $2
WHERE quarantine_id IN (
    SELECT quarantine_id FROM ingest.quarantine
    WHERE quarantine_id = ANY($1::BIGINT[]) AND resolution IS NULL AND superseded_by IS NULL
    ORDER BY quarantine_id FOR UPDATE)
RETURNING quarantine_id

-- take_back --
-- Records $1 that were discarded wait again.
UPDATE ingest.quarantine SET resolution = NULL, resolved_at = NULL, resolved_reason = NULL
WHERE quarantine_id IN (
    SELECT quarantine_id FROM ingest.quarantine
    WHERE quarantine_id = ANY($1::BIGINT[]) AND resolution = 'discarded' AND superseded_by IS NULL
    ORDER BY quarantine_id FOR UPDATE)

-- origin --
-- The chunk that refused records, as whoever releases some of them must know it.
SELECT k.chunk_id, k.job_id, j.source, r.dataset, r.schema, r.stype_in, g.symbols, k.start_ns, k.end_ns,
       k.last_slice, p.uri, p.sha256, p.size, p.realm
FROM ingest.chunks k
JOIN ingest.jobs j ON j.job_id = k.job_id
JOIN ingest.requests r ON r.request_id = k.request_id
JOIN ingest.symbol_groups g ON g.symbol_group_id = k.symbol_group_id
JOIN ingest.payloads p ON p.payload_id = k.payload_id
WHERE k.chunk_id = $1

-- open_job --
-- A job that is under way from its first moment, with all its chunks.
INSERT INTO ingest.jobs (job_id, name, idempotency_key, source, spec, state, chunk_count, started_at)
VALUES ($1, $2, $1::UUID::TEXT, $3, $4, 'running', $5, clock_timestamp())

-- open_release --
-- A chunk of job $1 that stores $3 records which chunk $2 refused, claimed for worker $4 for $5 seconds;
-- it proves nothing, for reason $6.
WITH origin AS (
    SELECT k.*, r.dataset, r.schema, r.stype_in, r.start_ns AS asked_start, r.end_ns AS asked_end,
           r.symbol_group_id AS asked_group
    FROM ingest.chunks k JOIN ingest.requests r ON r.request_id = k.request_id WHERE k.chunk_id = $2
), asked AS (
    INSERT INTO ingest.requests
        (job_id, dataset, schema, stype_in, symbol_group_id, start_ns, end_ns)
    SELECT $1, dataset, schema, stype_in, asked_group, asked_start, asked_end FROM origin
    RETURNING request_id
), made AS (
    INSERT INTO ingest.chunks
        (job_id, request_id, symbol_group_id, start_ns, end_ns, last_slice, state, fence, attempt,
         max_attempts, expected, payload_id, partial, replays, releases)
    SELECT $1, a.request_id, o.symbol_group_id, o.start_ns, o.end_ns, o.last_slice, 'in_progress', 1,
           1, 1, $3, o.payload_id, $6, o.chunk_id, true
    FROM origin o, asked a
    RETURNING chunk_id, fence
)
INSERT INTO ingest.leases (chunk_id, fence, worker, lease_until)
SELECT chunk_id, fence, $4, clock_timestamp() + make_interval(secs => $5) FROM made
RETURNING chunk_id, fence

-- renew --
-- Renews the leases of chunks that wait for their turn, ids $1, all of fence $2.
UPDATE ingest.leases SET lease_until = clock_timestamp() + make_interval(secs => $3)
WHERE chunk_id = ANY($1::INTEGER[]) AND fence = $2

-- end_session --
-- Ends the session that loads chunk $1 under fence $2: where it waits for a lock, it does not see that
-- its client is gone, and keeps the chunk's row.
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND starts_with(application_name, 'hdi:' || $1::INTEGER || ':' || $2::INTEGER || ':')
