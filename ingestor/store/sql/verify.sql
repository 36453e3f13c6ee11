-- custom_plans --
-- A generic plan knows no bounds, so it would lock every hypertable chunk of a table at once.
SELECT set_config('plan_cache_mode', 'force_custom_plan', false)

-- ranges --
-- Hypertables of ours with their hypertable chunks, ascending; one row without bounds where there
-- is none yet.
SELECT h.hypertable_name AS name, c.range_start AS low, c.range_end AS high
FROM timescaledb_information.hypertables h
LEFT JOIN timescaledb_information.chunks c USING (hypertable_schema, hypertable_name)
WHERE h.hypertable_schema = 'public'
ORDER BY h.hypertable_name, c.range_start

-- accounts --
-- What receipts and supersessions say of chunks: of job $1 (null: of all), of those of $2 only
-- (null: all). Times are microseconds since 1970, as planned where nothing was loaded.
SELECT k.chunk_id, k.job_id, r.dataset, r.schema, k.state,
       coalesce((k.receipt->>'fetched')::BIGINT, 0) AS fetched,
       coalesce((k.receipt->>'stored')::BIGINT, 0) AS stored,
       coalesce((k.receipt->>'quarantined')::BIGINT, 0) AS quarantined,
       coalesce((k.receipt->>'already_stored')::BIGINT, 0) AS already_stored,
       coalesce((k.receipt->>'corrected')::BIGINT, 0) AS corrected,
       coalesce((k.receipt->>'removed')::BIGINT, 0) AS removed,
       coalesce(o.rows, 0) AS superseded,
       coalesce(n.corrected, 0) AS told_corrected,
       coalesce(n.removed, 0) AS told_removed,
       div(coalesce(k.index_min, k.start_ns), 1000)::BIGINT AS index_min,
       div(coalesce(k.index_max, k.end_ns), 1000)::BIGINT AS index_max,
       div(coalesce(k.event_min, k.start_ns), 1000)::BIGINT AS event_min,
       div(coalesce(k.event_max, k.end_ns), 1000)::BIGINT AS event_max
FROM ingest.chunks k
JOIN ingest.requests r USING (request_id)
LEFT JOIN (SELECT old_chunk AS chunk_id, sum(rows)::BIGINT AS rows
           FROM ingest.supersessions GROUP BY old_chunk) o USING (chunk_id)
LEFT JOIN (SELECT new_chunk AS chunk_id,
                  sum(rows) FILTER (WHERE kind = 'corrected')::BIGINT AS corrected,
                  sum(rows) FILTER (WHERE kind = 'removed')::BIGINT AS removed
           FROM ingest.supersessions GROUP BY new_chunk) n USING (chunk_id)
WHERE ($1::UUID IS NULL OR k.job_id = $1) AND ($2::INTEGER[] IS NULL OR k.chunk_id = ANY($2))

-- quarantined --
-- Quarantined records per chunk: of job $1 (null: of all), of the chunks $2 only (null: all).
SELECT chunk_id, count(*) AS records FROM ingest.quarantine
WHERE ($1::UUID IS NULL OR chunk_id IN (SELECT k.chunk_id FROM ingest.chunks k WHERE k.job_id = $1))
  AND ($2::INTEGER[] IS NULL OR chunk_id = ANY($2))
GROUP BY chunk_id
