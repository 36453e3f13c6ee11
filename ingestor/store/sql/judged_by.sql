-- judged_by --
-- What completed chunks of job $1 (null: of every job), or those of $2, were loaded by.
SELECT k.chunk_id, k.job_id, j.source, r.dataset, r.schema,
       k.receipt->>'mapping_hash' AS mapping_hash,
       coalesce(k.receipt->>'rules_hash', '') AS rules_hash
FROM ingest.chunks k
JOIN ingest.jobs j USING (job_id)
JOIN ingest.requests r USING (request_id)
WHERE k.receipt IS NOT NULL AND ($1::UUID IS NULL OR k.job_id = $1)
  AND ($2::INTEGER[] IS NULL OR k.chunk_id = ANY($2))
ORDER BY k.chunk_id
