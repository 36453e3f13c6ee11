-- Views: what statistics and definitions say now, and namespace market, for people. The views of
-- tables are generated from the Tables by ingestor.store.views; a test compares both.
CREATE SCHEMA IF NOT EXISTS market
--------
COMMENT ON SCHEMA market IS
    'A view per record table with symbol, dataset and venue, floats and nanoseconds; for people'
--------
GRANT USAGE ON SCHEMA market TO hdi_worker, hdi_reader
--------
-- An id is looked up with its dataset and without.
DROP INDEX ingest.symbol_intervals_instrument_idx
--------
CREATE INDEX symbol_intervals_instrument_idx ON ingest.symbol_intervals (instrument_id, dataset)
    WHERE stype_in = 'raw_symbol' AND stype_out = 'instrument_id'
--------
-- Queries begin with the symbol; the primary key begins with the dataset.
CREATE INDEX symbol_intervals_symbol_idx ON ingest.symbol_intervals (symbol)
    WHERE stype_in = 'raw_symbol' AND stype_out = 'instrument_id'
--------
CREATE VIEW ingest.symbol_names AS
SELECT i.dataset, i.instrument_id, i.symbol, own.days
FROM ingest.symbol_intervals i
CROSS JOIN LATERAL (
    SELECT i.days - coalesce(range_agg(first.days), '{}') AS days
    FROM ingest.symbol_intervals first
    WHERE first.dataset = i.dataset AND first.instrument_id = i.instrument_id
      AND first.stype_in = 'raw_symbol' AND first.stype_out = 'instrument_id'
      AND first.symbol COLLATE "C" < i.symbol COLLATE "C") own
WHERE i.stype_in = 'raw_symbol' AND i.stype_out = 'instrument_id'
--------
COMMENT ON VIEW ingest.symbol_names IS
    'Raw symbols of instruments by day; where several claim a day, the first by alphabet has it'
--------
GRANT SELECT ON ingest.symbol_names TO hdi_worker, hdi_reader
--------
CREATE VIEW market.names AS
SELECT dataset, instrument_id, symbol,
       lower(day_range) AS valid_from, upper(day_range) AS valid_to
FROM ingest.symbol_names, unnest(days) AS day_range
--------
COMMENT ON VIEW market.names IS
    'Which raw symbol an instrument id stood for, and on which days (end exclusive): one at a time'
--------
GRANT SELECT ON market.names TO hdi_worker, hdi_reader
--------
CREATE TABLE public.stat_types (
    stat_type INTEGER PRIMARY KEY CHECK (stat_type BETWEEN 0 AND 65535),
    name TEXT NOT NULL
)
--------
COMMENT ON TABLE public.stat_types IS
    'What kinds of statistics are called; a kind that is not listed here is told by its number'
--------
GRANT SELECT ON public.stat_types TO hdi_worker, hdi_reader
--------
INSERT INTO public.stat_types (stat_type, name) VALUES
    (1, 'opening_price'),
    (2, 'indicative_opening_price'),
    (3, 'settlement_price'),
    (4, 'trading_session_low_price'),
    (5, 'trading_session_high_price'),
    (6, 'cleared_volume'),
    (7, 'lowest_offer'),
    (8, 'highest_bid'),
    (9, 'open_interest'),
    (10, 'fixing_price'),
    (11, 'close_price'),
    (12, 'net_change'),
    (13, 'vwap'),
    (14, 'volatility'),
    (15, 'delta'),
    (16, 'uncrossing_price'),
    (17, 'upper_price_limit'),
    (18, 'lower_price_limit'),
    (19, 'block_volume'),
    (20, 'indicative_close_price'),
    (21, 'mwcb_level_1'),
    (22, 'mwcb_level_2'),
    (23, 'mwcb_level_3'),
    (24, 'auction_collar_reference_price'),
    (25, 'auction_collar_upper_price'),
    (26, 'auction_collar_lower_price'),
    (10001, 'venue_specific_volume_1'),
    (10002, 'venue_specific_price_1')
--------
-- The last message about each reference time counts; where it is a delete (2), nothing is known of
-- that time. The filter on a part of the key reaches the index through both DISTINCT ONs.
CREATE VIEW public.statistics_current AS
SELECT c.*, coalesce(n.name, c.stat_type::TEXT) AS stat_name
FROM (
    SELECT DISTINCT ON (publisher_id, instrument_id, stat_type) *
    FROM (
        SELECT DISTINCT ON (publisher_id, instrument_id, stat_type, ts_ref, ts_ref_ns) *
        FROM public.statistics_data
        ORDER BY publisher_id, instrument_id, stat_type, ts_ref, ts_ref_ns,
                 ts_recv DESC, ts_recv_ns DESC, ts_event DESC, ts_event_ns DESC,
                 sequence DESC, ordinal DESC) told
    WHERE update_action <> 2
    ORDER BY publisher_id, instrument_id, stat_type,
             coalesce(ts_ref, ts_event) DESC, coalesce(ts_ref_ns, ts_event_ns) DESC,
             ts_recv DESC, ts_recv_ns DESC, ts_event DESC, ts_event_ns DESC,
             sequence DESC, ordinal DESC) c
