-- Providers: the realm of a payload, what a job was quoted, membership of parents.
ALTER TABLE ingest.payloads ADD COLUMN realm TEXT CHECK (realm IN ('real', 'simulated'))
--------
COMMENT ON COLUMN ingest.payloads.realm IS 'Kind of gateway it came from; null for files'
--------
ALTER TABLE ingest.jobs ADD COLUMN quoted_usd NUMERIC CHECK (quoted_usd >= 0)
--------
COMMENT ON COLUMN ingest.jobs.quoted_usd IS
    'US dollars the provider said it costs, before anything was fetched; null where nothing is bought'
--------
CREATE VIEW public.parent_members AS
SELECT dataset, symbol AS parent, instrument_id,
       lower(day_range) AS valid_from, upper(day_range) AS valid_to
FROM ingest.symbol_intervals, unnest(days) AS day_range
WHERE stype_in = 'parent' AND stype_out = 'instrument_id'
--------
COMMENT ON VIEW public.parent_members IS
    'Which instruments belonged to a parent symbol (ES.FUT), and on which days (end exclusive)'
--------
CREATE VIEW public.continuous_rolls AS
SELECT dataset, symbol, instrument_id,
       lower(day_range) AS valid_from, upper(day_range) AS valid_to
FROM ingest.symbol_intervals, unnest(days) AS day_range
WHERE stype_in = 'continuous' AND stype_out = 'instrument_id'
--------
COMMENT ON VIEW public.continuous_rolls IS
    'Which instrument a continuous symbol (ES.c.0) stood for, and on which days (end exclusive)'
--------
GRANT SELECT ON public.parent_members, public.continuous_rolls TO hdi_worker, hdi_reader
--------
-- Names of ids are looked up by id; the primary key begins with dataset, stype_in, symbol.
CREATE INDEX symbol_intervals_instrument_idx ON ingest.symbol_intervals (dataset, instrument_id)
    WHERE stype_in = 'raw_symbol' AND stype_out = 'instrument_id'
