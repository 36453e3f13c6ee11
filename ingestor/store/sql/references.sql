-- classes --
-- What definitions of dataset $1 say of instruments $2 from $3 to $4 (exclusive): of each instrument
-- and day the last one.
SELECT DISTINCT ON (d.instrument_id, day)
       d.instrument_id, (d.ts_recv AT TIME ZONE 'UTC')::DATE - DATE '1970-01-01' AS day,
       d.instrument_class AS value, coalesce(d.security_update_action = 'D', false) AS ended
FROM public.definitions_data d
WHERE d.publisher_id = ANY(ARRAY(SELECT publisher_id FROM public.publishers WHERE dataset = $1))
  AND d.instrument_id = ANY($2::BIGINT[])
  AND d.ts_recv >= $3 AND d.ts_recv < $4
ORDER BY d.instrument_id, day, d.ts_recv DESC, d.ts_recv_ns DESC, d.ordinal DESC, d.leg_index DESC

-- classes_before --
-- The last one of each before $3: one look at the key's prefix per instrument.
SELECT u.id AS instrument_id, (d.ts_recv AT TIME ZONE 'UTC')::DATE - DATE '1970-01-01' AS day,
       d.instrument_class AS value, coalesce(d.security_update_action = 'D', false) AS ended
FROM unnest($2::BIGINT[]) AS u(id)
CROSS JOIN LATERAL (
    SELECT * FROM public.definitions_data t
    WHERE t.instrument_id = u.id AND t.ts_recv < $3
      AND t.publisher_id = ANY(ARRAY(SELECT publisher_id FROM public.publishers WHERE dataset = $1))
    ORDER BY t.ts_recv DESC, t.ts_recv_ns DESC, t.ordinal DESC, t.leg_index DESC LIMIT 1) d

-- names --
-- Raw symbols of instruments $2 of dataset $1 from $3 to $4 (exclusive).
SELECT s.instrument_id, s.symbol, lower(r) - DATE '1970-01-01' AS first,
       upper(r) - DATE '1970-01-01' AS past
FROM ingest.symbol_intervals s, unnest(s.days * datemultirange(daterange($3, $4))) AS r
WHERE s.dataset = $1 AND s.stype_in = 'raw_symbol' AND s.stype_out = 'instrument_id'
  AND s.instrument_id = ANY($2::BIGINT[]) AND s.days && daterange($3, $4)
ORDER BY s.instrument_id, s.symbol COLLATE "C"
