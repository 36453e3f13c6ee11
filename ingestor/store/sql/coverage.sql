-- held --
-- Days held of dataset $1 and schemas $2, of symbols $4 of type $3 or of all symbols (*).
SELECT schema, symbol, days FROM ingest.coverage
WHERE dataset = $1 AND schema = ANY($2::TEXT[])
  AND (symbol = '*' OR (stype_in = $3 AND symbol = ANY($4::TEXT[])))

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
