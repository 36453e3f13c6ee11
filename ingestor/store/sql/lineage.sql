-- members --
-- All chunks that loaded the payload of chunk $1, or some of its records: the first of them, and those
-- that loaded it again. Where a mapping's times cut it: also the other slices of the same bytes, whichever
-- job loaded them, that lie inside $1, which replays all of them. `delivered`: when the first was loaded.
-- Times are nanoseconds since 1970, the bounds of what any of them holds.
WITH RECURSIVE up AS (
    SELECT chunk_id, replays FROM ingest.chunks WHERE chunk_id = $1
    UNION
    SELECT k.chunk_id, k.replays FROM up JOIN ingest.chunks k ON k.chunk_id = up.replays
), beside AS (
    SELECT s.chunk_id
    FROM ingest.chunks me
    JOIN ingest.requests mine ON mine.request_id = me.request_id
    JOIN ingest.payloads p ON p.payload_id = me.payload_id
    JOIN ingest.payloads q ON q.sha256 = p.sha256
    JOIN ingest.chunks s ON s.payload_id = q.payload_id AND s.cut_by IS NOT NULL
    JOIN ingest.requests its ON its.request_id = s.request_id
    WHERE me.chunk_id = $1 AND me.cut_by IS NOT NULL AND me.replays IS NOT NULL
      AND s.replays IS NULL AND s.state IN ('completed', 'completed_empty')
      AND its.dataset = mine.dataset AND its.schema = mine.schema
      AND s.start_ns >= me.start_ns AND s.end_ns <= me.end_ns
      AND (me.last_slice OR NOT s.last_slice)
), roots AS (
    SELECT chunk_id FROM up WHERE replays IS NULL UNION SELECT chunk_id FROM beside
), down AS (
    SELECT chunk_id FROM roots
    UNION
    SELECT k.chunk_id FROM down JOIN ingest.chunks k ON k.replays = down.chunk_id
)
SELECT array_agg(k.chunk_id ORDER BY k.chunk_id) AS chunks,
       max(k.finished_at) FILTER (WHERE k.replays IS NULL) AS delivered,
       min(k.index_min) AS index_min, max(k.index_max) AS index_max,
       min(k.event_min) AS event_min, max(k.event_max) AS event_max
FROM down JOIN ingest.chunks k USING (chunk_id)

-- withdrawn --
-- The last forced load that took rows of chunks $1 away because the provider has them no more.
SELECT s.new_chunk, k.job_id, sum(s.rows)::BIGINT AS rows
FROM ingest.supersessions s JOIN ingest.chunks k ON k.chunk_id = s.new_chunk
WHERE s.old_chunk = ANY($1::INTEGER[]) AND s.kind = 'removed' AND k.replays IS NULL
GROUP BY s.new_chunk, k.job_id, k.finished_at ORDER BY k.finished_at DESC LIMIT 1

-- supersede_quarantined --
-- Quarantined records of chunks $1 were judged again by chunk $2. Locked in one order, so that two loads
-- never wait in a ring.
UPDATE ingest.quarantine SET superseded_by = $2
WHERE quarantine_id IN (
    SELECT quarantine_id FROM ingest.quarantine
    WHERE chunk_id = ANY($1::INTEGER[]) AND chunk_id <> $2 AND superseded_by IS NULL
    ORDER BY quarantine_id FOR UPDATE)

-- keep_discarded --
-- What was discarded and is refused by the same rule again, by chunk $1, stays discarded.
UPDATE ingest.quarantine q
SET resolution = d.resolution, resolved_at = d.resolved_at, resolved_reason = d.resolved_reason
FROM ingest.quarantine d
WHERE q.chunk_id = $1 AND d.superseded_by = $1 AND d.resolution = 'discarded'
  AND q.position = d.position AND q.rule = d.rule AND q.raw = d.raw

-- resolve --
-- Quarantined records $1 are stored by chunk $2; one that was resolved or superseded meanwhile is none
-- of the result.
UPDATE ingest.quarantine
SET resolution = 'replayed', resolved_at = clock_timestamp(), resolved_by = $2
WHERE quarantine_id IN (
    SELECT quarantine_id FROM ingest.quarantine
    WHERE quarantine_id = ANY($1::BIGINT[]) AND resolution IS NULL AND superseded_by IS NULL
    ORDER BY quarantine_id FOR UPDATE)
RETURNING quarantine_id

-- analyze_refused --
ANALYZE hdi_refused