LEFT JOIN public.stat_types n ON n.stat_type = c.stat_type
--------
COMMENT ON VIEW public.statistics_current IS
    'The value in force of each statistic: of the latest reference time, as the last message about it told'
--------
COMMENT ON COLUMN public.statistics_current.stat_name IS
    'Name of the stat_type; its number where it is not known.'
--------
GRANT SELECT ON public.statistics_current TO hdi_worker, hdi_reader
--------
-- Plain SQL without settings of its own, so that it is inlined and a filter on the instrument
-- reaches the index. Each part repeats the bound: hypertable chunks after it are left out of all.
CREATE FUNCTION public.definitions_at(at TIMESTAMPTZ) RETURNS SETOF public.definitions_data
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT d.*
    FROM (
        SELECT DISTINCT ON (instrument_id, publisher_id)
               instrument_id, publisher_id, ts_recv, ts_recv_ns, security_update_action
        FROM public.definitions_data
        WHERE ts_recv <= definitions_at.at
        ORDER BY instrument_id, publisher_id, ts_recv DESC, ts_recv_ns DESC, ordinal DESC,
                 leg_index DESC) latest
    JOIN public.definitions_data d
      ON d.instrument_id = latest.instrument_id AND d.publisher_id = latest.publisher_id
     AND d.ts_recv = latest.ts_recv AND d.ts_recv_ns = latest.ts_recv_ns
    WHERE latest.security_update_action IS DISTINCT FROM 'D'
      AND d.security_update_action IS DISTINCT FROM 'D'
      AND d.ts_recv <= definitions_at.at
      AND NOT EXISTS (
          SELECT FROM public.definitions_data later
          WHERE later.instrument_id = d.instrument_id AND later.publisher_id = d.publisher_id
            AND later.ts_recv = d.ts_recv AND later.ts_recv_ns = d.ts_recv_ns
            AND later.leg_index = d.leg_index AND later.ordinal > d.ordinal
            AND later.ts_recv <= definitions_at.at)
$$
--------
COMMENT ON FUNCTION public.definitions_at(TIMESTAMPTZ) IS
    'Definitions in force at that time: the latest of each publisher and instrument with all its legs'
--------
GRANT EXECUTE ON FUNCTION public.definitions_at(TIMESTAMPTZ) TO hdi_worker, hdi_reader
--------
CREATE VIEW market.ohlcv_1s AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, 0) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + 0 END AS ts_event_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.open_price AS open_price,
    t.open_price::FLOAT8 AS open_price_float,
    t.high_price AS high_price,
    t.high_price::FLOAT8 AS high_price_float,
    t.low_price AS low_price,
    t.low_price::FLOAT8 AS low_price_float,
    t.close_price AS close_price,
    t.close_price::FLOAT8 AS close_price_float,
    t.vwap AS vwap,
    t.vwap::FLOAT8 AS vwap_float,
    t.volume AS volume,
    t.trade_count AS trade_count,
    t.granularity AS granularity,
    t.data_source AS data_source,
    t.chunk_id AS chunk_id
FROM public.ohlcv_1s_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_event AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.ohlcv_1s IS 'Bars of one second: open, high, low, close and volume. With names, for people.'
--------
COMMENT ON COLUMN market.ohlcv_1s.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.ohlcv_1s.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.ohlcv_1s.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.ohlcv_1s.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN market.ohlcv_1s.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.ohlcv_1s.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.ohlcv_1s.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.ohlcv_1s.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1s.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1s.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1s.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1s.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1s.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1s.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1s.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1s.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1s.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1s.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1s.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1s.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN market.ohlcv_1s.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN market.ohlcv_1s.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
GRANT SELECT ON market.ohlcv_1s TO hdi_worker, hdi_reader
--------
CREATE VIEW market.ohlcv_1m AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, 0) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + 0 END AS ts_event_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.open_price AS open_price,
    t.open_price::FLOAT8 AS open_price_float,
    t.high_price AS high_price,
    t.high_price::FLOAT8 AS high_price_float,
    t.low_price AS low_price,
    t.low_price::FLOAT8 AS low_price_float,
    t.close_price AS close_price,
    t.close_price::FLOAT8 AS close_price_float,
    t.vwap AS vwap,
    t.vwap::FLOAT8 AS vwap_float,
    t.volume AS volume,
    t.trade_count AS trade_count,
    t.granularity AS granularity,
    t.data_source AS data_source,
    t.chunk_id AS chunk_id
