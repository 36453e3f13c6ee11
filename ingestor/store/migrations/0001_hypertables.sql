-- Only where TimescaleDB is there.
SELECT create_hypertable('public.daily_ohlcv_data', by_range('ts_event', INTERVAL '1825 days'), create_default_indexes => false)
--------
SELECT create_hypertable('public.ohlcv_1h_data', by_range('ts_event', INTERVAL '365 days'), create_default_indexes => false)
--------
SELECT create_hypertable('public.ohlcv_1m_data', by_range('ts_event', INTERVAL '90 days'), create_default_indexes => false)
--------
SELECT create_hypertable('public.ohlcv_1s_data', by_range('ts_event', INTERVAL '7 days'), create_default_indexes => false)
--------
SELECT create_hypertable('public.trades_data', by_range('ts_event', :trades_interval), create_default_indexes => false)
