-- completed --
-- Completed chunks of job $1 (null: of every job, each payload once), or those of $2, as they were
-- planned and with what their receipts count. Not those that stored quarantined records: they have no
-- payload of their own. `recut`: since then, the payload was cut by the times of another mapping.
SELECT k.chunk_id, k.job_id, k.fence, k.attempt, k.max_attempts, k.lost_count, j.source,
       r.dataset, r.schema, r.stype_in, k.symbol_group_id, k.start_ns, k.end_ns, k.last_slice,
       (k.receipt->>'fetched')::BIGINT AS records, k.index_min, k.index_max, k.event_min, k.event_max,
       p.uri, p.sha256, p.size, k.partial, k.cut_by, k.request_id,
       r.symbol_group_id AS asked_group_id,
       k.cut_by IS NOT NULL AND EXISTS (
           SELECT FROM ingest.payloads q JOIN ingest.chunks n ON n.payload_id = q.payload_id
           WHERE q.sha256 = p.sha256 AND n.cut_by IS NOT NULL AND n.cut_by <> k.cut_by
             AND n.chunk_id > k.chunk_id AND n.state IN ('completed', 'completed_empty')) AS recut,
       r.start_ns AS asked_start_ns, r.end_ns AS asked_end_ns,
       ARRAY(SELECT q.uri || E'\n' || q.sha256 || E'\n' || q.size
             FROM unnest(k.predecessors) WITH ORDINALITY AS u(payload_id, place)
             JOIN ingest.payloads q USING (payload_id) ORDER BY u.place) AS predecessors
FROM ingest.chunks k
JOIN ingest.jobs j USING (job_id)
JOIN ingest.requests r USING (request_id)
JOIN ingest.payloads p USING (payload_id)
WHERE k.state IN ('completed', 'completed_empty') AND NOT k.releases
  AND CASE WHEN $2::INTEGER[] IS NOT NULL THEN k.chunk_id = ANY($2)
           WHEN $1::UUID IS NOT NULL THEN k.job_id = $1 ELSE k.replays IS NULL END
ORDER BY k.chunk_id

-- symbols --
SELECT symbol_group_id, symbols FROM ingest.symbol_groups WHERE symbol_group_id = ANY($1::INTEGER[])

-- job --
-- What is told of a job that is to be loaded again; its origin where it stores quarantined records.
SELECT j.name, j.source, j.priority,
       (SELECT o.job_id FROM ingest.chunks k JOIN ingest.chunks o ON o.chunk_id = k.replays
        WHERE k.job_id = j.job_id AND k.releases ORDER BY k.chunk_id LIMIT 1) AS released_of,
       (SELECT count(*) FROM ingest.jobs n WHERE n.spec->>'replay_of' = j.job_id::TEXT) AS replays
FROM ingest.jobs j WHERE j.job_id = $1

-- open_replay --
-- The job that is loading job $1 again and has not ended; the newest of several.
SELECT job_id FROM ingest.jobs
WHERE state IN ('pending', 'running') AND spec->>'replay_of' = $1::UUID::TEXT
ORDER BY created_at DESC LIMIT 1

-- loaded_otherwise --
-- The first payload of sha256 $1, dataset $2, schema $3 (arrays) that was last loaded by another mapping
-- than $4, and the job that did so.
SELECT p.uri, l.job_id, l.name
FROM unnest($1::TEXT[], $2::TEXT[], $3::TEXT[], $4::TEXT[])
     WITH ORDINALITY AS a(sha256, dataset, schema, cut_by, place)
CROSS JOIN LATERAL (
    SELECT k.job_id, k.cut_by, k.payload_id, j.name
    FROM ingest.payloads q
    JOIN ingest.chunks k ON k.payload_id = q.payload_id AND k.cut_by IS NOT NULL
    JOIN ingest.requests r USING (request_id)
    JOIN ingest.jobs j ON j.job_id = k.job_id
    WHERE q.sha256 = a.sha256 AND r.dataset = a.dataset AND r.schema = a.schema
      AND k.state IN ('completed', 'completed_empty')
    ORDER BY k.finished_at DESC, k.chunk_id DESC LIMIT 1) l
