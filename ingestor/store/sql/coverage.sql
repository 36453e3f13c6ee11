-- held --
-- Days held of dataset $1 and schemas $2, of symbols $4 of type $3 or of all symbols (*).
SELECT schema, symbol, days FROM ingest.coverage
WHERE dataset = $1 AND schema = ANY($2::TEXT[])
  AND (symbol = '*' OR (stype_in = $3 AND symbol = ANY($4::TEXT[])))

-- underway --
-- Open jobs that are to fetch some of the same: dataset $1, schema $2, symbols $4 of type $3, index
-- timestamps from $5 to before $6.
SELECT DISTINCT j.job_id, j.name
FROM ingest.chunks k
JOIN ingest.jobs j USING (job_id)
JOIN ingest.requests r USING (request_id)
JOIN ingest.symbol_groups g ON g.symbol_group_id = k.symbol_group_id
WHERE k.state IN ('pending', 'queued', 'in_progress', 'retrying') AND k.payload_id IS NULL
  AND r.dataset = $1 AND r.schema = $2 AND k.start_ns < $6 AND k.end_ns > $5
  AND ((r.stype_in = $3 AND g.symbols && $4::TEXT[])
       OR 'ALL_SYMBOLS' = ANY(g.symbols) OR 'ALL_SYMBOLS' = ANY($4::TEXT[]))
ORDER BY j.name, j.job_id LIMIT 3

-- cover --
-- Whole days that a complete payload proves, per symbol; merged with what is held. Sorted, so that
-- two loads never wait in a ring.
INSERT INTO ingest.coverage AS c (dataset, schema, stype_in, symbol, days)
SELECT $1, $2, $3, s.symbol, d.days
FROM (SELECT DISTINCT symbol FROM unnest($4::TEXT[]) AS u(symbol)) s,
     (SELECT range_agg(daterange(first, past)) AS days
      FROM unnest($5::DATE[], $6::DATE[]) AS u(first, past)) d
ORDER BY s.symbol
ON CONFLICT (dataset, schema, stype_in, symbol) DO UPDATE SET days = c.days + excluded.days
WHERE NOT c.days @> excluded.days
