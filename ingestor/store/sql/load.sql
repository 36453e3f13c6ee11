-- forget_judged --
-- Which records of a chunk stay out, and which are flagged, is decided once: rows of an earlier life of
-- it are replaced.
WITH refused AS (DELETE FROM ingest.quarantine WHERE chunk_id = $1)
DELETE FROM ingest.flagged WHERE chunk_id = $1

-- learn_publishers --
-- Publishers of a payload, $1 ids of dataset $2; known ones stay.
INSERT INTO public.publishers (publisher_id, dataset)
SELECT id, $2 FROM unnest($1::INTEGER[]) AS u(id) ORDER BY id
ON CONFLICT (publisher_id) DO NOTHING

-- contradicting_publisher --
SELECT publisher_id, dataset FROM public.publishers
WHERE publisher_id = ANY($1::INTEGER[]) AND dataset <> $2
ORDER BY publisher_id LIMIT 1

-- keep_intervals --
-- Symbol intervals of a payload: arrays of symbol, id, first and last day (exclusive).
INSERT INTO ingest.symbol_intervals AS s
    (dataset, stype_in, symbol, stype_out, instrument_id, days, source)
SELECT $1, $2, symbol, $3, id, range_agg(daterange(first, past)), $4
FROM unnest($5::TEXT[], $6::BIGINT[], $7::DATE[], $8::DATE[]) AS u(symbol, id, first, past)
GROUP BY symbol, id
ORDER BY symbol, id
ON CONFLICT (dataset, stype_in, symbol, stype_out, instrument_id) DO UPDATE
SET days = s.days + excluded.days
WHERE NOT s.days @> excluded.days

-- own_ids --
-- The sole right to give instrument ids of dataset $1 to symbols, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('hdi.ids:' || $1, 0))

-- shared_id --
-- An instrument id that a symbol of $2 gives to itself in $3 and another raw symbol of dataset $1 has.
SELECT u.symbol, u.id, s.symbol AS other
FROM unnest($2::TEXT[], $3::BIGINT[]) AS u(symbol, id)
JOIN ingest.symbol_intervals s
  ON s.dataset = $1 AND s.stype_in = 'raw_symbol' AND s.stype_out = 'instrument_id'
 AND s.instrument_id = u.id AND s.symbol <> u.symbol
ORDER BY u.symbol, s.symbol LIMIT 1

-- count_nameless --
-- Instruments $2 of dataset $1 that no raw symbol names on any day from $3 to $4 (exclusive).
SELECT count(*) FROM unnest($2::BIGINT[]) AS u(id)
WHERE NOT EXISTS (
    SELECT FROM ingest.symbol_intervals s
    WHERE s.dataset = $1 AND s.stype_in = 'raw_symbol' AND s.stype_out = 'instrument_id'
      AND s.instrument_id = id AND s.days && daterange($3, $4))

-- share_days --
-- Loads that only append share a day of a table; a merge has it alone. One round trip: table, days and
-- milliseconds are filled in.
SET LOCAL lock_timeout = {timeout_ms};
SELECT pg_advisory_xact_lock_shared(hashtext('{table}'), day)
FROM unnest('{{{days}}}'::INTEGER[]) AS u(day) ORDER BY day;
SET LOCAL lock_timeout TO DEFAULT

-- own_days --
SET LOCAL lock_timeout = {timeout_ms};
SELECT pg_advisory_xact_lock(hashtext('{table}'), day)
FROM unnest('{{{days}}}'::INTEGER[]) AS u(day) ORDER BY day;
SET LOCAL lock_timeout TO DEFAULT

-- take_turn --
-- The sole right to fetch what $1 names, for as long as the session lasts; false: another has it.
-- A server that restarts has forgotten who had it, and downloads went on: for $2 seconds after its
-- start only they get it (who asks for the first time says so by $2, the others by 0).
SELECT CASE WHEN pg_postmaster_start_time() < clock_timestamp() - make_interval(secs => $2)
            THEN pg_try_advisory_lock(hashtextextended($1, 0)) ELSE false END

-- end_turn --
SELECT pg_advisory_unlock(hashtextextended($1, 0))

-- name_session --
SELECT set_config('application_name', $1, false)

-- analyze_stage --
ANALYZE hdi_stage

-- more_memory --
-- At least $1 MiB for each sort and hash of this transaction.
SELECT set_config('work_mem', greatest(
    pg_size_bytes(current_setting('work_mem')), $1::BIGINT * 1024 * 1024
) / 1024 || 'kB', true)

-- commit_at_once --
SET LOCAL synchronous_commit TO off

-- compress_directly --
-- Setting $1 on for this transaction; null where the server has none of that name.
SELECT set_config(name, 'on', true) FROM pg_settings WHERE name = $1
