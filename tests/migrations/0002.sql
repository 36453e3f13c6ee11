-- The schema that migration 0002 leaves, frozen: what installations of that version hold.
-- Made by tests/migrations/freeze.py from a database of plain PostgreSQL; once released it is never
-- edited, a later migration freezes a file of its own.

CREATE SCHEMA ingest;

COMMENT ON SCHEMA ingest IS 'Hist Data Ingestor: the ledger of jobs, chunks and what they proved';

CREATE TABLE ingest.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE ingest.attempts (
    attempt_id bigint NOT NULL,
    chunk_id integer NOT NULL,
    fence integer NOT NULL,
    attempt integer NOT NULL,
    worker text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    outcome text NOT NULL,
    error_code text,
    error_text text,
    CONSTRAINT attempts_error_text_check CHECK ((octet_length(error_text) <= 2048)),
    CONSTRAINT attempts_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'completed_empty'::text, 'retrying'::text, 'deferred'::text, 'failed'::text, 'lost'::text, 'handed_back'::text, 'cancelled'::text])))
);

ALTER TABLE ingest.attempts ALTER COLUMN attempt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.attempts_attempt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.chunks (
    chunk_id integer NOT NULL,
    job_id uuid NOT NULL,
    request_id integer NOT NULL,
    symbol_group_id integer NOT NULL,
    start_ns numeric(20,0) NOT NULL,
    end_ns numeric(20,0) NOT NULL,
    last_slice boolean DEFAULT true NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    fence integer DEFAULT 0 NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer NOT NULL,
    lost_count integer DEFAULT 0 NOT NULL,
    deferrals integer DEFAULT 0 NOT NULL,
    first_deferred_at timestamp with time zone,
    not_before timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    enqueued_at timestamp with time zone,
    dispatch_count integer DEFAULT 0 NOT NULL,
    expected bigint,
    index_min numeric(20,0),
    index_max numeric(20,0),
    event_min numeric(20,0),
    event_max numeric(20,0),
    payload_id integer,
    predecessors integer[] DEFAULT '{}'::integer[] NOT NULL,
    partial text DEFAULT ''::text NOT NULL,
    receipt jsonb,
    error_code text,
    error_text text,
    finished_at timestamp with time zone,
    CONSTRAINT chunks_adds_up CHECK (((receipt IS NULL) OR COALESCE((((receipt ->> 'fetched'::text))::bigint = ((((receipt ->> 'stored'::text))::bigint + ((receipt ->> 'quarantined'::text))::bigint) + ((receipt ->> 'already_stored'::text))::bigint)), false))),
    CONSTRAINT chunks_attempt_check CHECK ((attempt >= 0)),
    CONSTRAINT chunks_claimed CHECK (((state <> 'in_progress'::text) OR ((fence > 0) AND (attempt > 0)))),
    CONSTRAINT chunks_deferrals_check CHECK ((deferrals >= 0)),
    CONSTRAINT chunks_deferred CHECK (((deferrals > 0) = (first_deferred_at IS NOT NULL))),
    CONSTRAINT chunks_empty CHECK (((receipt IS NULL) OR COALESCE(((state = 'completed_empty'::text) = (((receipt ->> 'fetched'::text))::bigint = 0)), false))),
    CONSTRAINT chunks_error_text_check CHECK ((octet_length(error_text) <= 2048)),
    CONSTRAINT chunks_expected_check CHECK ((expected >= 0)),
    CONSTRAINT chunks_failure CHECK (((state <> 'failed'::text) OR (error_code IS NOT NULL))),
    CONSTRAINT chunks_fence_check CHECK ((fence >= 0)),
    CONSTRAINT chunks_final CHECK (((state = ANY (ARRAY['completed'::text, 'completed_empty'::text, 'failed'::text, 'cancelled'::text])) = (finished_at IS NOT NULL))),
    CONSTRAINT chunks_lost_count_check CHECK ((lost_count >= 0)),
    CONSTRAINT chunks_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT chunks_queued CHECK (((state <> 'queued'::text) OR (enqueued_at IS NOT NULL))),
    CONSTRAINT chunks_range CHECK ((end_ns > start_ns)),
    CONSTRAINT chunks_receipt CHECK (((state = ANY (ARRAY['completed'::text, 'completed_empty'::text])) = (receipt IS NOT NULL))),
    CONSTRAINT chunks_start_ns_check CHECK ((start_ns >= (0)::numeric)),
    CONSTRAINT chunks_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'queued'::text, 'in_progress'::text, 'retrying'::text, 'completed'::text, 'completed_empty'::text, 'failed'::text, 'cancelled'::text])))
)
WITH (fillfactor='70');

ALTER TABLE ingest.chunks ALTER COLUMN chunk_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.chunks_chunk_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.coverage (
    dataset text NOT NULL,
    schema text NOT NULL,
    stype_in text NOT NULL,
    symbol text NOT NULL,
    days datemultirange NOT NULL
);

COMMENT ON TABLE ingest.coverage IS 'Whole UTC days held per symbol, merged; symbol * is a request for all symbols';