FROM public.ohlcv_1m_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_event AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.ohlcv_1m IS 'Bars of one minute: open, high, low, close and volume. With names, for people.'
--------
COMMENT ON COLUMN market.ohlcv_1m.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.ohlcv_1m.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.ohlcv_1m.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.ohlcv_1m.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN market.ohlcv_1m.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.ohlcv_1m.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.ohlcv_1m.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.ohlcv_1m.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1m.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1m.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1m.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1m.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1m.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1m.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1m.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1m.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1m.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1m.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1m.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1m.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN market.ohlcv_1m.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN market.ohlcv_1m.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
GRANT SELECT ON market.ohlcv_1m TO hdi_worker, hdi_reader
--------
CREATE VIEW market.ohlcv_1h AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, 0) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + 0 END AS ts_event_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.open_price AS open_price,
    t.open_price::FLOAT8 AS open_price_float,
    t.high_price AS high_price,
    t.high_price::FLOAT8 AS high_price_float,
    t.low_price AS low_price,
    t.low_price::FLOAT8 AS low_price_float,
    t.close_price AS close_price,
    t.close_price::FLOAT8 AS close_price_float,
    t.vwap AS vwap,
    t.vwap::FLOAT8 AS vwap_float,
    t.volume AS volume,
    t.trade_count AS trade_count,
    t.granularity AS granularity,
    t.data_source AS data_source,
    t.chunk_id AS chunk_id
FROM public.ohlcv_1h_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_event AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.ohlcv_1h IS 'Bars of one hour: open, high, low, close and volume. With names, for people.'
--------
COMMENT ON COLUMN market.ohlcv_1h.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.ohlcv_1h.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.ohlcv_1h.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.ohlcv_1h.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN market.ohlcv_1h.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.ohlcv_1h.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.ohlcv_1h.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.ohlcv_1h.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1h.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1h.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1h.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1h.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1h.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1h.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1h.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1h.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1h.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.'
--------
COMMENT ON COLUMN market.ohlcv_1h.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN market.ohlcv_1h.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN market.ohlcv_1h.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN market.ohlcv_1h.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN market.ohlcv_1h.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
GRANT SELECT ON market.ohlcv_1h TO hdi_worker, hdi_reader
--------
CREATE VIEW market.daily_ohlcv AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, 0) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + 0 END AS ts_event_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.open_price AS open_price,
    t.open_price::FLOAT8 AS open_price_float,
    t.high_price AS high_price,
    t.high_price::FLOAT8 AS high_price_float,
    t.low_price AS low_price,
    t.low_price::FLOAT8 AS low_price_float,
    t.close_price AS close_price,
    t.close_price::FLOAT8 AS close_price_float,
    t.vwap AS vwap,
    t.vwap::FLOAT8 AS vwap_float,
    t.volume AS volume,
    t.trade_count AS trade_count,
    t.granularity AS granularity,
    t.data_source AS data_source,
    t.chunk_id AS chunk_id
FROM public.daily_ohlcv_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_event AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.daily_ohlcv IS 'Bars of one day: open, high, low, close and volume. With names, for people.'
--------
COMMENT ON COLUMN market.daily_ohlcv.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.daily_ohlcv.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.daily_ohlcv.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.daily_ohlcv.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN market.daily_ohlcv.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.daily_ohlcv.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.daily_ohlcv.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.daily_ohlcv.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN market.daily_ohlcv.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.'
--------
COMMENT ON COLUMN market.daily_ohlcv.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN market.daily_ohlcv.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.'
--------
COMMENT ON COLUMN market.daily_ohlcv.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN market.daily_ohlcv.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.'
--------
COMMENT ON COLUMN market.daily_ohlcv.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN market.daily_ohlcv.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.'
--------
COMMENT ON COLUMN market.daily_ohlcv.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN market.daily_ohlcv.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.'
--------
COMMENT ON COLUMN market.daily_ohlcv.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN market.daily_ohlcv.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN market.daily_ohlcv.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN market.daily_ohlcv.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN market.daily_ohlcv.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
GRANT SELECT ON market.daily_ohlcv TO hdi_worker, hdi_reader
--------
CREATE VIEW market.trades AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, t.ts_event_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + t.ts_event_ns END AS ts_event_unix_ns,
    t.ts_recv AS ts_recv,
    CASE WHEN (t.ts_recv, t.ts_recv_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_recv) * 1000000)::BIGINT * 1000 + t.ts_recv_ns END AS ts_recv_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.price AS price,
    t.price::FLOAT8 AS price_float,
    t.sequence AS sequence,
    t.size AS size,
    t.ts_in_delta AS ts_in_delta,
    t.flags AS flags,
    t.depth AS depth,
    t.action AS action,
    t.side AS side,
    t.chunk_id AS chunk_id,
    t.ordinal AS ordinal
