-- Record tables, generated from the Tables by ingestor.store.schema; a test compares both.
CREATE TABLE public.daily_ohlcv_data (
    ts_event TIMESTAMPTZ NOT NULL,
    instrument_id BIGINT NOT NULL,
    volume BIGINT NOT NULL,
    trade_count BIGINT,
    open_price NUMERIC,
    high_price NUMERIC,
    low_price NUMERIC,
    close_price NUMERIC,
    vwap NUMERIC,
    chunk_id INTEGER NOT NULL,
    publisher_id INTEGER NOT NULL,
    granularity TEXT NOT NULL,
    data_source TEXT NOT NULL,
    CONSTRAINT daily_ohlcv_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id)
)
--------
CREATE TABLE public.ohlcv_1h_data (
    ts_event TIMESTAMPTZ NOT NULL,
    instrument_id BIGINT NOT NULL,
    volume BIGINT NOT NULL,
    trade_count BIGINT,
    open_price NUMERIC,
    high_price NUMERIC,
    low_price NUMERIC,
    close_price NUMERIC,
    vwap NUMERIC,
    chunk_id INTEGER NOT NULL,
    publisher_id INTEGER NOT NULL,
    granularity TEXT NOT NULL,
    data_source TEXT NOT NULL,
    CONSTRAINT ohlcv_1h_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id)
)
--------
CREATE TABLE public.ohlcv_1m_data (
    ts_event TIMESTAMPTZ NOT NULL,
    instrument_id BIGINT NOT NULL,
    volume BIGINT NOT NULL,
    trade_count BIGINT,
    open_price NUMERIC,
    high_price NUMERIC,
    low_price NUMERIC,
    close_price NUMERIC,
    vwap NUMERIC,
    chunk_id INTEGER NOT NULL,
    publisher_id INTEGER NOT NULL,
    granularity TEXT NOT NULL,
    data_source TEXT NOT NULL,
    CONSTRAINT ohlcv_1m_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id)
)
--------
CREATE TABLE public.ohlcv_1s_data (
    ts_event TIMESTAMPTZ NOT NULL,
    instrument_id BIGINT NOT NULL,
    volume BIGINT NOT NULL,
    trade_count BIGINT,
    open_price NUMERIC,
    high_price NUMERIC,
    low_price NUMERIC,
    close_price NUMERIC,
    vwap NUMERIC,
    chunk_id INTEGER NOT NULL,
    publisher_id INTEGER NOT NULL,
    granularity TEXT NOT NULL,
    data_source TEXT NOT NULL,
    CONSTRAINT ohlcv_1s_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id)
)
--------
CREATE TABLE public.trades_data (
    ts_event TIMESTAMPTZ NOT NULL,
    ts_recv TIMESTAMPTZ NOT NULL,
    instrument_id BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    size BIGINT,
    price NUMERIC,
    ts_in_delta INTEGER NOT NULL,
    chunk_id INTEGER NOT NULL,
    publisher_id INTEGER NOT NULL,
    ordinal SMALLINT NOT NULL,
    ts_event_ns SMALLINT NOT NULL,
    ts_recv_ns SMALLINT NOT NULL,
    flags SMALLINT NOT NULL,
    depth SMALLINT NOT NULL,
    action TEXT,
    side TEXT,
    CONSTRAINT trades_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal)
)
--------
CREATE VIEW public.ohlcv_data AS
SELECT ts_event, instrument_id, volume, trade_count, open_price, high_price, low_price, close_price, vwap, chunk_id, publisher_id, granularity, data_source FROM public.daily_ohlcv_data
UNION ALL
SELECT ts_event, instrument_id, volume, trade_count, open_price, high_price, low_price, close_price, vwap, chunk_id, publisher_id, granularity, data_source FROM public.ohlcv_1h_data
UNION ALL
SELECT ts_event, instrument_id, volume, trade_count, open_price, high_price, low_price, close_price, vwap, chunk_id, publisher_id, granularity, data_source FROM public.ohlcv_1m_data
UNION ALL
SELECT ts_event, instrument_id, volume, trade_count, open_price, high_price, low_price, close_price, vwap, chunk_id, publisher_id, granularity, data_source FROM public.ohlcv_1s_data
--------
COMMENT ON COLUMN public.daily_ohlcv_data.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN public.daily_ohlcv_data.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN public.ohlcv_1h_data.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN public.ohlcv_1m_data.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.ts_event IS 'Start of the bar, UTC.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.volume IS 'Contracts or shares traded in the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.trade_count IS 'Trades in the bar; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.open_price IS 'First price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.high_price IS 'Highest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.low_price IS 'Lowest price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.close_price IS 'Last price of the bar.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.vwap IS 'Volume-weighted average price; NULL where the source has none.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.'
--------
COMMENT ON COLUMN public.ohlcv_1s_data.data_source IS 'Where the bar came from: databento, or csv:NAME.'
--------
COMMENT ON COLUMN public.trades_data.ts_event IS 'When the venue''s matching engine made the trade, UTC.'
--------
COMMENT ON COLUMN public.trades_data.ts_recv IS 'When the capture server received it: the index timestamp.'
--------
COMMENT ON COLUMN public.trades_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.'
--------
COMMENT ON COLUMN public.trades_data.sequence IS 'The venue''s message sequence number.'
--------
COMMENT ON COLUMN public.trades_data.size IS 'Contracts or shares.'
--------
COMMENT ON COLUMN public.trades_data.price IS 'Price, exact at 1e-9.'
--------
COMMENT ON COLUMN public.trades_data.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.'
--------
COMMENT ON COLUMN public.trades_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.'
--------
COMMENT ON COLUMN public.trades_data.publisher_id IS 'Dataset and venue, see table publishers.'
--------
COMMENT ON COLUMN public.trades_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.'
--------
COMMENT ON COLUMN public.trades_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.'
--------
COMMENT ON COLUMN public.trades_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.'
--------
COMMENT ON COLUMN public.trades_data.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.'
--------
COMMENT ON COLUMN public.trades_data.depth IS 'Book level of the event.'
--------
COMMENT ON COLUMN public.trades_data.action IS 'Event action, T for a trade.'
--------
COMMENT ON COLUMN public.trades_data.side IS 'Side of the aggressor: A ask, B bid, N none.'
