-- Three roles: the owner migrates, the worker writes rows, the reader reads. Roles belong to the
-- whole server, so another database of it may have made them, even at this very moment.
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hdi_worker') THEN
        CREATE ROLE hdi_worker NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
--------
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'hdi_reader') THEN
        CREATE ROLE hdi_reader NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
--------
GRANT USAGE ON SCHEMA ingest, public TO hdi_worker, hdi_reader
--------
GRANT SELECT ON ALL TABLES IN SCHEMA ingest TO hdi_worker, hdi_reader
--------
GRANT SELECT ON public.daily_ohlcv_data, public.ohlcv_1h_data, public.ohlcv_1m_data,
    public.ohlcv_1s_data, public.trades_data, public.ohlcv_data, public.publishers,
    public.symbol_mappings TO hdi_worker, hdi_reader
--------
GRANT INSERT, UPDATE, DELETE ON public.daily_ohlcv_data, public.ohlcv_1h_data,
    public.ohlcv_1m_data, public.ohlcv_1s_data, public.trades_data TO hdi_worker
--------
GRANT INSERT ON public.publishers, ingest.jobs, ingest.requests, ingest.symbol_groups,
    ingest.payloads, ingest.chunks, ingest.leases, ingest.attempts, ingest.supersessions,
    ingest.dead_letters, ingest.quarantine, ingest.coverage, ingest.workers,
    ingest.symbol_intervals, ingest.meta TO hdi_worker
--------
GRANT UPDATE ON ingest.jobs, ingest.chunks, ingest.leases, ingest.dead_letters, ingest.coverage,
    ingest.workers, ingest.symbol_intervals, ingest.meta TO hdi_worker
--------
GRANT DELETE ON ingest.leases, ingest.quarantine, ingest.workers TO hdi_worker
--------
DO $$ BEGIN
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO hdi_worker', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO hdi_worker, hdi_reader', current_database());
END $$