FROM public.trades_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_recv AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.trades IS 'Trades, every one, exactly as delivered. With names, for people.'
--------
COMMENT ON COLUMN market.trades.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.trades.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.trades.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.trades.ts_event IS 'When the venue''s matching engine made the event, UTC.'
--------
COMMENT ON COLUMN market.trades.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.trades.ts_recv IS 'When the capture server received it: the index timestamp.'
--------
COMMENT ON COLUMN market.trades.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.trades.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.trades.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.trades.price IS 'Price, exact at 1e-9.'
--------
COMMENT ON COLUMN market.trades.price_float IS 'price as a float, which has 15 digits; price is exact.'
--------
COMMENT ON COLUMN market.trades.sequence IS 'The venue''s message sequence number.'
--------
COMMENT ON COLUMN market.trades.size IS 'Contracts or shares.'
--------
COMMENT ON COLUMN market.trades.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.'
--------
COMMENT ON COLUMN market.trades.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.'
--------
COMMENT ON COLUMN market.trades.depth IS 'Book level of the event.'
--------
COMMENT ON COLUMN market.trades.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.'
--------
COMMENT ON COLUMN market.trades.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.'
--------
COMMENT ON COLUMN market.trades.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN market.trades.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.'
--------
GRANT SELECT ON market.trades TO hdi_worker, hdi_reader
--------
CREATE VIEW market.tbbo AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, t.ts_event_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + t.ts_event_ns END AS ts_event_unix_ns,
    t.ts_recv AS ts_recv,
    CASE WHEN (t.ts_recv, t.ts_recv_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_recv) * 1000000)::BIGINT * 1000 + t.ts_recv_ns END AS ts_recv_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.price AS price,
    t.price::FLOAT8 AS price_float,
    t.bid_px_00 AS bid_px_00,
    t.bid_px_00::FLOAT8 AS bid_px_00_float,
    t.ask_px_00 AS ask_px_00,
    t.ask_px_00::FLOAT8 AS ask_px_00_float,
    t.sequence AS sequence,
    t.size AS size,
    t.bid_sz_00 AS bid_sz_00,
    t.ask_sz_00 AS ask_sz_00,
    t.bid_ct_00 AS bid_ct_00,
    t.ask_ct_00 AS ask_ct_00,
    t.ts_in_delta AS ts_in_delta,
    t.flags AS flags,
    t.depth AS depth,
    t.action AS action,
    t.side AS side,
    t.chunk_id AS chunk_id,
    t.ordinal AS ordinal
FROM public.tbbo_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_recv AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.tbbo IS 'Trades, each with the best bid and ask just before it. With names, for people.'
--------
COMMENT ON COLUMN market.tbbo.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.tbbo.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.tbbo.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.tbbo.ts_event IS 'When the venue''s matching engine made the event, UTC.'
--------
COMMENT ON COLUMN market.tbbo.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.tbbo.ts_recv IS 'When the capture server received it: the index timestamp.'
--------
COMMENT ON COLUMN market.tbbo.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.tbbo.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.tbbo.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.tbbo.price IS 'Price, exact at 1e-9.'
--------
COMMENT ON COLUMN market.tbbo.price_float IS 'price as a float, which has 15 digits; price is exact.'
--------
COMMENT ON COLUMN market.tbbo.bid_px_00 IS 'Best bid; NULL where there is none.'
--------
COMMENT ON COLUMN market.tbbo.bid_px_00_float IS 'bid_px_00 as a float, which has 15 digits; bid_px_00 is exact.'
--------
COMMENT ON COLUMN market.tbbo.ask_px_00 IS 'Best ask; NULL where there is none.'
--------
COMMENT ON COLUMN market.tbbo.ask_px_00_float IS 'ask_px_00 as a float, which has 15 digits; ask_px_00 is exact.'
--------
COMMENT ON COLUMN market.tbbo.sequence IS 'The venue''s message sequence number.'
--------
COMMENT ON COLUMN market.tbbo.size IS 'Contracts or shares.'
--------
COMMENT ON COLUMN market.tbbo.bid_sz_00 IS 'Contracts or shares at the best bid.'
--------
COMMENT ON COLUMN market.tbbo.ask_sz_00 IS 'Contracts or shares at the best ask.'
--------
COMMENT ON COLUMN market.tbbo.bid_ct_00 IS 'Orders at the best bid.'
--------
COMMENT ON COLUMN market.tbbo.ask_ct_00 IS 'Orders at the best ask.'
--------
COMMENT ON COLUMN market.tbbo.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.'
--------
COMMENT ON COLUMN market.tbbo.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.'
--------
COMMENT ON COLUMN market.tbbo.depth IS 'Book level of the event.'
--------
COMMENT ON COLUMN market.tbbo.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.'
--------
COMMENT ON COLUMN market.tbbo.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.'
--------
COMMENT ON COLUMN market.tbbo.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN market.tbbo.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.'
--------
GRANT SELECT ON market.tbbo TO hdi_worker, hdi_reader
--------
CREATE VIEW market.statistics AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, t.ts_event_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + t.ts_event_ns END AS ts_event_unix_ns,
    t.ts_recv AS ts_recv,
    CASE WHEN (t.ts_recv, t.ts_recv_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_recv) * 1000000)::BIGINT * 1000 + t.ts_recv_ns END AS ts_recv_unix_ns,
    t.ts_ref AS ts_ref,
    CASE WHEN (t.ts_ref, t.ts_ref_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_ref) * 1000000)::BIGINT * 1000 + t.ts_ref_ns END AS ts_ref_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.price AS price,
    t.price::FLOAT8 AS price_float,
    t.quantity AS quantity,
    t.sequence AS sequence,
    t.ts_in_delta AS ts_in_delta,
    t.stat_type AS stat_type,
    coalesce(s.name, t.stat_type::TEXT) AS stat_name,
    t.channel_id AS channel_id,
    t.update_action AS update_action,
    t.stat_flags AS stat_flags,
    t.chunk_id AS chunk_id,
    t.ordinal AS ordinal
