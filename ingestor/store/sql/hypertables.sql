-- extension --
SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'timescaledb')

-- is_hypertable --
SELECT EXISTS (SELECT 1 FROM timescaledb_information.hypertables h
               WHERE h.hypertable_schema = 'public' AND h.hypertable_name = $1)

-- first_missing --
-- The earliest of the instants $2 that no hypertable chunk of table $1 holds.
SELECT min(at) FROM unnest($2::TIMESTAMPTZ[]) AS u(at)
WHERE NOT EXISTS (
    SELECT 1 FROM timescaledb_information.chunks c
    WHERE c.hypertable_schema = 'public' AND c.hypertable_name = $1
      AND c.range_start <= u.at AND u.at < c.range_end)

-- own_creation --
SELECT pg_advisory_xact_lock(hashtext('hdi.create'), hashtext($1))

-- report --
-- Hypertables of ours with the number of their chunks.
SELECT h.hypertable_name AS name, h.num_chunks AS chunks
FROM timescaledb_information.hypertables h
WHERE h.hypertable_schema = 'public' ORDER BY h.hypertable_name