CREATE TABLE ingest.dead_letters (
    dead_letter_id integer NOT NULL,
    chunk_id integer NOT NULL,
    job_id uuid NOT NULL,
    fence integer NOT NULL,
    attempts integer NOT NULL,
    error_code text NOT NULL,
    error_text text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    resolved_at timestamp with time zone,
    resolution text,
    CONSTRAINT dead_letters_error_text_check CHECK ((octet_length(error_text) <= 2048)),
    CONSTRAINT dead_letters_resolution_check CHECK ((resolution = ANY (ARRAY['retried'::text, 'discarded'::text]))),
    CONSTRAINT dead_letters_resolved CHECK (((resolution IS NULL) = (resolved_at IS NULL)))
);

ALTER TABLE ingest.dead_letters ALTER COLUMN dead_letter_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.dead_letters_dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.jobs (
    job_id uuid NOT NULL,
    name text NOT NULL,
    idempotency_key text NOT NULL,
    source text NOT NULL,
    spec jsonb NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    priority smallint DEFAULT 1 NOT NULL,
    paused boolean DEFAULT false NOT NULL,
    chunk_count integer NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    cancel_requested_at timestamp with time zone,
    counts jsonb,
    quoted_usd numeric,
    CONSTRAINT jobs_chunk_count_check CHECK ((chunk_count >= 0)),
    CONSTRAINT jobs_counts CHECK (((counts IS NOT NULL) = (finished_at IS NOT NULL))),
    CONSTRAINT jobs_final CHECK (((state = ANY (ARRAY['pending'::text, 'running'::text])) = (finished_at IS NULL))),
    CONSTRAINT jobs_priority_check CHECK (((priority >= 0) AND (priority <= 2))),
    CONSTRAINT jobs_quoted_usd_check CHECK ((quoted_usd >= (0)::numeric)),
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'completed_with_failures'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON COLUMN ingest.jobs.quoted_usd IS 'US dollars the provider said it costs, before anything was fetched; null where nothing is bought';

CREATE TABLE ingest.leases (
    chunk_id integer NOT NULL,
    fence integer NOT NULL,
    worker text NOT NULL,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    lease_until timestamp with time zone NOT NULL,
    rows bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE ingest.meta (
    key text NOT NULL,
    value jsonb NOT NULL,
    set_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE ingest.payloads (
    payload_id integer NOT NULL,
    uri text NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    realm text,
    CONSTRAINT payloads_realm_check CHECK ((realm = ANY (ARRAY['real'::text, 'simulated'::text]))),
    CONSTRAINT payloads_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT payloads_size_check CHECK ((size >= 0))
);

COMMENT ON COLUMN ingest.payloads.realm IS 'Kind of gateway it came from; null for files';

ALTER TABLE ingest.payloads ALTER COLUMN payload_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.payloads_payload_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.quarantine (
    quarantine_id bigint NOT NULL,
    chunk_id integer NOT NULL,
    "position" bigint NOT NULL,
    raw bytea NOT NULL,
    rule text NOT NULL,
    field text NOT NULL,
    value text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT quarantine_position_check CHECK (("position" >= 0))
);

ALTER TABLE ingest.quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.requests (
    request_id integer NOT NULL,
    job_id uuid NOT NULL,
    dataset text NOT NULL,
    schema text NOT NULL,
    stype_in text NOT NULL,
    symbol_group_id integer NOT NULL,
    start_ns numeric(20,0) NOT NULL,
    end_ns numeric(20,0) NOT NULL,
    CONSTRAINT requests_range CHECK ((end_ns > start_ns)),
    CONSTRAINT requests_start_ns_check CHECK ((start_ns >= (0)::numeric))
);

ALTER TABLE ingest.requests ALTER COLUMN request_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.requests_request_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.supersessions (
    old_chunk integer NOT NULL,
    new_chunk integer NOT NULL,
    rows bigint NOT NULL,
    kind text NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT supersessions_kind_check CHECK ((kind = ANY (ARRAY['corrected'::text, 'removed'::text]))),
    CONSTRAINT supersessions_rows_check CHECK ((rows > 0))
);

CREATE TABLE ingest.symbol_groups (
    symbol_group_id integer NOT NULL,
    hash text NOT NULL,
    symbols text[] NOT NULL
);

ALTER TABLE ingest.symbol_groups ALTER COLUMN symbol_group_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.symbol_groups_symbol_group_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.symbol_intervals (
    dataset text NOT NULL,
    stype_in text NOT NULL,
    symbol text NOT NULL,
    stype_out text NOT NULL,
    instrument_id bigint NOT NULL,
    days datemultirange NOT NULL,
    source text NOT NULL,
    CONSTRAINT symbol_intervals_instrument_id_check CHECK (((instrument_id >= 0) AND (instrument_id <= '4294967295'::bigint)))
);

CREATE TABLE ingest.workers (
    worker text NOT NULL,
    role text NOT NULL,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    vault_id text,
    chunk_id integer,
    started_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    last_seen timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT workers_role_check CHECK ((role = ANY (ARRAY['worker'::text, 'scheduler'::text])))
);

CREATE VIEW public.continuous_rolls AS
 SELECT symbol_intervals.dataset,
    symbol_intervals.symbol,
    symbol_intervals.instrument_id,
    lower(day_range.day_range) AS valid_from,
    upper(day_range.day_range) AS valid_to
   FROM ingest.symbol_intervals,
    LATERAL unnest(symbol_intervals.days) day_range(day_range)
  WHERE ((symbol_intervals.stype_in = 'continuous'::text) AND (symbol_intervals.stype_out = 'instrument_id'::text));

COMMENT ON VIEW public.continuous_rolls IS 'Which instrument a continuous symbol (ES.c.0) stood for, and on which days (end exclusive)';

CREATE TABLE public.daily_ohlcv_data (
    ts_event timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    volume bigint NOT NULL,
    trade_count bigint,
    open_price numeric,
    high_price numeric,
    low_price numeric,
    close_price numeric,
    vwap numeric,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    granularity text NOT NULL,
    data_source text NOT NULL
);

COMMENT ON COLUMN public.daily_ohlcv_data.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN public.daily_ohlcv_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.daily_ohlcv_data.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN public.daily_ohlcv_data.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN public.daily_ohlcv_data.open_price IS 'First price of the bar.';

COMMENT ON COLUMN public.daily_ohlcv_data.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN public.daily_ohlcv_data.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN public.daily_ohlcv_data.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN public.daily_ohlcv_data.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN public.daily_ohlcv_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.daily_ohlcv_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.daily_ohlcv_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN public.daily_ohlcv_data.data_source IS 'Where the bar came from: databento, or csv:NAME.';

CREATE TABLE public.ohlcv_1h_data (
    ts_event timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    volume bigint NOT NULL,
    trade_count bigint,
    open_price numeric,
    high_price numeric,
    low_price numeric,
    close_price numeric,
    vwap numeric,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    granularity text NOT NULL,
    data_source text NOT NULL
);

COMMENT ON COLUMN public.ohlcv_1h_data.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN public.ohlcv_1h_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.ohlcv_1h_data.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN public.ohlcv_1h_data.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1h_data.open_price IS 'First price of the bar.';

COMMENT ON COLUMN public.ohlcv_1h_data.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1h_data.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1h_data.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN public.ohlcv_1h_data.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1h_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.ohlcv_1h_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.ohlcv_1h_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN public.ohlcv_1h_data.data_source IS 'Where the bar came from: databento, or csv:NAME.';

CREATE TABLE public.ohlcv_1m_data (
    ts_event timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    volume bigint NOT NULL,
    trade_count bigint,
    open_price numeric,
    high_price numeric,
    low_price numeric,
    close_price numeric,
    vwap numeric,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    granularity text NOT NULL,
    data_source text NOT NULL
);

COMMENT ON COLUMN public.ohlcv_1m_data.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN public.ohlcv_1m_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.ohlcv_1m_data.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN public.ohlcv_1m_data.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1m_data.open_price IS 'First price of the bar.';

COMMENT ON COLUMN public.ohlcv_1m_data.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1m_data.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1m_data.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN public.ohlcv_1m_data.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1m_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.ohlcv_1m_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.ohlcv_1m_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN public.ohlcv_1m_data.data_source IS 'Where the bar came from: databento, or csv:NAME.';

CREATE TABLE public.ohlcv_1s_data (
    ts_event timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    volume bigint NOT NULL,
    trade_count bigint,
    open_price numeric,
    high_price numeric,
    low_price numeric,
    close_price numeric,
    vwap numeric,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    granularity text NOT NULL,
    data_source text NOT NULL
);

COMMENT ON COLUMN public.ohlcv_1s_data.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN public.ohlcv_1s_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.ohlcv_1s_data.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN public.ohlcv_1s_data.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1s_data.open_price IS 'First price of the bar.';

COMMENT ON COLUMN public.ohlcv_1s_data.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1s_data.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN public.ohlcv_1s_data.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN public.ohlcv_1s_data.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN public.ohlcv_1s_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.ohlcv_1s_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.ohlcv_1s_data.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN public.ohlcv_1s_data.data_source IS 'Where the bar came from: databento, or csv:NAME.';

CREATE VIEW public.ohlcv_data AS
 SELECT daily_ohlcv_data.ts_event,
    daily_ohlcv_data.instrument_id,
    daily_ohlcv_data.volume,
    daily_ohlcv_data.trade_count,
    daily_ohlcv_data.open_price,
    daily_ohlcv_data.high_price,
    daily_ohlcv_data.low_price,
    daily_ohlcv_data.close_price,
    daily_ohlcv_data.vwap,
    daily_ohlcv_data.chunk_id,
    daily_ohlcv_data.publisher_id,
    daily_ohlcv_data.granularity,
    daily_ohlcv_data.data_source
   FROM public.daily_ohlcv_data
UNION ALL
 SELECT ohlcv_1h_data.ts_event,
    ohlcv_1h_data.instrument_id,
    ohlcv_1h_data.volume,
    ohlcv_1h_data.trade_count,
    ohlcv_1h_data.open_price,
    ohlcv_1h_data.high_price,
    ohlcv_1h_data.low_price,
    ohlcv_1h_data.close_price,
    ohlcv_1h_data.vwap,
    ohlcv_1h_data.chunk_id,
    ohlcv_1h_data.publisher_id,
    ohlcv_1h_data.granularity,
    ohlcv_1h_data.data_source
   FROM public.ohlcv_1h_data
UNION ALL
 SELECT ohlcv_1m_data.ts_event,
    ohlcv_1m_data.instrument_id,
    ohlcv_1m_data.volume,
    ohlcv_1m_data.trade_count,
    ohlcv_1m_data.open_price,
    ohlcv_1m_data.high_price,
    ohlcv_1m_data.low_price,
    ohlcv_1m_data.close_price,
    ohlcv_1m_data.vwap,
    ohlcv_1m_data.chunk_id,
    ohlcv_1m_data.publisher_id,
    ohlcv_1m_data.granularity,
    ohlcv_1m_data.data_source
   FROM public.ohlcv_1m_data
UNION ALL
 SELECT ohlcv_1s_data.ts_event,
    ohlcv_1s_data.instrument_id,
    ohlcv_1s_data.volume,
    ohlcv_1s_data.trade_count,
    ohlcv_1s_data.open_price,
    ohlcv_1s_data.high_price,
    ohlcv_1s_data.low_price,
    ohlcv_1s_data.close_price,
    ohlcv_1s_data.vwap,
    ohlcv_1s_data.chunk_id,
    ohlcv_1s_data.publisher_id,
    ohlcv_1s_data.granularity,
    ohlcv_1s_data.data_source
   FROM public.ohlcv_1s_data;

CREATE VIEW public.parent_members AS
 SELECT symbol_intervals.dataset,
    symbol_intervals.symbol AS parent,
    symbol_intervals.instrument_id,
    lower(day_range.day_range) AS valid_from,
    upper(day_range.day_range) AS valid_to
   FROM ingest.symbol_intervals,
    LATERAL unnest(symbol_intervals.days) day_range(day_range)
  WHERE ((symbol_intervals.stype_in = 'parent'::text) AND (symbol_intervals.stype_out = 'instrument_id'::text));

COMMENT ON VIEW public.parent_members IS 'Which instruments belonged to a parent symbol (ES.FUT), and on which days (end exclusive)';

CREATE TABLE public.publishers (
    publisher_id integer NOT NULL,
    dataset text NOT NULL,
    venue text,
    CONSTRAINT publishers_publisher_id_check CHECK (((publisher_id >= 0) AND (publisher_id <= 65535)))
);

CREATE VIEW public.symbol_mappings AS
 SELECT symbol_intervals.dataset,
    symbol_intervals.stype_in,
    symbol_intervals.symbol,
    symbol_intervals.stype_out,
    symbol_intervals.instrument_id,
    lower(day_range.day_range) AS valid_from,
    upper(day_range.day_range) AS valid_to,
    symbol_intervals.source
   FROM ingest.symbol_intervals,
    LATERAL unnest(symbol_intervals.days) day_range(day_range);

CREATE TABLE public.trades_data (
    ts_event timestamp with time zone NOT NULL,
    ts_recv timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    sequence bigint NOT NULL,
    size bigint,
    price numeric,
    ts_in_delta integer NOT NULL,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    ordinal smallint NOT NULL,
    ts_event_ns smallint NOT NULL,
    ts_recv_ns smallint NOT NULL,
    flags smallint NOT NULL,
    depth smallint NOT NULL,
    action text,
    side text
);

COMMENT ON COLUMN public.trades_data.ts_event IS 'When the venue''s matching engine made the trade, UTC.';

COMMENT ON COLUMN public.trades_data.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN public.trades_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.trades_data.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN public.trades_data.size IS 'Contracts or shares.';

COMMENT ON COLUMN public.trades_data.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN public.trades_data.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN public.trades_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.trades_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.trades_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

COMMENT ON COLUMN public.trades_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.';

COMMENT ON COLUMN public.trades_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.';

COMMENT ON COLUMN public.trades_data.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN public.trades_data.depth IS 'Book level of the event.';

COMMENT ON COLUMN public.trades_data.action IS 'Event action, T for a trade.';

COMMENT ON COLUMN public.trades_data.side IS 'Side of the aggressor: A ask, B bid, N none.';

ALTER TABLE ONLY ingest.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY ingest.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_pkey PRIMARY KEY (chunk_id);

ALTER TABLE ONLY ingest.coverage
    ADD CONSTRAINT coverage_pkey PRIMARY KEY (dataset, schema, stype_in, symbol);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_chunk_id_fence_key UNIQUE (chunk_id, fence);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_pkey PRIMARY KEY (dead_letter_id);

ALTER TABLE ONLY ingest.jobs
    ADD CONSTRAINT jobs_idempotency_key_key UNIQUE (idempotency_key);

ALTER TABLE ONLY ingest.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (job_id);

ALTER TABLE ONLY ingest.leases
    ADD CONSTRAINT leases_pkey PRIMARY KEY (chunk_id);

ALTER TABLE ONLY ingest.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY ingest.payloads
    ADD CONSTRAINT payloads_pkey PRIMARY KEY (payload_id);

ALTER TABLE ONLY ingest.payloads
    ADD CONSTRAINT payloads_uri_sha256_key UNIQUE (uri, sha256);

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_chunk_id_position_key UNIQUE (chunk_id, "position");

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_pkey PRIMARY KEY (quarantine_id);

ALTER TABLE ONLY ingest.requests
    ADD CONSTRAINT requests_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY ingest.symbol_groups
    ADD CONSTRAINT symbol_groups_hash_key UNIQUE (hash);

ALTER TABLE ONLY ingest.symbol_groups
    ADD CONSTRAINT symbol_groups_pkey PRIMARY KEY (symbol_group_id);

ALTER TABLE ONLY ingest.symbol_intervals
    ADD CONSTRAINT symbol_intervals_pkey PRIMARY KEY (dataset, stype_in, symbol, stype_out, instrument_id);

ALTER TABLE ONLY ingest.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (worker);

ALTER TABLE ONLY public.daily_ohlcv_data
    ADD CONSTRAINT daily_ohlcv_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.ohlcv_1h_data
    ADD CONSTRAINT ohlcv_1h_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.ohlcv_1m_data
    ADD CONSTRAINT ohlcv_1m_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.ohlcv_1s_data
    ADD CONSTRAINT ohlcv_1s_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.publishers
    ADD CONSTRAINT publishers_pkey PRIMARY KEY (publisher_id);

ALTER TABLE ONLY public.trades_data
    ADD CONSTRAINT trades_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal);

CREATE INDEX attempts_chunk_idx ON ingest.attempts USING btree (chunk_id);

CREATE INDEX chunks_in_progress_idx ON ingest.chunks USING btree (chunk_id) WHERE (state = 'in_progress'::text);

CREATE INDEX chunks_job_idx ON ingest.chunks USING btree (job_id, state);

CREATE INDEX chunks_open_idx ON ingest.chunks USING btree (job_id, chunk_id) WHERE (state = ANY (ARRAY['pending'::text, 'queued'::text, 'in_progress'::text, 'retrying'::text]));

CREATE INDEX chunks_queued_idx ON ingest.chunks USING btree (enqueued_at) WHERE (state = 'queued'::text);

CREATE INDEX chunks_waiting_idx ON ingest.chunks USING btree (job_id, chunk_id) WHERE (state = ANY (ARRAY['pending'::text, 'retrying'::text]));

CREATE INDEX dead_letters_open_idx ON ingest.dead_letters USING btree (job_id) WHERE (resolved_at IS NULL);

CREATE INDEX jobs_created_idx ON ingest.jobs USING btree (created_at DESC);

CREATE INDEX jobs_open_idx ON ingest.jobs USING btree (priority DESC, created_at) WHERE (state = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX requests_job_idx ON ingest.requests USING btree (job_id);

CREATE INDEX supersessions_new_idx ON ingest.supersessions USING btree (new_chunk);

CREATE INDEX supersessions_old_idx ON ingest.supersessions USING btree (old_chunk);

CREATE INDEX symbol_intervals_instrument_idx ON ingest.symbol_intervals USING btree (dataset, instrument_id) WHERE ((stype_in = 'raw_symbol'::text) AND (stype_out = 'instrument_id'::text));

CREATE INDEX daily_ohlcv_data_time_idx ON public.daily_ohlcv_data USING btree (ts_event DESC);

CREATE INDEX publishers_dataset_idx ON public.publishers USING btree (dataset);

ALTER TABLE ONLY ingest.attempts
    ADD CONSTRAINT attempts_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_payload_id_fkey FOREIGN KEY (payload_id) REFERENCES ingest.payloads(payload_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_request_id_fkey FOREIGN KEY (request_id) REFERENCES ingest.requests(request_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_symbol_group_id_fkey FOREIGN KEY (symbol_group_id) REFERENCES ingest.symbol_groups(symbol_group_id);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.leases
    ADD CONSTRAINT leases_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.requests
    ADD CONSTRAINT requests_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.requests
    ADD CONSTRAINT requests_symbol_group_id_fkey FOREIGN KEY (symbol_group_id) REFERENCES ingest.symbol_groups(symbol_group_id);

ALTER TABLE ONLY ingest.supersessions
    ADD CONSTRAINT supersessions_new_chunk_fkey FOREIGN KEY (new_chunk) REFERENCES ingest.chunks(chunk_id);

GRANT USAGE ON SCHEMA ingest TO hdi_worker;
GRANT USAGE ON SCHEMA ingest TO hdi_reader;

GRANT USAGE ON SCHEMA public TO hdi_worker;
GRANT USAGE ON SCHEMA public TO hdi_reader;

GRANT SELECT ON TABLE ingest.alembic_version TO hdi_worker;
GRANT SELECT ON TABLE ingest.alembic_version TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.attempts TO hdi_worker;
GRANT SELECT ON TABLE ingest.attempts TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.chunks TO hdi_worker;
GRANT SELECT ON TABLE ingest.chunks TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.coverage TO hdi_worker;
GRANT SELECT ON TABLE ingest.coverage TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.dead_letters TO hdi_worker;
GRANT SELECT ON TABLE ingest.dead_letters TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.jobs TO hdi_worker;
GRANT SELECT ON TABLE ingest.jobs TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.leases TO hdi_worker;
GRANT SELECT ON TABLE ingest.leases TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.meta TO hdi_worker;
GRANT SELECT ON TABLE ingest.meta TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.payloads TO hdi_worker;
GRANT SELECT ON TABLE ingest.payloads TO hdi_reader;

GRANT SELECT,INSERT,DELETE ON TABLE ingest.quarantine TO hdi_worker;
GRANT SELECT ON TABLE ingest.quarantine TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.requests TO hdi_worker;
GRANT SELECT ON TABLE ingest.requests TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.supersessions TO hdi_worker;
GRANT SELECT ON TABLE ingest.supersessions TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.symbol_groups TO hdi_worker;
GRANT SELECT ON TABLE ingest.symbol_groups TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.symbol_intervals TO hdi_worker;
GRANT SELECT ON TABLE ingest.symbol_intervals TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.workers TO hdi_worker;
GRANT SELECT ON TABLE ingest.workers TO hdi_reader;

GRANT SELECT ON TABLE public.continuous_rolls TO hdi_worker;
GRANT SELECT ON TABLE public.continuous_rolls TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.daily_ohlcv_data TO hdi_worker;
GRANT SELECT ON TABLE public.daily_ohlcv_data TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1h_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1h_data TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1m_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1m_data TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1s_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1s_data TO hdi_reader;

GRANT SELECT ON TABLE public.ohlcv_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_data TO hdi_reader;

GRANT SELECT ON TABLE public.parent_members TO hdi_worker;
GRANT SELECT ON TABLE public.parent_members TO hdi_reader;

GRANT SELECT,INSERT ON TABLE public.publishers TO hdi_worker;
GRANT SELECT ON TABLE public.publishers TO hdi_reader;

GRANT SELECT ON TABLE public.symbol_mappings TO hdi_worker;
GRANT SELECT ON TABLE public.symbol_mappings TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.trades_data TO hdi_worker;
GRANT SELECT ON TABLE public.trades_data TO hdi_reader;

INSERT INTO ingest.alembic_version VALUES ('0002');

INSERT INTO public.publishers VALUES (1, 'GLBX.MDP3', 'GLBX');
INSERT INTO public.publishers VALUES (2, 'XNAS.ITCH', 'XNAS');
INSERT INTO public.publishers VALUES (3, 'XBOS.ITCH', 'XBOS');
INSERT INTO public.publishers VALUES (4, 'XPSX.ITCH', 'XPSX');
INSERT INTO public.publishers VALUES (5, 'BATS.PITCH', 'BATS');
INSERT INTO public.publishers VALUES (6, 'BATY.PITCH', 'BATY');
INSERT INTO public.publishers VALUES (7, 'EDGA.PITCH', 'EDGA');
INSERT INTO public.publishers VALUES (8, 'EDGX.PITCH', 'EDGX');
INSERT INTO public.publishers VALUES (9, 'XNYS.PILLAR', 'XNYS');
INSERT INTO public.publishers VALUES (10, 'XCIS.PILLAR', 'XCIS');
INSERT INTO public.publishers VALUES (11, 'XASE.PILLAR', 'XASE');
INSERT INTO public.publishers VALUES (12, 'XCHI.PILLAR', 'XCHI');
INSERT INTO public.publishers VALUES (13, 'XCIS.BBO', 'XCIS');
INSERT INTO public.publishers VALUES (14, 'XCIS.TRADES', 'XCIS');
INSERT INTO public.publishers VALUES (15, 'MEMX.MEMOIR', 'MEMX');
INSERT INTO public.publishers VALUES (16, 'EPRL.DOM', 'EPRL');
INSERT INTO public.publishers VALUES (17, 'XNAS.NLS', 'FINN');
INSERT INTO public.publishers VALUES (18, 'XNAS.NLS', 'FINC');
INSERT INTO public.publishers VALUES (19, 'XNYS.TRADES', 'FINY');
INSERT INTO public.publishers VALUES (20, 'OPRA.PILLAR', 'AMXO');
INSERT INTO public.publishers VALUES (21, 'OPRA.PILLAR', 'XBOX');
INSERT INTO public.publishers VALUES (22, 'OPRA.PILLAR', 'XCBO');
INSERT INTO public.publishers VALUES (23, 'OPRA.PILLAR', 'EMLD');
INSERT INTO public.publishers VALUES (24, 'OPRA.PILLAR', 'EDGO');
INSERT INTO public.publishers VALUES (25, 'OPRA.PILLAR', 'GMNI');
INSERT INTO public.publishers VALUES (26, 'OPRA.PILLAR', 'XISX');
INSERT INTO public.publishers VALUES (27, 'OPRA.PILLAR', 'MCRY');
INSERT INTO public.publishers VALUES (28, 'OPRA.PILLAR', 'XMIO');
INSERT INTO public.publishers VALUES (29, 'OPRA.PILLAR', 'ARCO');
INSERT INTO public.publishers VALUES (30, 'OPRA.PILLAR', 'OPRA');
INSERT INTO public.publishers VALUES (31, 'OPRA.PILLAR', 'MPRL');
INSERT INTO public.publishers VALUES (32, 'OPRA.PILLAR', 'XNDQ');
INSERT INTO public.publishers VALUES (33, 'OPRA.PILLAR', 'XBXO');
INSERT INTO public.publishers VALUES (34, 'OPRA.PILLAR', 'C2OX');
INSERT INTO public.publishers VALUES (35, 'OPRA.PILLAR', 'XPHL');
INSERT INTO public.publishers VALUES (36, 'OPRA.PILLAR', 'BATO');
INSERT INTO public.publishers VALUES (37, 'OPRA.PILLAR', 'MXOP');
INSERT INTO public.publishers VALUES (38, 'IEXG.TOPS', 'IEXG');
INSERT INTO public.publishers VALUES (39, 'DBEQ.BASIC', 'XCHI');
INSERT INTO public.publishers VALUES (40, 'DBEQ.BASIC', 'XCIS');
INSERT INTO public.publishers VALUES (41, 'DBEQ.BASIC', 'IEXG');
INSERT INTO public.publishers VALUES (42, 'DBEQ.BASIC', 'EPRL');
INSERT INTO public.publishers VALUES (43, 'ARCX.PILLAR', 'ARCX');
INSERT INTO public.publishers VALUES (44, 'XNYS.BBO', 'XNYS');
INSERT INTO public.publishers VALUES (45, 'XNYS.TRADES', 'XNYS');
INSERT INTO public.publishers VALUES (46, 'XNAS.QBBO', 'XNAS');
INSERT INTO public.publishers VALUES (47, 'XNAS.NLS', 'XNAS');
INSERT INTO public.publishers VALUES (48, 'EQUS.PLUS', 'XCHI');
INSERT INTO public.publishers VALUES (49, 'EQUS.PLUS', 'XCIS');
INSERT INTO public.publishers VALUES (50, 'EQUS.PLUS', 'IEXG');
INSERT INTO public.publishers VALUES (51, 'EQUS.PLUS', 'EPRL');
INSERT INTO public.publishers VALUES (52, 'EQUS.PLUS', 'XNAS');
INSERT INTO public.publishers VALUES (53, 'EQUS.PLUS', 'XNYS');
INSERT INTO public.publishers VALUES (54, 'EQUS.PLUS', 'FINN');
INSERT INTO public.publishers VALUES (55, 'EQUS.PLUS', 'FINY');
INSERT INTO public.publishers VALUES (56, 'EQUS.PLUS', 'FINC');
INSERT INTO public.publishers VALUES (57, 'IFEU.IMPACT', 'IFEU');
INSERT INTO public.publishers VALUES (58, 'NDEX.IMPACT', 'NDEX');
INSERT INTO public.publishers VALUES (59, 'DBEQ.BASIC', 'DBEQ');
INSERT INTO public.publishers VALUES (60, 'EQUS.PLUS', 'EQUS');
INSERT INTO public.publishers VALUES (61, 'OPRA.PILLAR', 'SPHR');
INSERT INTO public.publishers VALUES (62, 'EQUS.ALL', 'XCHI');
INSERT INTO public.publishers VALUES (63, 'EQUS.ALL', 'XCIS');
INSERT INTO public.publishers VALUES (64, 'EQUS.ALL', 'IEXG');
INSERT INTO public.publishers VALUES (65, 'EQUS.ALL', 'EPRL');
INSERT INTO public.publishers VALUES (66, 'EQUS.ALL', 'XNAS');
INSERT INTO public.publishers VALUES (67, 'EQUS.ALL', 'XNYS');
INSERT INTO public.publishers VALUES (68, 'EQUS.ALL', 'FINN');
INSERT INTO public.publishers VALUES (69, 'EQUS.ALL', 'FINY');
INSERT INTO public.publishers VALUES (70, 'EQUS.ALL', 'FINC');
INSERT INTO public.publishers VALUES (71, 'EQUS.ALL', 'BATS');
INSERT INTO public.publishers VALUES (72, 'EQUS.ALL', 'BATY');
INSERT INTO public.publishers VALUES (73, 'EQUS.ALL', 'EDGA');
INSERT INTO public.publishers VALUES (74, 'EQUS.ALL', 'EDGX');
INSERT INTO public.publishers VALUES (75, 'EQUS.ALL', 'XBOS');
INSERT INTO public.publishers VALUES (76, 'EQUS.ALL', 'XPSX');
INSERT INTO public.publishers VALUES (77, 'EQUS.ALL', 'MEMX');
INSERT INTO public.publishers VALUES (78, 'EQUS.ALL', 'XASE');
INSERT INTO public.publishers VALUES (79, 'EQUS.ALL', 'ARCX');
INSERT INTO public.publishers VALUES (80, 'EQUS.ALL', 'LTSE');
INSERT INTO public.publishers VALUES (81, 'XNAS.BASIC', 'XNAS');
INSERT INTO public.publishers VALUES (82, 'XNAS.BASIC', 'FINN');
INSERT INTO public.publishers VALUES (83, 'XNAS.BASIC', 'FINC');
INSERT INTO public.publishers VALUES (84, 'IFEU.IMPACT', 'XOFF');
INSERT INTO public.publishers VALUES (85, 'NDEX.IMPACT', 'XOFF');
INSERT INTO public.publishers VALUES (86, 'XNAS.NLS', 'XBOS');
INSERT INTO public.publishers VALUES (87, 'XNAS.NLS', 'XPSX');
INSERT INTO public.publishers VALUES (88, 'XNAS.BASIC', 'XBOS');
INSERT INTO public.publishers VALUES (89, 'XNAS.BASIC', 'XPSX');
INSERT INTO public.publishers VALUES (90, 'EQUS.SUMMARY', 'EQUS');
INSERT INTO public.publishers VALUES (91, 'XCIS.TRADESBBO', 'XCIS');
INSERT INTO public.publishers VALUES (92, 'XNYS.TRADESBBO', 'XNYS');
INSERT INTO public.publishers VALUES (93, 'XNAS.BASIC', 'EQUS');
INSERT INTO public.publishers VALUES (94, 'EQUS.ALL', 'EQUS');
INSERT INTO public.publishers VALUES (95, 'EQUS.MINI', 'EQUS');
INSERT INTO public.publishers VALUES (96, 'XNYS.TRADES', 'EQUS');
INSERT INTO public.publishers VALUES (97, 'IFUS.IMPACT', 'IFUS');
INSERT INTO public.publishers VALUES (98, 'IFUS.IMPACT', 'XOFF');
INSERT INTO public.publishers VALUES (99, 'IFLL.IMPACT', 'IFLL');
INSERT INTO public.publishers VALUES (100, 'IFLL.IMPACT', 'XOFF');
INSERT INTO public.publishers VALUES (101, 'XEUR.EOBI', 'XEUR');
INSERT INTO public.publishers VALUES (102, 'XEEE.EOBI', 'XEEE');
INSERT INTO public.publishers VALUES (103, 'XEUR.EOBI', 'XOFF');
INSERT INTO public.publishers VALUES (104, 'XEEE.EOBI', 'XOFF');
INSERT INTO public.publishers VALUES (105, 'XCBF.PITCH', 'XCBF');
INSERT INTO public.publishers VALUES (106, 'XCBF.PITCH', 'XOFF');
INSERT INTO public.publishers VALUES (107, 'OCEA.MEMOIR', 'OCEA');
INSERT INTO public.publishers VALUES (108, 'OPRA.PILLAR', 'MXTO');
INSERT INTO public.publishers VALUES (109, 'OPRA.PILLAR', 'IEXO');
INSERT INTO public.publishers VALUES (110, 'MAIN.CGIF', 'MAIN');
INSERT INTO public.publishers VALUES (111, 'EQUS.SIP', 'XASE');
INSERT INTO public.publishers VALUES (112, 'EQUS.SIP', 'XBOS');
INSERT INTO public.publishers VALUES (113, 'EQUS.SIP', 'XCIS');
INSERT INTO public.publishers VALUES (114, 'EQUS.SIP', 'TXSE');
INSERT INTO public.publishers VALUES (115, 'EQUS.SIP', '24EQ');
INSERT INTO public.publishers VALUES (116, 'EQUS.SIP', 'EPRL');
INSERT INTO public.publishers VALUES (117, 'EQUS.SIP', 'XISX');
INSERT INTO public.publishers VALUES (118, 'EQUS.SIP', 'EDGA');
INSERT INTO public.publishers VALUES (119, 'EQUS.SIP', 'EDGX');
INSERT INTO public.publishers VALUES (120, 'EQUS.SIP', 'LTSE');
INSERT INTO public.publishers VALUES (121, 'EQUS.SIP', 'XCHI');
INSERT INTO public.publishers VALUES (122, 'EQUS.SIP', 'XNYS');
INSERT INTO public.publishers VALUES (123, 'EQUS.SIP', 'ARCX');
INSERT INTO public.publishers VALUES (124, 'EQUS.SIP', 'XNAS');
INSERT INTO public.publishers VALUES (125, 'EQUS.SIP', 'MEMX');
INSERT INTO public.publishers VALUES (126, 'EQUS.SIP', 'IEXG');
INSERT INTO public.publishers VALUES (127, 'EQUS.SIP', 'XPSX');
INSERT INTO public.publishers VALUES (128, 'EQUS.SIP', 'BATY');
INSERT INTO public.publishers VALUES (129, 'EQUS.SIP', 'BATS');
INSERT INTO public.publishers VALUES (130, 'EQUS.SIP', 'FINN');
INSERT INTO public.publishers VALUES (131, 'EQUS.SIP', 'FINY');
INSERT INTO public.publishers VALUES (132, 'EQUS.SIP', 'FINC');
INSERT INTO public.publishers VALUES (133, 'EQUS.SIP', 'XADF');
INSERT INTO public.publishers VALUES (134, 'EQUS.SIP', 'CTA');
INSERT INTO public.publishers VALUES (135, 'EQUS.SIP', 'UTP');
INSERT INTO public.publishers VALUES (136, 'MSCI.CGIF', 'MSCI');
INSERT INTO public.publishers VALUES (137, 'FTSE.CGIF', 'FTSE');
INSERT INTO public.publishers VALUES (138, 'INAV.CGIF', 'INAV');
INSERT INTO public.publishers VALUES (139, 'MSTAR.CGIF', 'MSTAR');
INSERT INTO public.publishers VALUES (140, 'CCCY.CGIF', 'CCCY');
INSERT INTO public.publishers VALUES (141, 'CGI.CGIF', 'CGI');
INSERT INTO public.publishers VALUES (142, 'MAIN.CGIF', 'CDEF');
INSERT INTO public.publishers VALUES (143, 'XTKS.FLEX', 'XTKS');
INSERT INTO public.publishers VALUES (144, 'XTKT.ITCH', 'XTKT');
INSERT INTO public.publishers VALUES (145, 'XOSE.ITCH', 'XOSE');
INSERT INTO public.publishers VALUES (146, 'DBIX.CORE', 'MAIN');
INSERT INTO public.publishers VALUES (147, 'DBIX.CORE', 'MSCI');
INSERT INTO public.publishers VALUES (148, 'DBIX.CORE', 'FTSE');
INSERT INTO public.publishers VALUES (149, 'DBIX.CORE', 'INAV');
INSERT INTO public.publishers VALUES (150, 'DBIX.CORE', 'MSTAR');
INSERT INTO public.publishers VALUES (151, 'DBIX.CORE', 'CCCY');
INSERT INTO public.publishers VALUES (152, 'DBIX.CORE', 'CGI');
INSERT INTO public.publishers VALUES (153, 'DBIX.CORE', 'CDEF');