FROM public.statistics_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_recv AT TIME ZONE 'UTC')::DATE
LEFT JOIN public.stat_types s ON s.stat_type = t.stat_type
--------
COMMENT ON VIEW market.statistics IS 'Statistics of venues, with their whole history; statistics_current has the latest values. With names, for people.'
--------
COMMENT ON COLUMN market.statistics.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.statistics.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.statistics.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.statistics.ts_event IS 'When the venue sent it, UTC.'
--------
COMMENT ON COLUMN market.statistics.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.statistics.ts_recv IS 'When the capture server received it: the index timestamp.'
--------
COMMENT ON COLUMN market.statistics.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.statistics.ts_ref IS 'What time the statistic is about, UTC.'
--------
COMMENT ON COLUMN market.statistics.ts_ref_unix_ns IS 'ts_ref, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.statistics.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.statistics.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.statistics.price IS 'Value of statistics that are prices, exact at 1e-9.'
--------
COMMENT ON COLUMN market.statistics.price_float IS 'price as a float, which has 15 digits; price is exact.'
--------
COMMENT ON COLUMN market.statistics.quantity IS 'Value of statistics that are quantities.'
--------
COMMENT ON COLUMN market.statistics.sequence IS 'The venue''s message sequence number.'
--------
COMMENT ON COLUMN market.statistics.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.'
--------
COMMENT ON COLUMN market.statistics.stat_type IS 'What the statistic is: 1 opening price, 3 settlement, 9 open interest …; table stat_types names them.'
--------
COMMENT ON COLUMN market.statistics.stat_name IS 'Name of the stat_type; its number where it is not known.'
--------
COMMENT ON COLUMN market.statistics.channel_id IS 'The venue''s channel.'
--------
COMMENT ON COLUMN market.statistics.update_action IS '1 new, 2 delete.'
--------
COMMENT ON COLUMN market.statistics.stat_flags IS 'Bit field of the venue, by stat_type.'
--------
COMMENT ON COLUMN market.statistics.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN market.statistics.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.'
--------
GRANT SELECT ON market.statistics TO hdi_worker, hdi_reader
--------
CREATE VIEW market.definitions AS
SELECT
    n.symbol AS symbol,
    p.dataset AS dataset,
    p.venue AS venue,
    t.ts_event AS ts_event,
    CASE WHEN (t.ts_event, t.ts_event_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_event) * 1000000)::BIGINT * 1000 + t.ts_event_ns END AS ts_event_unix_ns,
    t.ts_recv AS ts_recv,
    CASE WHEN (t.ts_recv, t.ts_recv_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.ts_recv) * 1000000)::BIGINT * 1000 + t.ts_recv_ns END AS ts_recv_unix_ns,
    t.expiration AS expiration,
    CASE WHEN (t.expiration, t.expiration_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.expiration) * 1000000)::BIGINT * 1000 + t.expiration_ns END AS expiration_unix_ns,
    t.activation AS activation,
    CASE WHEN (t.activation, t.activation_ns) <= (TIMESTAMPTZ '2262-04-11 23:47:16.854775+00', 807)
         THEN (extract(epoch FROM t.activation) * 1000000)::BIGINT * 1000 + t.activation_ns END AS activation_unix_ns,
    t.instrument_id AS instrument_id,
    t.publisher_id AS publisher_id,
    t.min_price_increment AS min_price_increment,
    t.min_price_increment::FLOAT8 AS min_price_increment_float,
    t.display_factor AS display_factor,
    t.display_factor::FLOAT8 AS display_factor_float,
    t.high_limit_price AS high_limit_price,
    t.high_limit_price::FLOAT8 AS high_limit_price_float,
    t.low_limit_price AS low_limit_price,
    t.low_limit_price::FLOAT8 AS low_limit_price_float,
    t.max_price_variation AS max_price_variation,
    t.max_price_variation::FLOAT8 AS max_price_variation_float,
    t.unit_of_measure_qty AS unit_of_measure_qty,
    t.unit_of_measure_qty::FLOAT8 AS unit_of_measure_qty_float,
    t.min_price_increment_amount AS min_price_increment_amount,
    t.min_price_increment_amount::FLOAT8 AS min_price_increment_amount_float,
    t.price_ratio AS price_ratio,
    t.price_ratio::FLOAT8 AS price_ratio_float,
    t.strike_price AS strike_price,
    t.strike_price::FLOAT8 AS strike_price_float,
    t.leg_price AS leg_price,
    t.leg_price::FLOAT8 AS leg_price_float,
    t.leg_delta AS leg_delta,
    t.leg_delta::FLOAT8 AS leg_delta_float,
    t.trading_reference_price AS trading_reference_price,
    t.trading_reference_price::FLOAT8 AS trading_reference_price_float,
    t.underlying_id AS underlying_id,
    t.market_segment_id AS market_segment_id,
    t.max_trade_vol AS max_trade_vol,
    t.min_trade_vol AS min_trade_vol,
    t.leg_instrument_id AS leg_instrument_id,
    t.leg_underlying_id AS leg_underlying_id,
    t.inst_attrib_value AS inst_attrib_value,
    t.market_depth_implied AS market_depth_implied,
    t.market_depth AS market_depth,
    t.min_lot_size AS min_lot_size,
    t.min_lot_size_block AS min_lot_size_block,
    t.min_lot_size_round_lot AS min_lot_size_round_lot,
    t.contract_multiplier AS contract_multiplier,
    t.decay_quantity AS decay_quantity,
    t.original_contract_size AS original_contract_size,
    t.leg_ratio_price_numerator AS leg_ratio_price_numerator,
    t.leg_ratio_price_denominator AS leg_ratio_price_denominator,
    t.leg_ratio_qty_numerator AS leg_ratio_qty_numerator,
    t.leg_ratio_qty_denominator AS leg_ratio_qty_denominator,
    t.maturity_year AS maturity_year,
    t.decay_start_date AS decay_start_date,
    t.channel_id AS channel_id,
    t.leg_count AS leg_count,
    t.leg_index AS leg_index,
    t.trading_reference_date AS trading_reference_date,
    t.appl_id AS appl_id,
    t.rtype AS rtype,
    t.main_fraction AS main_fraction,
    t.price_display_format AS price_display_format,
    t.sub_fraction AS sub_fraction,
    t.underlying_product AS underlying_product,
    t.maturity_month AS maturity_month,
    t.maturity_day AS maturity_day,
    t.maturity_week AS maturity_week,
    t.tick_rule AS tick_rule,
    t.contract_multiplier_unit AS contract_multiplier_unit,
    t.flow_schedule_type AS flow_schedule_type,
    t.md_security_trading_status AS md_security_trading_status,
    t.settl_price_type AS settl_price_type,
    t.raw_instrument_id AS raw_instrument_id,
    t.security_update_action AS security_update_action,
    t.instrument_class AS instrument_class,
    t.match_algorithm AS match_algorithm,
    t.user_defined_instrument AS user_defined_instrument,
    t.leg_instrument_class AS leg_instrument_class,
    t.leg_side AS leg_side,
    t.raw_symbol AS raw_symbol,
    t.security_group AS security_group,
    t.exchange AS exchange,
    t.asset AS asset,
    t.cfi AS cfi,
    t.security_type AS security_type,
    t.unit_of_measure AS unit_of_measure,
    t.underlying AS underlying,
    t.currency AS currency,
    t.settl_currency AS settl_currency,
    t.secsubtype AS secsubtype,
    t.strike_price_currency AS strike_price_currency,
    t.leg_raw_symbol AS leg_raw_symbol,
    t.chunk_id AS chunk_id,
    t.ordinal AS ordinal