JOIN ingest.payloads p ON p.payload_id = l.payload_id
WHERE l.cut_by <> a.cut_by ORDER BY a.place LIMIT 1

-- undecided --
-- Chunks of job $1 (null: of every job) and their rules of which stored records are undecided still: the
-- last recheck says so in place of the receipt. Not chunks whose payload was loaded again since: their
-- rows are others' now.
SELECT k.chunk_id, CASE WHEN k.releases THEN k.replays END AS released_of, u.rule,
       coalesce(l.undecided, u.records::BIGINT) AS undecided,
       coalesce(l.broken, (k.receipt->'flags'->>u.rule)::BIGINT, 0) AS broken,
       coalesce(l.fine, 0) AS fine, coalesce(l.recheck_id, 0) AS last_recheck
FROM ingest.chunks k
CROSS JOIN LATERAL jsonb_each_text(k.receipt->'undecided') AS u(rule, records)
LEFT JOIN LATERAL (
    SELECT recheck_id, broken, fine, undecided FROM ingest.rechecks x
    WHERE x.chunk_id = k.chunk_id AND x.rule = u.rule ORDER BY recheck_id DESC LIMIT 1) l ON true
WHERE k.state = 'completed' AND k.receipt->'undecided' IS NOT NULL
  AND ($1::UUID IS NULL OR k.job_id = $1)
  AND coalesce(l.undecided, u.records::BIGINT) > 0
  AND NOT EXISTS (SELECT FROM replayed p WHERE p.chunk_id = k.chunk_id)
ORDER BY k.chunk_id, u.rule

-- released_ids --
-- Quarantined records that chunk $1 stored.
SELECT quarantine_id FROM ingest.quarantine WHERE resolved_by = $1 ORDER BY quarantine_id

-- refused_positions --
-- Places in the payload of the records that chunk $1 did not store.
SELECT position FROM ingest.quarantine WHERE chunk_id = $1 ORDER BY position

-- own_recheck --
-- Locks chunk $1 against other rechecks.
SELECT 1 FROM ingest.chunks WHERE chunk_id = $1 FOR UPDATE

-- last_recheck --
-- A statement of its own: only its snapshot sees what a faster recheck of rule $2 has committed.
SELECT coalesce(max(recheck_id), 0) FROM ingest.rechecks WHERE chunk_id = $1 AND rule = $2

-- recheck --
INSERT INTO ingest.rechecks (chunk_id, rule, rules_hash, broken, fine, undecided)
VALUES ($1, $2, $3, $4, $5, $6) RETURNING recheck_id

-- flag --
-- Records of chunk $1 found by recheck $2 to break rule $3: those that are not listed yet, up to $5 of
-- the rule in all.
INSERT INTO ingest.flagged (chunk_id, recheck_id, rule, rules_hash, field, reason, position, value,
                            readable, publisher_id, instrument_id, index_ns, ordinal)
SELECT $1, $2, $3, $4, $6, $7, u.position, u.value, u.readable::JSON, u.publisher_id,
       u.instrument_id, u.index_ns::NUMERIC, u.ordinal
FROM unnest($8::BIGINT[], $9::TEXT[], $10::TEXT[], $11::INTEGER[], $12::BIGINT[], $13::TEXT[],
            $14::INTEGER[])
     AS u(position, value, readable, publisher_id, instrument_id, index_ns, ordinal)
WHERE NOT EXISTS (SELECT FROM ingest.flagged f
                  WHERE f.chunk_id = $1 AND f.rule = $3 AND f.position = u.position)
ORDER BY u.position
LIMIT greatest($5::BIGINT - (SELECT count(*) FROM ingest.flagged WHERE chunk_id = $1 AND rule = $3), 0)
