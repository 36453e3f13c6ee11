-- publishers --
SELECT coalesce(array_agg(publisher_id ORDER BY publisher_id), '{}')
FROM public.publishers WHERE dataset = $1

-- make_space --
-- Which instruments on which index days; instrument_id is null where it is all of them. Ranges of
-- one instrument do not overlap.
CREATE TEMP TABLE hdi_space (instrument_id BIGINT, first TIMESTAMPTZ NOT NULL, past TIMESTAMPTZ NOT NULL)
ON COMMIT DROP

-- fill_with_days --
INSERT INTO hdi_space (first, past)
SELECT first::TIMESTAMP AT TIME ZONE 'UTC', past::TIMESTAMP AT TIME ZONE 'UTC'
FROM unnest($1::DATE[], $2::DATE[]) AS u(first, past)

-- fill_with_instruments --
-- $1, $2 days; of dataset $3 ids $4 from $5 to $6 (exclusive), ids $7 on all days, ids $8 on days on
-- which no raw symbol is known for them. Each on the days of the space only: ids are used again.
WITH covered AS (
    SELECT range_agg(daterange(first, past)) AS days
    FROM unnest($1::DATE[], $2::DATE[]) AS u(first, past)
), named AS (
    SELECT id AS instrument_id, datemultirange(daterange(first, past)) AS days
    FROM unnest($4::BIGINT[], $5::DATE[], $6::DATE[]) AS u(id, first, past)
    UNION ALL
    SELECT id, days FROM unnest($7::BIGINT[]) AS u(id), covered
    UNION ALL
    SELECT id, covered.days - coalesce((
        SELECT range_agg(i.days) FROM ingest.symbol_intervals i
        WHERE i.dataset = $3 AND i.instrument_id = u.id AND i.stype_in = 'raw_symbol'
          AND i.stype_out = 'instrument_id'), '{}')
    FROM unnest($8::BIGINT[]) AS u(id), covered
), whole AS (
    SELECT instrument_id, range_agg(days) AS days FROM named GROUP BY instrument_id
)
INSERT INTO hdi_space (instrument_id, first, past)
SELECT w.instrument_id, lower(day_range)::TIMESTAMP AT TIME ZONE 'UTC',
       upper(day_range)::TIMESTAMP AT TIME ZONE 'UTC'
FROM whole w, covered c, unnest(w.days * c.days) AS day_range

-- index_space --
-- Looked up by id at the worst: what the server knows of new rows may be wrong.
CREATE INDEX ON hdi_space (instrument_id)

-- analyze_space --
ANALYZE hdi_space

-- event_bounds --
-- ts_event of what was loaded with an index timestamp from day $3 to $4 (exclusive).
SELECT min(k.event_min) AS low, max(k.event_max) AS high
FROM ingest.chunks k JOIN ingest.requests r USING (request_id)
WHERE k.receipt IS NOT NULL AND r.dataset = $1 AND r.schema = $2
  AND k.index_max >= ($3::DATE - DATE '1970-01-01') * 86400000000000::NUMERIC
  AND k.index_min < ($4::DATE - DATE '1970-01-01') * 86400000000000::NUMERIC