FROM public.definitions_data t
LEFT JOIN public.publishers p ON p.publisher_id = t.publisher_id
LEFT JOIN ingest.symbol_names n
  ON n.dataset = p.dataset AND n.instrument_id = t.instrument_id
 AND n.days @> (t.ts_recv AT TIME ZONE 'UTC')::DATE
--------
COMMENT ON VIEW market.definitions IS 'Instrument definitions as delivered; definitions_at(time) has those in force. With names, for people.'
--------
COMMENT ON COLUMN market.definitions.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.'
--------
COMMENT ON COLUMN market.definitions.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.'
--------
COMMENT ON COLUMN market.definitions.venue IS 'Venue of the publisher; NULL where it is not known.'
--------
COMMENT ON COLUMN market.definitions.ts_event IS 'When the venue sent it, UTC; 1970 where a venue''s snapshot has no time.'
--------
COMMENT ON COLUMN market.definitions.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.definitions.ts_recv IS 'When the capture server received it: the index timestamp.'
--------
COMMENT ON COLUMN market.definitions.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.definitions.expiration IS 'Last moment at which it can be traded, UTC.'
--------
COMMENT ON COLUMN market.definitions.expiration_unix_ns IS 'expiration, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.definitions.activation IS 'First moment at which it can be traded, UTC.'
--------
COMMENT ON COLUMN market.definitions.activation_unix_ns IS 'activation, whole nanoseconds since 1970; NULL after 2262-04-11.'
--------
COMMENT ON COLUMN market.definitions.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN market.definitions.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN market.definitions.min_price_increment IS 'Tick: smallest step of the price; NULL where it varies.'
--------
COMMENT ON COLUMN market.definitions.min_price_increment_float IS 'min_price_increment as a float, which has 15 digits; min_price_increment is exact.'
--------
COMMENT ON COLUMN market.definitions.display_factor IS 'Multiplier from the venue''s price to the displayed one.'
--------
COMMENT ON COLUMN market.definitions.display_factor_float IS 'display_factor as a float, which has 15 digits; display_factor is exact.'
--------
COMMENT ON COLUMN market.definitions.high_limit_price IS 'Highest price allowed on the trading day.'
--------
COMMENT ON COLUMN market.definitions.high_limit_price_float IS 'high_limit_price as a float, which has 15 digits; high_limit_price is exact.'
--------
COMMENT ON COLUMN market.definitions.low_limit_price IS 'Lowest price allowed on the trading day.'
--------
COMMENT ON COLUMN market.definitions.low_limit_price_float IS 'low_limit_price as a float, which has 15 digits; low_limit_price is exact.'
--------
COMMENT ON COLUMN market.definitions.max_price_variation IS 'Largest price move allowed.'
--------
COMMENT ON COLUMN market.definitions.max_price_variation_float IS 'max_price_variation as a float, which has 15 digits; max_price_variation is exact.'
--------
COMMENT ON COLUMN market.definitions.unit_of_measure_qty IS 'Contract size, in units of unit_of_measure.'
--------
COMMENT ON COLUMN market.definitions.unit_of_measure_qty_float IS 'unit_of_measure_qty as a float, which has 15 digits; unit_of_measure_qty is exact.'
--------
COMMENT ON COLUMN market.definitions.min_price_increment_amount IS 'Value of one tick, in currency.'
--------
COMMENT ON COLUMN market.definitions.min_price_increment_amount_float IS 'min_price_increment_amount as a float, which has 15 digits; min_price_increment_amount is exact.'
--------
COMMENT ON COLUMN market.definitions.price_ratio IS 'Ratio of prices in a spread.'
--------
COMMENT ON COLUMN market.definitions.price_ratio_float IS 'price_ratio as a float, which has 15 digits; price_ratio is exact.'
--------
COMMENT ON COLUMN market.definitions.strike_price IS 'Strike of an option.'
--------
COMMENT ON COLUMN market.definitions.strike_price_float IS 'strike_price as a float, which has 15 digits; strike_price is exact.'
--------
COMMENT ON COLUMN market.definitions.leg_price IS 'Price of the leg.'
--------
COMMENT ON COLUMN market.definitions.leg_price_float IS 'leg_price as a float, which has 15 digits; leg_price is exact.'
--------
COMMENT ON COLUMN market.definitions.leg_delta IS 'Delta of the leg, at 1e-9.'
--------
COMMENT ON COLUMN market.definitions.leg_delta_float IS 'leg_delta as a float, which has 15 digits; leg_delta is exact.'
--------
COMMENT ON COLUMN market.definitions.trading_reference_price IS 'Reference price; DBN 1 and 2 only.'
--------
COMMENT ON COLUMN market.definitions.trading_reference_price_float IS 'trading_reference_price as a float, which has 15 digits; trading_reference_price is exact.'
--------
COMMENT ON COLUMN market.definitions.underlying_id IS 'instrument_id of the first underlying; 0 where it has none.'
--------
COMMENT ON COLUMN market.definitions.market_segment_id IS 'The venue''s market segment.'
--------
COMMENT ON COLUMN market.definitions.max_trade_vol IS 'Largest trade volume, contracts or shares.'
--------
COMMENT ON COLUMN market.definitions.min_trade_vol IS 'Smallest trade volume, contracts or shares.'
--------
COMMENT ON COLUMN market.definitions.leg_instrument_id IS 'instrument_id of the leg; 0 where it is no leg.'
--------
COMMENT ON COLUMN market.definitions.leg_underlying_id IS 'instrument_id of the leg''s underlying; 0 where it has none.'
--------
COMMENT ON COLUMN market.definitions.inst_attrib_value IS 'Bit field of eligibility, by venue.'
--------
COMMENT ON COLUMN market.definitions.market_depth_implied IS 'Levels of the implied book.'
--------
COMMENT ON COLUMN market.definitions.market_depth IS 'Levels of the book.'
--------
COMMENT ON COLUMN market.definitions.min_lot_size IS 'Smallest lot, contracts or shares.'
--------
COMMENT ON COLUMN market.definitions.min_lot_size_block IS 'Smallest block lot.'
--------
COMMENT ON COLUMN market.definitions.min_lot_size_round_lot IS 'Smallest round lot.'
--------
COMMENT ON COLUMN market.definitions.contract_multiplier IS 'Deliverables per contract.'
--------
COMMENT ON COLUMN market.definitions.decay_quantity IS 'Contract quantity that decays each day.'
--------
COMMENT ON COLUMN market.definitions.original_contract_size IS 'Contract size before it decays.'
--------
COMMENT ON COLUMN market.definitions.leg_ratio_price_numerator IS 'Numerator of the leg''s price ratio.'
--------
COMMENT ON COLUMN market.definitions.leg_ratio_price_denominator IS 'Denominator of the leg''s price ratio.'
--------
COMMENT ON COLUMN market.definitions.leg_ratio_qty_numerator IS 'Numerator of the leg''s quantity ratio.'
--------
COMMENT ON COLUMN market.definitions.leg_ratio_qty_denominator IS 'Denominator of the leg''s quantity ratio.'
--------
COMMENT ON COLUMN market.definitions.maturity_year IS 'Year of maturity.'
--------
COMMENT ON COLUMN market.definitions.decay_start_date IS 'When the contract begins to decay: a number of the venue, no date.'
--------
COMMENT ON COLUMN market.definitions.channel_id IS 'The venue''s channel.'
--------
COMMENT ON COLUMN market.definitions.leg_count IS 'Legs of the strategy; 0 for an outright.'
--------
COMMENT ON COLUMN market.definitions.leg_index IS 'Which of the legs this record tells of, from 0.'
--------
COMMENT ON COLUMN market.definitions.trading_reference_date IS 'Date of the reference price, days since 1970; DBN 1 and 2 only.'
--------
COMMENT ON COLUMN market.definitions.appl_id IS 'The venue''s channel as it was numbered before.'
--------
COMMENT ON COLUMN market.definitions.rtype IS 'DBN record type, 19.'
--------
COMMENT ON COLUMN market.definitions.main_fraction IS 'Denominator of the main price fraction.'
--------
COMMENT ON COLUMN market.definitions.price_display_format IS 'Digits right of the price''s tick mark.'
--------
COMMENT ON COLUMN market.definitions.sub_fraction IS 'Denominator of the sub-fraction.'
--------
COMMENT ON COLUMN market.definitions.underlying_product IS 'The venue''s product complex.'
--------
COMMENT ON COLUMN market.definitions.maturity_month IS 'Month of maturity, 1 to 12.'
--------
COMMENT ON COLUMN market.definitions.maturity_day IS 'Day of maturity.'
--------
COMMENT ON COLUMN market.definitions.maturity_week IS 'Week of maturity.'
--------
COMMENT ON COLUMN market.definitions.tick_rule IS 'Table of price increments, by venue.'
--------
COMMENT ON COLUMN market.definitions.contract_multiplier_unit IS 'Whether contracts are counted in hours or days.'
--------
COMMENT ON COLUMN market.definitions.flow_schedule_type IS 'Schedule of delivery (electricity).'
--------
COMMENT ON COLUMN market.definitions.md_security_trading_status IS 'Trading status; DBN 1 and 2 only.'
--------
COMMENT ON COLUMN market.definitions.settl_price_type IS 'Bit field about the settlement price; DBN 1 and 2 only.'
--------
COMMENT ON COLUMN market.definitions.raw_instrument_id IS 'The venue''s own number of the instrument, which may be wider than instrument_id.'
--------
COMMENT ON COLUMN market.definitions.security_update_action IS 'A added, M modified, D deleted.'
--------
COMMENT ON COLUMN market.definitions.instrument_class IS 'B bond, C call, F future, K stock, M mixed spread, P put, S future spread, T option spread, X FX spot, Y commodity spot.'
--------
COMMENT ON COLUMN market.definitions.match_algorithm IS 'How orders are matched, e.g. F first in first out; may be a blank.'
--------
COMMENT ON COLUMN market.definitions.user_defined_instrument IS 'Y where a user defined it, N otherwise.'
--------
COMMENT ON COLUMN market.definitions.leg_instrument_class IS 'instrument_class of the leg.'
--------
COMMENT ON COLUMN market.definitions.leg_side IS 'Side of the leg when the strategy is bought: A sell, B buy, N none.'
--------
COMMENT ON COLUMN market.definitions.raw_symbol IS 'Symbol as the venue spells it.'
--------
COMMENT ON COLUMN market.definitions.security_group IS 'Security group (field `group` of DBN).'
--------
COMMENT ON COLUMN market.definitions.exchange IS 'MIC or code of the exchange.'
--------
COMMENT ON COLUMN market.definitions.asset IS 'Product code, e.g. ES.'
--------
COMMENT ON COLUMN market.definitions.cfi IS 'ISO 10962 classification.'
--------
COMMENT ON COLUMN market.definitions.security_type IS 'Type of security, e.g. FUT.'
--------
COMMENT ON COLUMN market.definitions.unit_of_measure IS 'Unit of the contract''s size.'
--------
COMMENT ON COLUMN market.definitions.underlying IS 'Symbol of the first underlying.'
--------
COMMENT ON COLUMN market.definitions.currency IS 'Currency of the price.'
--------
COMMENT ON COLUMN market.definitions.settl_currency IS 'Currency of settlement.'
--------
COMMENT ON COLUMN market.definitions.secsubtype IS 'Kind of strategy.'
--------
COMMENT ON COLUMN market.definitions.strike_price_currency IS 'Currency of the strike.'
--------
COMMENT ON COLUMN market.definitions.leg_raw_symbol IS 'Symbol of the leg.'
--------
COMMENT ON COLUMN market.definitions.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN market.definitions.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.'
--------
GRANT SELECT ON market.definitions TO hdi_worker, hdi_reader
