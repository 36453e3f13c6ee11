-- The schema that migration 0006 leaves, frozen: what installations of that version hold.
-- Made by tests/migrations/freeze.py from a database of plain PostgreSQL; once released it is never
-- edited, a later migration freezes a file of its own.

CREATE SCHEMA ingest;

COMMENT ON SCHEMA ingest IS 'Hist Data Ingestor: the ledger of jobs, chunks and what they proved';

CREATE SCHEMA market;

COMMENT ON SCHEMA market IS 'A view per record table with symbol, dataset and venue, floats and nanoseconds; for people';

CREATE FUNCTION ingest.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'the receipt of chunk % is immutable', OLD.chunk_id
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TABLE public.definitions_data (
    ts_event timestamp with time zone,
    ts_recv timestamp with time zone NOT NULL,
    expiration timestamp with time zone,
    activation timestamp with time zone,
    instrument_id bigint NOT NULL,
    underlying_id bigint NOT NULL,
    market_segment_id bigint,
    max_trade_vol bigint,
    min_trade_vol bigint,
    leg_instrument_id bigint NOT NULL,
    leg_underlying_id bigint NOT NULL,
    inst_attrib_value integer,
    market_depth_implied integer,
    market_depth integer,
    min_lot_size integer,
    min_lot_size_block integer,
    min_lot_size_round_lot integer,
    contract_multiplier integer,
    decay_quantity integer,
    original_contract_size integer,
    leg_ratio_price_numerator integer NOT NULL,
    leg_ratio_price_denominator integer NOT NULL,
    leg_ratio_qty_numerator integer NOT NULL,
    leg_ratio_qty_denominator integer NOT NULL,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    maturity_year integer,
    decay_start_date integer,
    channel_id integer,
    leg_count integer NOT NULL,
    leg_index integer NOT NULL,
    trading_reference_date integer,
    ordinal smallint NOT NULL,
    ts_event_ns smallint,
    ts_recv_ns smallint NOT NULL,
    expiration_ns smallint,
    activation_ns smallint,
    appl_id smallint,
    rtype smallint NOT NULL,
    main_fraction smallint,
    price_display_format smallint,
    sub_fraction smallint,
    underlying_product smallint,
    maturity_month smallint,
    maturity_day smallint,
    maturity_week smallint,
    tick_rule smallint,
    contract_multiplier_unit smallint,
    flow_schedule_type smallint,
    md_security_trading_status smallint,
    settl_price_type smallint,
    raw_instrument_id numeric(20,0) NOT NULL,
    min_price_increment numeric,
    display_factor numeric,
    high_limit_price numeric,
    low_limit_price numeric,
    max_price_variation numeric,
    unit_of_measure_qty numeric,
    min_price_increment_amount numeric,
    price_ratio numeric,
    strike_price numeric,
    leg_price numeric,
    leg_delta numeric,
    trading_reference_price numeric,
    security_update_action text,
    instrument_class text,
    match_algorithm text,
    user_defined_instrument text,
    leg_instrument_class text,
    leg_side text,
    raw_symbol text,
    security_group text,
    exchange text,
    asset text,
    cfi text,
    security_type text,
    unit_of_measure text,
    underlying text,
    currency text,
    settl_currency text,
    secsubtype text,
    strike_price_currency text,
    leg_raw_symbol text
);

COMMENT ON COLUMN public.definitions_data.ts_event IS 'When the venue sent it, UTC; 1970 where a venue''s snapshot has no time.';

COMMENT ON COLUMN public.definitions_data.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN public.definitions_data.expiration IS 'Last moment at which it can be traded, UTC.';

COMMENT ON COLUMN public.definitions_data.activation IS 'First moment at which it can be traded, UTC.';

COMMENT ON COLUMN public.definitions_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.definitions_data.underlying_id IS 'instrument_id of the first underlying; 0 where it has none.';

COMMENT ON COLUMN public.definitions_data.market_segment_id IS 'The venue''s market segment.';

COMMENT ON COLUMN public.definitions_data.max_trade_vol IS 'Largest trade volume, contracts or shares.';

COMMENT ON COLUMN public.definitions_data.min_trade_vol IS 'Smallest trade volume, contracts or shares.';

COMMENT ON COLUMN public.definitions_data.leg_instrument_id IS 'instrument_id of the leg; 0 where it is no leg.';

COMMENT ON COLUMN public.definitions_data.leg_underlying_id IS 'instrument_id of the leg''s underlying; 0 where it has none.';

COMMENT ON COLUMN public.definitions_data.inst_attrib_value IS 'Bit field of eligibility, by venue.';

COMMENT ON COLUMN public.definitions_data.market_depth_implied IS 'Levels of the implied book.';

COMMENT ON COLUMN public.definitions_data.market_depth IS 'Levels of the book.';

COMMENT ON COLUMN public.definitions_data.min_lot_size IS 'Smallest lot, contracts or shares.';

COMMENT ON COLUMN public.definitions_data.min_lot_size_block IS 'Smallest block lot.';

COMMENT ON COLUMN public.definitions_data.min_lot_size_round_lot IS 'Smallest round lot.';

COMMENT ON COLUMN public.definitions_data.contract_multiplier IS 'Deliverables per contract.';

COMMENT ON COLUMN public.definitions_data.decay_quantity IS 'Contract quantity that decays each day.';

COMMENT ON COLUMN public.definitions_data.original_contract_size IS 'Contract size before it decays.';

COMMENT ON COLUMN public.definitions_data.leg_ratio_price_numerator IS 'Numerator of the leg''s price ratio.';

COMMENT ON COLUMN public.definitions_data.leg_ratio_price_denominator IS 'Denominator of the leg''s price ratio.';

COMMENT ON COLUMN public.definitions_data.leg_ratio_qty_numerator IS 'Numerator of the leg''s quantity ratio.';

COMMENT ON COLUMN public.definitions_data.leg_ratio_qty_denominator IS 'Denominator of the leg''s quantity ratio.';

COMMENT ON COLUMN public.definitions_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.definitions_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.definitions_data.maturity_year IS 'Year of maturity.';

COMMENT ON COLUMN public.definitions_data.decay_start_date IS 'When the contract begins to decay: a number of the venue, no date.';

COMMENT ON COLUMN public.definitions_data.channel_id IS 'The venue''s channel.';

COMMENT ON COLUMN public.definitions_data.leg_count IS 'Legs of the strategy; 0 for an outright.';

COMMENT ON COLUMN public.definitions_data.leg_index IS 'Which of the legs this record tells of, from 0.';

COMMENT ON COLUMN public.definitions_data.trading_reference_date IS 'Date of the reference price, days since 1970; DBN 1 and 2 only.';

COMMENT ON COLUMN public.definitions_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

COMMENT ON COLUMN public.definitions_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.';

COMMENT ON COLUMN public.definitions_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.';

COMMENT ON COLUMN public.definitions_data.expiration_ns IS 'The 0–999 ns of expiration below its microsecond.';

COMMENT ON COLUMN public.definitions_data.activation_ns IS 'The 0–999 ns of activation below its microsecond.';

COMMENT ON COLUMN public.definitions_data.appl_id IS 'The venue''s channel as it was numbered before.';

COMMENT ON COLUMN public.definitions_data.rtype IS 'DBN record type, 19.';

COMMENT ON COLUMN public.definitions_data.main_fraction IS 'Denominator of the main price fraction.';

COMMENT ON COLUMN public.definitions_data.price_display_format IS 'Digits right of the price''s tick mark.';

COMMENT ON COLUMN public.definitions_data.sub_fraction IS 'Denominator of the sub-fraction.';

COMMENT ON COLUMN public.definitions_data.underlying_product IS 'The venue''s product complex.';

COMMENT ON COLUMN public.definitions_data.maturity_month IS 'Month of maturity, 1 to 12.';

COMMENT ON COLUMN public.definitions_data.maturity_day IS 'Day of maturity.';

COMMENT ON COLUMN public.definitions_data.maturity_week IS 'Week of maturity.';

COMMENT ON COLUMN public.definitions_data.tick_rule IS 'Table of price increments, by venue.';

COMMENT ON COLUMN public.definitions_data.contract_multiplier_unit IS 'Whether contracts are counted in hours or days.';

COMMENT ON COLUMN public.definitions_data.flow_schedule_type IS 'Schedule of delivery (electricity).';

COMMENT ON COLUMN public.definitions_data.md_security_trading_status IS 'Trading status; DBN 1 and 2 only.';

COMMENT ON COLUMN public.definitions_data.settl_price_type IS 'Bit field about the settlement price; DBN 1 and 2 only.';

COMMENT ON COLUMN public.definitions_data.raw_instrument_id IS 'The venue''s own number of the instrument, which may be wider than instrument_id.';

COMMENT ON COLUMN public.definitions_data.min_price_increment IS 'Tick: smallest step of the price; NULL where it varies.';

COMMENT ON COLUMN public.definitions_data.display_factor IS 'Multiplier from the venue''s price to the displayed one.';

COMMENT ON COLUMN public.definitions_data.high_limit_price IS 'Highest price allowed on the trading day.';

COMMENT ON COLUMN public.definitions_data.low_limit_price IS 'Lowest price allowed on the trading day.';

COMMENT ON COLUMN public.definitions_data.max_price_variation IS 'Largest price move allowed.';

COMMENT ON COLUMN public.definitions_data.unit_of_measure_qty IS 'Contract size, in units of unit_of_measure.';

COMMENT ON COLUMN public.definitions_data.min_price_increment_amount IS 'Value of one tick, in currency.';

COMMENT ON COLUMN public.definitions_data.price_ratio IS 'Ratio of prices in a spread.';

COMMENT ON COLUMN public.definitions_data.strike_price IS 'Strike of an option.';

COMMENT ON COLUMN public.definitions_data.leg_price IS 'Price of the leg.';

COMMENT ON COLUMN public.definitions_data.leg_delta IS 'Delta of the leg, at 1e-9.';

COMMENT ON COLUMN public.definitions_data.trading_reference_price IS 'Reference price; DBN 1 and 2 only.';

COMMENT ON COLUMN public.definitions_data.security_update_action IS 'A added, M modified, D deleted.';

COMMENT ON COLUMN public.definitions_data.instrument_class IS 'B bond, C call, F future, K stock, M mixed spread, P put, S future spread, T option spread, X FX spot, Y commodity spot.';

COMMENT ON COLUMN public.definitions_data.match_algorithm IS 'How orders are matched, e.g. F first in first out; may be a blank.';

COMMENT ON COLUMN public.definitions_data.user_defined_instrument IS 'Y where a user defined it, N otherwise.';

COMMENT ON COLUMN public.definitions_data.leg_instrument_class IS 'instrument_class of the leg.';

COMMENT ON COLUMN public.definitions_data.leg_side IS 'Side of the leg when the strategy is bought: A sell, B buy, N none.';

COMMENT ON COLUMN public.definitions_data.raw_symbol IS 'Symbol as the venue spells it.';

COMMENT ON COLUMN public.definitions_data.security_group IS 'Security group (field `group` of DBN).';

COMMENT ON COLUMN public.definitions_data.exchange IS 'MIC or code of the exchange.';

COMMENT ON COLUMN public.definitions_data.asset IS 'Product code, e.g. ES.';

COMMENT ON COLUMN public.definitions_data.cfi IS 'ISO 10962 classification.';

COMMENT ON COLUMN public.definitions_data.security_type IS 'Type of security, e.g. FUT.';

COMMENT ON COLUMN public.definitions_data.unit_of_measure IS 'Unit of the contract''s size.';

COMMENT ON COLUMN public.definitions_data.underlying IS 'Symbol of the first underlying.';

COMMENT ON COLUMN public.definitions_data.currency IS 'Currency of the price.';

COMMENT ON COLUMN public.definitions_data.settl_currency IS 'Currency of settlement.';

COMMENT ON COLUMN public.definitions_data.secsubtype IS 'Kind of strategy.';

COMMENT ON COLUMN public.definitions_data.strike_price_currency IS 'Currency of the strike.';

COMMENT ON COLUMN public.definitions_data.leg_raw_symbol IS 'Symbol of the leg.';

CREATE FUNCTION public.definitions_at(at timestamp with time zone) RETURNS SETOF public.definitions_data
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
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
$$;

COMMENT ON FUNCTION public.definitions_at(at timestamp with time zone) IS 'Definitions in force at that time: the latest of each publisher and instrument with all its legs';

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
    replays integer,
    releases boolean DEFAULT false NOT NULL,
    cut_by text,
    local_faults integer DEFAULT 0 NOT NULL,
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
    CONSTRAINT chunks_local_faults_check CHECK ((local_faults >= 0)),
    CONSTRAINT chunks_lost_count_check CHECK ((lost_count >= 0)),
    CONSTRAINT chunks_max_attempts_check CHECK ((max_attempts > 0)),
    CONSTRAINT chunks_queued CHECK (((state <> 'queued'::text) OR (enqueued_at IS NOT NULL))),
    CONSTRAINT chunks_range CHECK ((end_ns > start_ns)),
    CONSTRAINT chunks_receipt CHECK (((state = ANY (ARRAY['completed'::text, 'completed_empty'::text])) = (receipt IS NOT NULL))),
    CONSTRAINT chunks_releases CHECK (((NOT releases) OR (replays IS NOT NULL))),
    CONSTRAINT chunks_replays CHECK ((replays <> chunk_id)),
    CONSTRAINT chunks_start_ns_check CHECK ((start_ns >= (0)::numeric)),
    CONSTRAINT chunks_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'queued'::text, 'in_progress'::text, 'retrying'::text, 'completed'::text, 'completed_empty'::text, 'failed'::text, 'cancelled'::text])))
)
WITH (fillfactor='70');

COMMENT ON COLUMN ingest.chunks.replays IS 'Chunk whose payload is loaded again by today''s rules, or whose refused records are stored';

COMMENT ON COLUMN ingest.chunks.releases IS 'Whether it stores quarantined records of the chunk in replays, not a payload';

COMMENT ON COLUMN ingest.chunks.cut_by IS 'Digest of the mapping whose times cut the payload into slices; null where its own times do';

COMMENT ON COLUMN ingest.chunks.local_faults IS 'Attempts in a row that ended because their host lacked memory, disk or time';

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
    note text,
    CONSTRAINT dead_letters_error_text_check CHECK ((octet_length(error_text) <= 2048)),
    CONSTRAINT dead_letters_note_check CHECK ((octet_length(note) <= 2048)),
    CONSTRAINT dead_letters_resolution_check CHECK ((resolution = ANY (ARRAY['retried'::text, 'discarded'::text]))),
    CONSTRAINT dead_letters_resolved CHECK (((resolution IS NULL) = (resolved_at IS NULL)))
);

COMMENT ON COLUMN ingest.dead_letters.note IS 'Why an operator discarded it';

ALTER TABLE ingest.dead_letters ALTER COLUMN dead_letter_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.dead_letters_dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.flagged (
    flagged_id bigint NOT NULL,
    chunk_id integer NOT NULL,
    "position" bigint NOT NULL,
    rule text NOT NULL,
    rules_hash text NOT NULL,
    field text NOT NULL,
    value text NOT NULL,
    reason text NOT NULL,
    readable json,
    publisher_id integer NOT NULL,
    instrument_id bigint NOT NULL,
    index_ns numeric(20,0),
    ordinal integer NOT NULL,
    recheck_id bigint,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT flagged_position_check CHECK (("position" >= 0))
);

COMMENT ON TABLE ingest.flagged IS 'Records that are stored although they break a rule: store.flags_kept per chunk and rule, the receipt counts all';

COMMENT ON COLUMN ingest.flagged.recheck_id IS 'What found it; null where it was found when the chunk was loaded';

ALTER TABLE ingest.flagged ALTER COLUMN flagged_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.flagged_flagged_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.halts (
    halt_id integer NOT NULL,
    sqlstate text NOT NULL,
    reason text NOT NULL,
    hint text NOT NULL,
    worker text NOT NULL,
    raised_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    probe_at timestamp with time zone NOT NULL,
    probes integer DEFAULT 0 NOT NULL,
    lifted_at timestamp with time zone,
    CONSTRAINT halts_hint_check CHECK ((octet_length(hint) <= 2048)),
    CONSTRAINT halts_probes_check CHECK ((probes >= 0)),
    CONSTRAINT halts_reason_check CHECK ((octet_length(reason) <= 2048)),
    CONSTRAINT halts_sqlstate_check CHECK ((sqlstate ~ '^[0-9A-Z]{5}$'::text))
);

COMMENT ON TABLE ingest.halts IS 'What stopped the line: while one stands, no chunk is claimed but one at a time, to probe';

ALTER TABLE ingest.halts ALTER COLUMN halt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.halts_halt_id_seq
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
    publisher_id integer NOT NULL,
    instrument_id bigint NOT NULL,
    index_ns numeric(20,0),
    superseded_by integer,
    ordinal integer,
    rules_hash text,
    readable json,
    resolution text,
    resolved_at timestamp with time zone,
    resolved_by integer,
    resolved_reason text,
    CONSTRAINT quarantine_discarded CHECK ((COALESCE((resolution = 'discarded'::text), false) = (resolved_reason IS NOT NULL))),
    CONSTRAINT quarantine_position_check CHECK (("position" >= 0)),
    CONSTRAINT quarantine_replayed CHECK ((COALESCE((resolution = 'replayed'::text), false) = (resolved_by IS NOT NULL))),
    CONSTRAINT quarantine_resolution_check CHECK ((resolution = ANY (ARRAY['replayed'::text, 'discarded'::text]))),
    CONSTRAINT quarantine_resolved CHECK (((resolution IS NULL) = (resolved_at IS NULL)))
);

COMMENT ON COLUMN ingest.quarantine.index_ns IS 'Index timestamp, nanoseconds since 1970; null where the record has none';

COMMENT ON COLUMN ingest.quarantine.superseded_by IS 'Chunk of a forced load that took the place of all that was delivered before';

COMMENT ON COLUMN ingest.quarantine.ordinal IS 'Place among delivered records that share every other key column; null where it was not kept';

COMMENT ON COLUMN ingest.quarantine.rules_hash IS 'sha256 of the validation files it was refused by, empty where none; null where it was not kept';

COMMENT ON COLUMN ingest.quarantine.readable IS 'Its columns for people: prices as decimal text, times in ISO 8601; null where it was not kept';

COMMENT ON COLUMN ingest.quarantine.resolution IS 'What became of it: replayed (stored later) or discarded (for a reason); null while it waits';

COMMENT ON COLUMN ingest.quarantine.resolved_by IS 'Chunk that stored it later';

ALTER TABLE ingest.quarantine ALTER COLUMN quarantine_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.quarantine_quarantine_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE ingest.rechecks (
    recheck_id bigint NOT NULL,
    chunk_id integer NOT NULL,
    rule text NOT NULL,
    rules_hash text NOT NULL,
    broken bigint NOT NULL,
    fine bigint NOT NULL,
    undecided bigint NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT rechecks_broken_check CHECK ((broken >= 0)),
    CONSTRAINT rechecks_fine_check CHECK ((fine >= 0)),
    CONSTRAINT rechecks_undecided_check CHECK ((undecided >= 0))
);

COMMENT ON TABLE ingest.rechecks IS 'Stored records of a chunk asked again about a rule that could not be decided when they came';

ALTER TABLE ingest.rechecks ALTER COLUMN recheck_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ingest.rechecks_recheck_id_seq
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

CREATE VIEW ingest.symbol_names AS
 SELECT i.dataset,
    i.instrument_id,
    i.symbol,
    own.days
   FROM (ingest.symbol_intervals i
     CROSS JOIN LATERAL ( SELECT (i.days - COALESCE(range_agg(first.days), '{}'::datemultirange)) AS days
           FROM ingest.symbol_intervals first
          WHERE ((first.dataset = i.dataset) AND (first.instrument_id = i.instrument_id) AND (first.stype_in = 'raw_symbol'::text) AND (first.stype_out = 'instrument_id'::text) AND ((first.symbol COLLATE "C") < (i.symbol COLLATE "C")))) own)
  WHERE ((i.stype_in = 'raw_symbol'::text) AND (i.stype_out = 'instrument_id'::text));

COMMENT ON VIEW ingest.symbol_names IS 'Raw symbols of instruments by day; where several claim a day, the first by alphabet has it';

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

CREATE TABLE public.publishers (
    publisher_id integer NOT NULL,
    dataset text NOT NULL,
    venue text,
    CONSTRAINT publishers_publisher_id_check CHECK (((publisher_id >= 0) AND (publisher_id <= 65535)))
);

CREATE VIEW market.daily_ohlcv AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, 0) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + 0)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.open_price,
    (t.open_price)::double precision AS open_price_float,
    t.high_price,
    (t.high_price)::double precision AS high_price_float,
    t.low_price,
    (t.low_price)::double precision AS low_price_float,
    t.close_price,
    (t.close_price)::double precision AS close_price_float,
    t.vwap,
    (t.vwap)::double precision AS vwap_float,
    t.volume,
    t.trade_count,
    t.granularity,
    t.data_source,
    t.chunk_id
   FROM ((public.daily_ohlcv_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_event AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.daily_ohlcv IS 'Bars of one day: open, high, low, close and volume. With names, for people.';

COMMENT ON COLUMN market.daily_ohlcv.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.daily_ohlcv.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.daily_ohlcv.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.daily_ohlcv.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN market.daily_ohlcv.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.daily_ohlcv.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.daily_ohlcv.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.daily_ohlcv.open_price IS 'First price of the bar.';

COMMENT ON COLUMN market.daily_ohlcv.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.';

COMMENT ON COLUMN market.daily_ohlcv.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN market.daily_ohlcv.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.';

COMMENT ON COLUMN market.daily_ohlcv.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN market.daily_ohlcv.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.';

COMMENT ON COLUMN market.daily_ohlcv.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN market.daily_ohlcv.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.';

COMMENT ON COLUMN market.daily_ohlcv.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN market.daily_ohlcv.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.';

COMMENT ON COLUMN market.daily_ohlcv.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN market.daily_ohlcv.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN market.daily_ohlcv.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN market.daily_ohlcv.data_source IS 'Where the bar came from: databento, or csv:NAME.';

COMMENT ON COLUMN market.daily_ohlcv.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

CREATE VIEW market.definitions AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, t.ts_event_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + t.ts_event_ns)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.ts_recv,
        CASE
            WHEN (ROW(t.ts_recv, t.ts_recv_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_recv) * (1000000)::numeric))::bigint * 1000) + t.ts_recv_ns)
            ELSE NULL::bigint
        END AS ts_recv_unix_ns,
    t.expiration,
        CASE
            WHEN (ROW(t.expiration, t.expiration_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.expiration) * (1000000)::numeric))::bigint * 1000) + t.expiration_ns)
            ELSE NULL::bigint
        END AS expiration_unix_ns,
    t.activation,
        CASE
            WHEN (ROW(t.activation, t.activation_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.activation) * (1000000)::numeric))::bigint * 1000) + t.activation_ns)
            ELSE NULL::bigint
        END AS activation_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.min_price_increment,
    (t.min_price_increment)::double precision AS min_price_increment_float,
    t.display_factor,
    (t.display_factor)::double precision AS display_factor_float,
    t.high_limit_price,
    (t.high_limit_price)::double precision AS high_limit_price_float,
    t.low_limit_price,
    (t.low_limit_price)::double precision AS low_limit_price_float,
    t.max_price_variation,
    (t.max_price_variation)::double precision AS max_price_variation_float,
    t.unit_of_measure_qty,
    (t.unit_of_measure_qty)::double precision AS unit_of_measure_qty_float,
    t.min_price_increment_amount,
    (t.min_price_increment_amount)::double precision AS min_price_increment_amount_float,
    t.price_ratio,
    (t.price_ratio)::double precision AS price_ratio_float,
    t.strike_price,
    (t.strike_price)::double precision AS strike_price_float,
    t.leg_price,
    (t.leg_price)::double precision AS leg_price_float,
    t.leg_delta,
    (t.leg_delta)::double precision AS leg_delta_float,
    t.trading_reference_price,
    (t.trading_reference_price)::double precision AS trading_reference_price_float,
    t.underlying_id,
    t.market_segment_id,
    t.max_trade_vol,
    t.min_trade_vol,
    t.leg_instrument_id,
    t.leg_underlying_id,
    t.inst_attrib_value,
    t.market_depth_implied,
    t.market_depth,
    t.min_lot_size,
    t.min_lot_size_block,
    t.min_lot_size_round_lot,
    t.contract_multiplier,
    t.decay_quantity,
    t.original_contract_size,
    t.leg_ratio_price_numerator,
    t.leg_ratio_price_denominator,
    t.leg_ratio_qty_numerator,
    t.leg_ratio_qty_denominator,
    t.maturity_year,
    t.decay_start_date,
    t.channel_id,
    t.leg_count,
    t.leg_index,
    t.trading_reference_date,
    t.appl_id,
    t.rtype,
    t.main_fraction,
    t.price_display_format,
    t.sub_fraction,
    t.underlying_product,
    t.maturity_month,
    t.maturity_day,
    t.maturity_week,
    t.tick_rule,
    t.contract_multiplier_unit,
    t.flow_schedule_type,
    t.md_security_trading_status,
    t.settl_price_type,
    t.raw_instrument_id,
    t.security_update_action,
    t.instrument_class,
    t.match_algorithm,
    t.user_defined_instrument,
    t.leg_instrument_class,
    t.leg_side,
    t.raw_symbol,
    t.security_group,
    t.exchange,
    t.asset,
    t.cfi,
    t.security_type,
    t.unit_of_measure,
    t.underlying,
    t.currency,
    t.settl_currency,
    t.secsubtype,
    t.strike_price_currency,
    t.leg_raw_symbol,
    t.chunk_id,
    t.ordinal
   FROM ((public.definitions_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_recv AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.definitions IS 'Instrument definitions as delivered; definitions_at(time) has those in force. With names, for people.';

COMMENT ON COLUMN market.definitions.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.definitions.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.definitions.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.definitions.ts_event IS 'When the venue sent it, UTC; 1970 where a venue''s snapshot has no time.';

COMMENT ON COLUMN market.definitions.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.definitions.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN market.definitions.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.definitions.expiration IS 'Last moment at which it can be traded, UTC.';

COMMENT ON COLUMN market.definitions.expiration_unix_ns IS 'expiration, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.definitions.activation IS 'First moment at which it can be traded, UTC.';

COMMENT ON COLUMN market.definitions.activation_unix_ns IS 'activation, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.definitions.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.definitions.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.definitions.min_price_increment IS 'Tick: smallest step of the price; NULL where it varies.';

COMMENT ON COLUMN market.definitions.min_price_increment_float IS 'min_price_increment as a float, which has 15 digits; min_price_increment is exact.';

COMMENT ON COLUMN market.definitions.display_factor IS 'Multiplier from the venue''s price to the displayed one.';

COMMENT ON COLUMN market.definitions.display_factor_float IS 'display_factor as a float, which has 15 digits; display_factor is exact.';

COMMENT ON COLUMN market.definitions.high_limit_price IS 'Highest price allowed on the trading day.';

COMMENT ON COLUMN market.definitions.high_limit_price_float IS 'high_limit_price as a float, which has 15 digits; high_limit_price is exact.';

COMMENT ON COLUMN market.definitions.low_limit_price IS 'Lowest price allowed on the trading day.';

COMMENT ON COLUMN market.definitions.low_limit_price_float IS 'low_limit_price as a float, which has 15 digits; low_limit_price is exact.';

COMMENT ON COLUMN market.definitions.max_price_variation IS 'Largest price move allowed.';

COMMENT ON COLUMN market.definitions.max_price_variation_float IS 'max_price_variation as a float, which has 15 digits; max_price_variation is exact.';

COMMENT ON COLUMN market.definitions.unit_of_measure_qty IS 'Contract size, in units of unit_of_measure.';

COMMENT ON COLUMN market.definitions.unit_of_measure_qty_float IS 'unit_of_measure_qty as a float, which has 15 digits; unit_of_measure_qty is exact.';

COMMENT ON COLUMN market.definitions.min_price_increment_amount IS 'Value of one tick, in currency.';

COMMENT ON COLUMN market.definitions.min_price_increment_amount_float IS 'min_price_increment_amount as a float, which has 15 digits; min_price_increment_amount is exact.';

COMMENT ON COLUMN market.definitions.price_ratio IS 'Ratio of prices in a spread.';

COMMENT ON COLUMN market.definitions.price_ratio_float IS 'price_ratio as a float, which has 15 digits; price_ratio is exact.';

COMMENT ON COLUMN market.definitions.strike_price IS 'Strike of an option.';

COMMENT ON COLUMN market.definitions.strike_price_float IS 'strike_price as a float, which has 15 digits; strike_price is exact.';

COMMENT ON COLUMN market.definitions.leg_price IS 'Price of the leg.';

COMMENT ON COLUMN market.definitions.leg_price_float IS 'leg_price as a float, which has 15 digits; leg_price is exact.';

COMMENT ON COLUMN market.definitions.leg_delta IS 'Delta of the leg, at 1e-9.';

COMMENT ON COLUMN market.definitions.leg_delta_float IS 'leg_delta as a float, which has 15 digits; leg_delta is exact.';

COMMENT ON COLUMN market.definitions.trading_reference_price IS 'Reference price; DBN 1 and 2 only.';

COMMENT ON COLUMN market.definitions.trading_reference_price_float IS 'trading_reference_price as a float, which has 15 digits; trading_reference_price is exact.';

COMMENT ON COLUMN market.definitions.underlying_id IS 'instrument_id of the first underlying; 0 where it has none.';

COMMENT ON COLUMN market.definitions.market_segment_id IS 'The venue''s market segment.';

COMMENT ON COLUMN market.definitions.max_trade_vol IS 'Largest trade volume, contracts or shares.';

COMMENT ON COLUMN market.definitions.min_trade_vol IS 'Smallest trade volume, contracts or shares.';

COMMENT ON COLUMN market.definitions.leg_instrument_id IS 'instrument_id of the leg; 0 where it is no leg.';

COMMENT ON COLUMN market.definitions.leg_underlying_id IS 'instrument_id of the leg''s underlying; 0 where it has none.';

COMMENT ON COLUMN market.definitions.inst_attrib_value IS 'Bit field of eligibility, by venue.';

COMMENT ON COLUMN market.definitions.market_depth_implied IS 'Levels of the implied book.';

COMMENT ON COLUMN market.definitions.market_depth IS 'Levels of the book.';

COMMENT ON COLUMN market.definitions.min_lot_size IS 'Smallest lot, contracts or shares.';

COMMENT ON COLUMN market.definitions.min_lot_size_block IS 'Smallest block lot.';

COMMENT ON COLUMN market.definitions.min_lot_size_round_lot IS 'Smallest round lot.';

COMMENT ON COLUMN market.definitions.contract_multiplier IS 'Deliverables per contract.';

COMMENT ON COLUMN market.definitions.decay_quantity IS 'Contract quantity that decays each day.';

COMMENT ON COLUMN market.definitions.original_contract_size IS 'Contract size before it decays.';

COMMENT ON COLUMN market.definitions.leg_ratio_price_numerator IS 'Numerator of the leg''s price ratio.';

COMMENT ON COLUMN market.definitions.leg_ratio_price_denominator IS 'Denominator of the leg''s price ratio.';

COMMENT ON COLUMN market.definitions.leg_ratio_qty_numerator IS 'Numerator of the leg''s quantity ratio.';

COMMENT ON COLUMN market.definitions.leg_ratio_qty_denominator IS 'Denominator of the leg''s quantity ratio.';

COMMENT ON COLUMN market.definitions.maturity_year IS 'Year of maturity.';

COMMENT ON COLUMN market.definitions.decay_start_date IS 'When the contract begins to decay: a number of the venue, no date.';

COMMENT ON COLUMN market.definitions.channel_id IS 'The venue''s channel.';

COMMENT ON COLUMN market.definitions.leg_count IS 'Legs of the strategy; 0 for an outright.';

COMMENT ON COLUMN market.definitions.leg_index IS 'Which of the legs this record tells of, from 0.';

COMMENT ON COLUMN market.definitions.trading_reference_date IS 'Date of the reference price, days since 1970; DBN 1 and 2 only.';

COMMENT ON COLUMN market.definitions.appl_id IS 'The venue''s channel as it was numbered before.';

COMMENT ON COLUMN market.definitions.rtype IS 'DBN record type, 19.';

COMMENT ON COLUMN market.definitions.main_fraction IS 'Denominator of the main price fraction.';

COMMENT ON COLUMN market.definitions.price_display_format IS 'Digits right of the price''s tick mark.';

COMMENT ON COLUMN market.definitions.sub_fraction IS 'Denominator of the sub-fraction.';

COMMENT ON COLUMN market.definitions.underlying_product IS 'The venue''s product complex.';

COMMENT ON COLUMN market.definitions.maturity_month IS 'Month of maturity, 1 to 12.';

COMMENT ON COLUMN market.definitions.maturity_day IS 'Day of maturity.';

COMMENT ON COLUMN market.definitions.maturity_week IS 'Week of maturity.';

COMMENT ON COLUMN market.definitions.tick_rule IS 'Table of price increments, by venue.';

COMMENT ON COLUMN market.definitions.contract_multiplier_unit IS 'Whether contracts are counted in hours or days.';

COMMENT ON COLUMN market.definitions.flow_schedule_type IS 'Schedule of delivery (electricity).';

COMMENT ON COLUMN market.definitions.md_security_trading_status IS 'Trading status; DBN 1 and 2 only.';

COMMENT ON COLUMN market.definitions.settl_price_type IS 'Bit field about the settlement price; DBN 1 and 2 only.';

COMMENT ON COLUMN market.definitions.raw_instrument_id IS 'The venue''s own number of the instrument, which may be wider than instrument_id.';

COMMENT ON COLUMN market.definitions.security_update_action IS 'A added, M modified, D deleted.';

COMMENT ON COLUMN market.definitions.instrument_class IS 'B bond, C call, F future, K stock, M mixed spread, P put, S future spread, T option spread, X FX spot, Y commodity spot.';

COMMENT ON COLUMN market.definitions.match_algorithm IS 'How orders are matched, e.g. F first in first out; may be a blank.';

COMMENT ON COLUMN market.definitions.user_defined_instrument IS 'Y where a user defined it, N otherwise.';

COMMENT ON COLUMN market.definitions.leg_instrument_class IS 'instrument_class of the leg.';

COMMENT ON COLUMN market.definitions.leg_side IS 'Side of the leg when the strategy is bought: A sell, B buy, N none.';

COMMENT ON COLUMN market.definitions.raw_symbol IS 'Symbol as the venue spells it.';

COMMENT ON COLUMN market.definitions.security_group IS 'Security group (field `group` of DBN).';

COMMENT ON COLUMN market.definitions.exchange IS 'MIC or code of the exchange.';

COMMENT ON COLUMN market.definitions.asset IS 'Product code, e.g. ES.';

COMMENT ON COLUMN market.definitions.cfi IS 'ISO 10962 classification.';

COMMENT ON COLUMN market.definitions.security_type IS 'Type of security, e.g. FUT.';

COMMENT ON COLUMN market.definitions.unit_of_measure IS 'Unit of the contract''s size.';

COMMENT ON COLUMN market.definitions.underlying IS 'Symbol of the first underlying.';

COMMENT ON COLUMN market.definitions.currency IS 'Currency of the price.';

COMMENT ON COLUMN market.definitions.settl_currency IS 'Currency of settlement.';

COMMENT ON COLUMN market.definitions.secsubtype IS 'Kind of strategy.';

COMMENT ON COLUMN market.definitions.strike_price_currency IS 'Currency of the strike.';

COMMENT ON COLUMN market.definitions.leg_raw_symbol IS 'Symbol of the leg.';

COMMENT ON COLUMN market.definitions.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN market.definitions.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

CREATE TABLE public.mbp1_data (
    ts_event timestamp with time zone NOT NULL,
    ts_recv timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    sequence bigint NOT NULL,
    size bigint,
    price numeric,
    bid_sz_00 bigint,
    ask_sz_00 bigint,
    bid_ct_00 bigint NOT NULL,
    ask_ct_00 bigint NOT NULL,
    bid_px_00 numeric,
    ask_px_00 numeric,
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

COMMENT ON COLUMN public.mbp1_data.ts_event IS 'When the venue''s matching engine made the event, UTC.';

COMMENT ON COLUMN public.mbp1_data.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN public.mbp1_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.mbp1_data.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN public.mbp1_data.size IS 'Contracts or shares.';

COMMENT ON COLUMN public.mbp1_data.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN public.mbp1_data.bid_sz_00 IS 'Contracts or shares at the best bid.';

COMMENT ON COLUMN public.mbp1_data.ask_sz_00 IS 'Contracts or shares at the best ask.';

COMMENT ON COLUMN public.mbp1_data.bid_ct_00 IS 'Orders at the best bid.';

COMMENT ON COLUMN public.mbp1_data.ask_ct_00 IS 'Orders at the best ask.';

COMMENT ON COLUMN public.mbp1_data.bid_px_00 IS 'Best bid; NULL where there is none.';

COMMENT ON COLUMN public.mbp1_data.ask_px_00 IS 'Best ask; NULL where there is none.';

COMMENT ON COLUMN public.mbp1_data.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN public.mbp1_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.mbp1_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.mbp1_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

COMMENT ON COLUMN public.mbp1_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.';

COMMENT ON COLUMN public.mbp1_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.';

COMMENT ON COLUMN public.mbp1_data.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN public.mbp1_data.depth IS 'Book level of the event.';

COMMENT ON COLUMN public.mbp1_data.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN public.mbp1_data.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

CREATE VIEW market.mbp1 AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, t.ts_event_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + t.ts_event_ns)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.ts_recv,
        CASE
            WHEN (ROW(t.ts_recv, t.ts_recv_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_recv) * (1000000)::numeric))::bigint * 1000) + t.ts_recv_ns)
            ELSE NULL::bigint
        END AS ts_recv_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.price,
    (t.price)::double precision AS price_float,
    t.bid_px_00,
    (t.bid_px_00)::double precision AS bid_px_00_float,
    t.ask_px_00,
    (t.ask_px_00)::double precision AS ask_px_00_float,
    t.sequence,
    t.size,
    t.bid_sz_00,
    t.ask_sz_00,
    t.bid_ct_00,
    t.ask_ct_00,
    t.ts_in_delta,
    t.flags,
    t.depth,
    t.action,
    t.side,
    t.chunk_id,
    t.ordinal
   FROM ((public.mbp1_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_recv AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.mbp1 IS 'Every change of the best bid and ask, and every trade. With names, for people.';

COMMENT ON COLUMN market.mbp1.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.mbp1.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.mbp1.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.mbp1.ts_event IS 'When the venue''s matching engine made the event, UTC.';

COMMENT ON COLUMN market.mbp1.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.mbp1.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN market.mbp1.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.mbp1.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.mbp1.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.mbp1.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN market.mbp1.price_float IS 'price as a float, which has 15 digits; price is exact.';

COMMENT ON COLUMN market.mbp1.bid_px_00 IS 'Best bid; NULL where there is none.';

COMMENT ON COLUMN market.mbp1.bid_px_00_float IS 'bid_px_00 as a float, which has 15 digits; bid_px_00 is exact.';

COMMENT ON COLUMN market.mbp1.ask_px_00 IS 'Best ask; NULL where there is none.';

COMMENT ON COLUMN market.mbp1.ask_px_00_float IS 'ask_px_00 as a float, which has 15 digits; ask_px_00 is exact.';

COMMENT ON COLUMN market.mbp1.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN market.mbp1.size IS 'Contracts or shares.';

COMMENT ON COLUMN market.mbp1.bid_sz_00 IS 'Contracts or shares at the best bid.';

COMMENT ON COLUMN market.mbp1.ask_sz_00 IS 'Contracts or shares at the best ask.';

COMMENT ON COLUMN market.mbp1.bid_ct_00 IS 'Orders at the best bid.';

COMMENT ON COLUMN market.mbp1.ask_ct_00 IS 'Orders at the best ask.';

COMMENT ON COLUMN market.mbp1.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN market.mbp1.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN market.mbp1.depth IS 'Book level of the event.';

COMMENT ON COLUMN market.mbp1.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN market.mbp1.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

COMMENT ON COLUMN market.mbp1.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN market.mbp1.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

CREATE VIEW market.names AS
 SELECT symbol_names.dataset,
    symbol_names.instrument_id,
    symbol_names.symbol,
    lower(day_range.day_range) AS valid_from,
    upper(day_range.day_range) AS valid_to
   FROM ingest.symbol_names,
    LATERAL unnest(symbol_names.days) day_range(day_range);

COMMENT ON VIEW market.names IS 'Which raw symbol an instrument id stood for, and on which days (end exclusive): one at a time';

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

CREATE VIEW market.ohlcv_1h AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, 0) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + 0)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.open_price,
    (t.open_price)::double precision AS open_price_float,
    t.high_price,
    (t.high_price)::double precision AS high_price_float,
    t.low_price,
    (t.low_price)::double precision AS low_price_float,
    t.close_price,
    (t.close_price)::double precision AS close_price_float,
    t.vwap,
    (t.vwap)::double precision AS vwap_float,
    t.volume,
    t.trade_count,
    t.granularity,
    t.data_source,
    t.chunk_id
   FROM ((public.ohlcv_1h_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_event AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.ohlcv_1h IS 'Bars of one hour: open, high, low, close and volume. With names, for people.';

COMMENT ON COLUMN market.ohlcv_1h.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.ohlcv_1h.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.ohlcv_1h.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.ohlcv_1h.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN market.ohlcv_1h.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.ohlcv_1h.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.ohlcv_1h.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.ohlcv_1h.open_price IS 'First price of the bar.';

COMMENT ON COLUMN market.ohlcv_1h.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.';

COMMENT ON COLUMN market.ohlcv_1h.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1h.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.';

COMMENT ON COLUMN market.ohlcv_1h.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1h.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.';

COMMENT ON COLUMN market.ohlcv_1h.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN market.ohlcv_1h.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.';

COMMENT ON COLUMN market.ohlcv_1h.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1h.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.';

COMMENT ON COLUMN market.ohlcv_1h.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN market.ohlcv_1h.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1h.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN market.ohlcv_1h.data_source IS 'Where the bar came from: databento, or csv:NAME.';

COMMENT ON COLUMN market.ohlcv_1h.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

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

CREATE VIEW market.ohlcv_1m AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, 0) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + 0)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.open_price,
    (t.open_price)::double precision AS open_price_float,
    t.high_price,
    (t.high_price)::double precision AS high_price_float,
    t.low_price,
    (t.low_price)::double precision AS low_price_float,
    t.close_price,
    (t.close_price)::double precision AS close_price_float,
    t.vwap,
    (t.vwap)::double precision AS vwap_float,
    t.volume,
    t.trade_count,
    t.granularity,
    t.data_source,
    t.chunk_id
   FROM ((public.ohlcv_1m_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_event AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.ohlcv_1m IS 'Bars of one minute: open, high, low, close and volume. With names, for people.';

COMMENT ON COLUMN market.ohlcv_1m.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.ohlcv_1m.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.ohlcv_1m.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.ohlcv_1m.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN market.ohlcv_1m.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.ohlcv_1m.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.ohlcv_1m.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.ohlcv_1m.open_price IS 'First price of the bar.';

COMMENT ON COLUMN market.ohlcv_1m.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.';

COMMENT ON COLUMN market.ohlcv_1m.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1m.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.';

COMMENT ON COLUMN market.ohlcv_1m.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1m.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.';

COMMENT ON COLUMN market.ohlcv_1m.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN market.ohlcv_1m.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.';

COMMENT ON COLUMN market.ohlcv_1m.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1m.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.';

COMMENT ON COLUMN market.ohlcv_1m.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN market.ohlcv_1m.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1m.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN market.ohlcv_1m.data_source IS 'Where the bar came from: databento, or csv:NAME.';

COMMENT ON COLUMN market.ohlcv_1m.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

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

CREATE VIEW market.ohlcv_1s AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, 0) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + 0)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.open_price,
    (t.open_price)::double precision AS open_price_float,
    t.high_price,
    (t.high_price)::double precision AS high_price_float,
    t.low_price,
    (t.low_price)::double precision AS low_price_float,
    t.close_price,
    (t.close_price)::double precision AS close_price_float,
    t.vwap,
    (t.vwap)::double precision AS vwap_float,
    t.volume,
    t.trade_count,
    t.granularity,
    t.data_source,
    t.chunk_id
   FROM ((public.ohlcv_1s_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_event AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.ohlcv_1s IS 'Bars of one second: open, high, low, close and volume. With names, for people.';

COMMENT ON COLUMN market.ohlcv_1s.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.ohlcv_1s.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.ohlcv_1s.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.ohlcv_1s.ts_event IS 'Start of the bar, UTC.';

COMMENT ON COLUMN market.ohlcv_1s.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.ohlcv_1s.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.ohlcv_1s.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.ohlcv_1s.open_price IS 'First price of the bar.';

COMMENT ON COLUMN market.ohlcv_1s.open_price_float IS 'open_price as a float, which has 15 digits; open_price is exact.';

COMMENT ON COLUMN market.ohlcv_1s.high_price IS 'Highest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1s.high_price_float IS 'high_price as a float, which has 15 digits; high_price is exact.';

COMMENT ON COLUMN market.ohlcv_1s.low_price IS 'Lowest price of the bar.';

COMMENT ON COLUMN market.ohlcv_1s.low_price_float IS 'low_price as a float, which has 15 digits; low_price is exact.';

COMMENT ON COLUMN market.ohlcv_1s.close_price IS 'Last price of the bar.';

COMMENT ON COLUMN market.ohlcv_1s.close_price_float IS 'close_price as a float, which has 15 digits; close_price is exact.';

COMMENT ON COLUMN market.ohlcv_1s.vwap IS 'Volume-weighted average price; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1s.vwap_float IS 'vwap as a float, which has 15 digits; vwap is exact.';

COMMENT ON COLUMN market.ohlcv_1s.volume IS 'Contracts or shares traded in the bar.';

COMMENT ON COLUMN market.ohlcv_1s.trade_count IS 'Trades in the bar; NULL where the source has none.';

COMMENT ON COLUMN market.ohlcv_1s.granularity IS 'Width of the bar: 1s, 1m, 1h or 1d.';

COMMENT ON COLUMN market.ohlcv_1s.data_source IS 'Where the bar came from: databento, or csv:NAME.';

COMMENT ON COLUMN market.ohlcv_1s.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

CREATE TABLE public.stat_types (
    stat_type integer NOT NULL,
    name text NOT NULL,
    CONSTRAINT stat_types_stat_type_check CHECK (((stat_type >= 0) AND (stat_type <= 65535)))
);

COMMENT ON TABLE public.stat_types IS 'What kinds of statistics are called; a kind that is not listed here is told by its number';

CREATE TABLE public.statistics_data (
    ts_event timestamp with time zone NOT NULL,
    ts_recv timestamp with time zone NOT NULL,
    ts_ref timestamp with time zone,
    instrument_id bigint NOT NULL,
    quantity bigint,
    sequence bigint NOT NULL,
    price numeric,
    ts_in_delta integer NOT NULL,
    chunk_id integer NOT NULL,
    publisher_id integer NOT NULL,
    stat_type integer NOT NULL,
    channel_id integer,
    ordinal smallint NOT NULL,
    ts_event_ns smallint NOT NULL,
    ts_recv_ns smallint NOT NULL,
    ts_ref_ns smallint,
    update_action smallint NOT NULL,
    stat_flags smallint NOT NULL
);

COMMENT ON COLUMN public.statistics_data.ts_event IS 'When the venue sent it, UTC.';

COMMENT ON COLUMN public.statistics_data.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN public.statistics_data.ts_ref IS 'What time the statistic is about, UTC.';

COMMENT ON COLUMN public.statistics_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.statistics_data.quantity IS 'Value of statistics that are quantities.';

COMMENT ON COLUMN public.statistics_data.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN public.statistics_data.price IS 'Value of statistics that are prices, exact at 1e-9.';

COMMENT ON COLUMN public.statistics_data.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN public.statistics_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.statistics_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.statistics_data.stat_type IS 'What the statistic is: 1 opening price, 3 settlement, 9 open interest …; table stat_types names them.';

COMMENT ON COLUMN public.statistics_data.channel_id IS 'The venue''s channel.';

COMMENT ON COLUMN public.statistics_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

COMMENT ON COLUMN public.statistics_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.';

COMMENT ON COLUMN public.statistics_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.';

COMMENT ON COLUMN public.statistics_data.ts_ref_ns IS 'The 0–999 ns of ts_ref below its microsecond.';

COMMENT ON COLUMN public.statistics_data.update_action IS '1 new, 2 delete.';

COMMENT ON COLUMN public.statistics_data.stat_flags IS 'Bit field of the venue, by stat_type.';

CREATE VIEW market.statistics AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, t.ts_event_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + t.ts_event_ns)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.ts_recv,
        CASE
            WHEN (ROW(t.ts_recv, t.ts_recv_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_recv) * (1000000)::numeric))::bigint * 1000) + t.ts_recv_ns)
            ELSE NULL::bigint
        END AS ts_recv_unix_ns,
    t.ts_ref,
        CASE
            WHEN (ROW(t.ts_ref, t.ts_ref_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_ref) * (1000000)::numeric))::bigint * 1000) + t.ts_ref_ns)
            ELSE NULL::bigint
        END AS ts_ref_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.price,
    (t.price)::double precision AS price_float,
    t.quantity,
    t.sequence,
    t.ts_in_delta,
    t.stat_type,
    COALESCE(s.name, (t.stat_type)::text) AS stat_name,
    t.channel_id,
    t.update_action,
    t.stat_flags,
    t.chunk_id,
    t.ordinal
   FROM (((public.statistics_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_recv AT TIME ZONE 'UTC'::text))::date))))
     LEFT JOIN public.stat_types s ON ((s.stat_type = t.stat_type)));

COMMENT ON VIEW market.statistics IS 'Statistics of venues, with their whole history; statistics_current has the latest values. With names, for people.';

COMMENT ON COLUMN market.statistics.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.statistics.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.statistics.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.statistics.ts_event IS 'When the venue sent it, UTC.';

COMMENT ON COLUMN market.statistics.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.statistics.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN market.statistics.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.statistics.ts_ref IS 'What time the statistic is about, UTC.';

COMMENT ON COLUMN market.statistics.ts_ref_unix_ns IS 'ts_ref, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.statistics.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.statistics.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.statistics.price IS 'Value of statistics that are prices, exact at 1e-9.';

COMMENT ON COLUMN market.statistics.price_float IS 'price as a float, which has 15 digits; price is exact.';

COMMENT ON COLUMN market.statistics.quantity IS 'Value of statistics that are quantities.';

COMMENT ON COLUMN market.statistics.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN market.statistics.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN market.statistics.stat_type IS 'What the statistic is: 1 opening price, 3 settlement, 9 open interest …; table stat_types names them.';

COMMENT ON COLUMN market.statistics.stat_name IS 'Name of the stat_type; its number where it is not known.';

COMMENT ON COLUMN market.statistics.channel_id IS 'The venue''s channel.';

COMMENT ON COLUMN market.statistics.update_action IS '1 new, 2 delete.';

COMMENT ON COLUMN market.statistics.stat_flags IS 'Bit field of the venue, by stat_type.';

COMMENT ON COLUMN market.statistics.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN market.statistics.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

CREATE TABLE public.tbbo_data (
    ts_event timestamp with time zone NOT NULL,
    ts_recv timestamp with time zone NOT NULL,
    instrument_id bigint NOT NULL,
    sequence bigint NOT NULL,
    size bigint,
    price numeric,
    bid_sz_00 bigint,
    ask_sz_00 bigint,
    bid_ct_00 bigint NOT NULL,
    ask_ct_00 bigint NOT NULL,
    bid_px_00 numeric,
    ask_px_00 numeric,
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

COMMENT ON COLUMN public.tbbo_data.ts_event IS 'When the venue''s matching engine made the event, UTC.';

COMMENT ON COLUMN public.tbbo_data.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN public.tbbo_data.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN public.tbbo_data.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN public.tbbo_data.size IS 'Contracts or shares.';

COMMENT ON COLUMN public.tbbo_data.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN public.tbbo_data.bid_sz_00 IS 'Contracts or shares at the best bid.';

COMMENT ON COLUMN public.tbbo_data.ask_sz_00 IS 'Contracts or shares at the best ask.';

COMMENT ON COLUMN public.tbbo_data.bid_ct_00 IS 'Orders at the best bid.';

COMMENT ON COLUMN public.tbbo_data.ask_ct_00 IS 'Orders at the best ask.';

COMMENT ON COLUMN public.tbbo_data.bid_px_00 IS 'Best bid; NULL where there is none.';

COMMENT ON COLUMN public.tbbo_data.ask_px_00 IS 'Best ask; NULL where there is none.';

COMMENT ON COLUMN public.tbbo_data.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN public.tbbo_data.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN public.tbbo_data.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN public.tbbo_data.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

COMMENT ON COLUMN public.tbbo_data.ts_event_ns IS 'The 0–999 ns of ts_event below its microsecond.';

COMMENT ON COLUMN public.tbbo_data.ts_recv_ns IS 'The 0–999 ns of ts_recv below its microsecond.';

COMMENT ON COLUMN public.tbbo_data.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN public.tbbo_data.depth IS 'Book level of the event.';

COMMENT ON COLUMN public.tbbo_data.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN public.tbbo_data.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

CREATE VIEW market.tbbo AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, t.ts_event_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + t.ts_event_ns)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.ts_recv,
        CASE
            WHEN (ROW(t.ts_recv, t.ts_recv_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_recv) * (1000000)::numeric))::bigint * 1000) + t.ts_recv_ns)
            ELSE NULL::bigint
        END AS ts_recv_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.price,
    (t.price)::double precision AS price_float,
    t.bid_px_00,
    (t.bid_px_00)::double precision AS bid_px_00_float,
    t.ask_px_00,
    (t.ask_px_00)::double precision AS ask_px_00_float,
    t.sequence,
    t.size,
    t.bid_sz_00,
    t.ask_sz_00,
    t.bid_ct_00,
    t.ask_ct_00,
    t.ts_in_delta,
    t.flags,
    t.depth,
    t.action,
    t.side,
    t.chunk_id,
    t.ordinal
   FROM ((public.tbbo_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_recv AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.tbbo IS 'Trades, each with the best bid and ask just before it. With names, for people.';

COMMENT ON COLUMN market.tbbo.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.tbbo.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.tbbo.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.tbbo.ts_event IS 'When the venue''s matching engine made the event, UTC.';

COMMENT ON COLUMN market.tbbo.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.tbbo.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN market.tbbo.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.tbbo.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.tbbo.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.tbbo.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN market.tbbo.price_float IS 'price as a float, which has 15 digits; price is exact.';

COMMENT ON COLUMN market.tbbo.bid_px_00 IS 'Best bid; NULL where there is none.';

COMMENT ON COLUMN market.tbbo.bid_px_00_float IS 'bid_px_00 as a float, which has 15 digits; bid_px_00 is exact.';

COMMENT ON COLUMN market.tbbo.ask_px_00 IS 'Best ask; NULL where there is none.';

COMMENT ON COLUMN market.tbbo.ask_px_00_float IS 'ask_px_00 as a float, which has 15 digits; ask_px_00 is exact.';

COMMENT ON COLUMN market.tbbo.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN market.tbbo.size IS 'Contracts or shares.';

COMMENT ON COLUMN market.tbbo.bid_sz_00 IS 'Contracts or shares at the best bid.';

COMMENT ON COLUMN market.tbbo.ask_sz_00 IS 'Contracts or shares at the best ask.';

COMMENT ON COLUMN market.tbbo.bid_ct_00 IS 'Orders at the best bid.';

COMMENT ON COLUMN market.tbbo.ask_ct_00 IS 'Orders at the best ask.';

COMMENT ON COLUMN market.tbbo.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN market.tbbo.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN market.tbbo.depth IS 'Book level of the event.';

COMMENT ON COLUMN market.tbbo.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN market.tbbo.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

COMMENT ON COLUMN market.tbbo.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN market.tbbo.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

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

COMMENT ON COLUMN public.trades_data.ts_event IS 'When the venue''s matching engine made the event, UTC.';

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

COMMENT ON COLUMN public.trades_data.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN public.trades_data.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

CREATE VIEW market.trades AS
 SELECT n.symbol,
    p.dataset,
    p.venue,
    t.ts_event,
        CASE
            WHEN (ROW(t.ts_event, t.ts_event_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_event) * (1000000)::numeric))::bigint * 1000) + t.ts_event_ns)
            ELSE NULL::bigint
        END AS ts_event_unix_ns,
    t.ts_recv,
        CASE
            WHEN (ROW(t.ts_recv, t.ts_recv_ns) <= ROW('2262-04-11 23:47:16.854775+00'::timestamp with time zone, 807)) THEN ((((EXTRACT(epoch FROM t.ts_recv) * (1000000)::numeric))::bigint * 1000) + t.ts_recv_ns)
            ELSE NULL::bigint
        END AS ts_recv_unix_ns,
    t.instrument_id,
    t.publisher_id,
    t.price,
    (t.price)::double precision AS price_float,
    t.sequence,
    t.size,
    t.ts_in_delta,
    t.flags,
    t.depth,
    t.action,
    t.side,
    t.chunk_id,
    t.ordinal
   FROM ((public.trades_data t
     LEFT JOIN public.publishers p ON ((p.publisher_id = t.publisher_id)))
     LEFT JOIN ingest.symbol_names n ON (((n.dataset = p.dataset) AND (n.instrument_id = t.instrument_id) AND (n.days @> ((t.ts_recv AT TIME ZONE 'UTC'::text))::date))));

COMMENT ON VIEW market.trades IS 'Trades, every one, exactly as delivered. With names, for people.';

COMMENT ON COLUMN market.trades.symbol IS 'Raw symbol that the instrument had on the UTC day of the index timestamp; NULL where no payload told one.';

COMMENT ON COLUMN market.trades.dataset IS 'Dataset of the publisher, e.g. GLBX.MDP3.';

COMMENT ON COLUMN market.trades.venue IS 'Venue of the publisher; NULL where it is not known.';

COMMENT ON COLUMN market.trades.ts_event IS 'When the venue''s matching engine made the event, UTC.';

COMMENT ON COLUMN market.trades.ts_event_unix_ns IS 'ts_event, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.trades.ts_recv IS 'When the capture server received it: the index timestamp.';

COMMENT ON COLUMN market.trades.ts_recv_unix_ns IS 'ts_recv, whole nanoseconds since 1970; NULL after 2262-04-11.';

COMMENT ON COLUMN market.trades.instrument_id IS 'The venue''s number of the instrument, unique in a dataset.';

COMMENT ON COLUMN market.trades.publisher_id IS 'Dataset and venue, see table publishers.';

COMMENT ON COLUMN market.trades.price IS 'Price, exact at 1e-9.';

COMMENT ON COLUMN market.trades.price_float IS 'price as a float, which has 15 digits; price is exact.';

COMMENT ON COLUMN market.trades.sequence IS 'The venue''s message sequence number.';

COMMENT ON COLUMN market.trades.size IS 'Contracts or shares.';

COMMENT ON COLUMN market.trades.ts_in_delta IS 'ts_recv minus the venue''s sending time, nanoseconds.';

COMMENT ON COLUMN market.trades.flags IS 'Bit field: LAST 128, TOB 64, SNAPSHOT 32, MBP 16, BAD_TS_RECV 8.';

COMMENT ON COLUMN market.trades.depth IS 'Book level of the event.';

COMMENT ON COLUMN market.trades.action IS 'Event action: T trade, F fill, A add, C cancel, M modify, R clear, N none.';

COMMENT ON COLUMN market.trades.side IS 'Side of the aggressor of a trade, of the order otherwise: A ask, B bid, N none.';

COMMENT ON COLUMN market.trades.chunk_id IS 'The ledger''s chunk that wrote the row: its receipt and payload.';

COMMENT ON COLUMN market.trades.ordinal IS '0, 1, 2 … among records that share every other key column, in delivery order.';

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

CREATE VIEW public.statistics_current AS
 SELECT c.ts_event,
    c.ts_recv,
    c.ts_ref,
    c.instrument_id,
    c.quantity,
    c.sequence,
    c.price,
    c.ts_in_delta,
    c.chunk_id,
    c.publisher_id,
    c.stat_type,
    c.channel_id,
    c.ordinal,
    c.ts_event_ns,
    c.ts_recv_ns,
    c.ts_ref_ns,
    c.update_action,
    c.stat_flags,
    COALESCE(n.name, (c.stat_type)::text) AS stat_name
   FROM (( SELECT DISTINCT ON (told.publisher_id, told.instrument_id, told.stat_type) told.ts_event,
            told.ts_recv,
            told.ts_ref,
            told.instrument_id,
            told.quantity,
            told.sequence,
            told.price,
            told.ts_in_delta,
            told.chunk_id,
            told.publisher_id,
            told.stat_type,
            told.channel_id,
            told.ordinal,
            told.ts_event_ns,
            told.ts_recv_ns,
            told.ts_ref_ns,
            told.update_action,
            told.stat_flags
           FROM ( SELECT DISTINCT ON (statistics_data.publisher_id, statistics_data.instrument_id, statistics_data.stat_type, statistics_data.ts_ref, statistics_data.ts_ref_ns) statistics_data.ts_event,
                    statistics_data.ts_recv,
                    statistics_data.ts_ref,
                    statistics_data.instrument_id,
                    statistics_data.quantity,
                    statistics_data.sequence,
                    statistics_data.price,
                    statistics_data.ts_in_delta,
                    statistics_data.chunk_id,
                    statistics_data.publisher_id,
                    statistics_data.stat_type,
                    statistics_data.channel_id,
                    statistics_data.ordinal,
                    statistics_data.ts_event_ns,
                    statistics_data.ts_recv_ns,
                    statistics_data.ts_ref_ns,
                    statistics_data.update_action,
                    statistics_data.stat_flags
                   FROM public.statistics_data
                  ORDER BY statistics_data.publisher_id, statistics_data.instrument_id, statistics_data.stat_type, statistics_data.ts_ref, statistics_data.ts_ref_ns, statistics_data.ts_recv DESC, statistics_data.ts_recv_ns DESC, statistics_data.ts_event DESC, statistics_data.ts_event_ns DESC, statistics_data.sequence DESC, statistics_data.ordinal DESC) told
          WHERE (told.update_action <> 2)
          ORDER BY told.publisher_id, told.instrument_id, told.stat_type, COALESCE(told.ts_ref, told.ts_event) DESC, COALESCE(told.ts_ref_ns, told.ts_event_ns) DESC, told.ts_recv DESC, told.ts_recv_ns DESC, told.ts_event DESC, told.ts_event_ns DESC, told.sequence DESC, told.ordinal DESC) c
     LEFT JOIN public.stat_types n ON ((n.stat_type = c.stat_type)));

COMMENT ON VIEW public.statistics_current IS 'The value in force of each statistic: of the latest reference time, as the last message about it told';

COMMENT ON COLUMN public.statistics_current.stat_name IS 'Name of the stat_type; its number where it is not known.';

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

ALTER TABLE ONLY ingest.flagged
    ADD CONSTRAINT flagged_chunk_id_position_rule_key UNIQUE (chunk_id, "position", rule);

ALTER TABLE ONLY ingest.flagged
    ADD CONSTRAINT flagged_pkey PRIMARY KEY (flagged_id);

ALTER TABLE ONLY ingest.halts
    ADD CONSTRAINT halts_pkey PRIMARY KEY (halt_id);

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

ALTER TABLE ONLY ingest.rechecks
    ADD CONSTRAINT rechecks_pkey PRIMARY KEY (recheck_id);

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

ALTER TABLE ONLY public.definitions_data
    ADD CONSTRAINT definitions_data_pkey PRIMARY KEY (instrument_id, ts_recv, publisher_id, leg_index, ordinal);

ALTER TABLE ONLY public.mbp1_data
    ADD CONSTRAINT mbp1_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal);

ALTER TABLE ONLY public.ohlcv_1h_data
    ADD CONSTRAINT ohlcv_1h_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.ohlcv_1m_data
    ADD CONSTRAINT ohlcv_1m_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.ohlcv_1s_data
    ADD CONSTRAINT ohlcv_1s_data_pkey PRIMARY KEY (instrument_id, ts_event, publisher_id);

ALTER TABLE ONLY public.publishers
    ADD CONSTRAINT publishers_pkey PRIMARY KEY (publisher_id);

ALTER TABLE ONLY public.stat_types
    ADD CONSTRAINT stat_types_pkey PRIMARY KEY (stat_type);

ALTER TABLE ONLY public.statistics_data
    ADD CONSTRAINT statistics_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, stat_type, sequence, publisher_id, ordinal);

ALTER TABLE ONLY public.tbbo_data
    ADD CONSTRAINT tbbo_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal);

ALTER TABLE ONLY public.trades_data
    ADD CONSTRAINT trades_data_pkey PRIMARY KEY (instrument_id, ts_event, ts_recv, sequence, publisher_id, ordinal);

CREATE INDEX attempts_chunk_idx ON ingest.attempts USING btree (chunk_id);

CREATE INDEX chunks_cut_by_idx ON ingest.chunks USING btree (payload_id) WHERE (cut_by IS NOT NULL);

CREATE INDEX chunks_in_progress_idx ON ingest.chunks USING btree (chunk_id) WHERE (state = 'in_progress'::text);

CREATE INDEX chunks_job_idx ON ingest.chunks USING btree (job_id, state);

CREATE INDEX chunks_open_idx ON ingest.chunks USING btree (job_id, chunk_id) WHERE (state = ANY (ARRAY['pending'::text, 'queued'::text, 'in_progress'::text, 'retrying'::text]));

CREATE INDEX chunks_queued_idx ON ingest.chunks USING btree (enqueued_at) WHERE (state = 'queued'::text);

CREATE INDEX chunks_replays_idx ON ingest.chunks USING btree (replays) WHERE (replays IS NOT NULL);

CREATE INDEX chunks_waiting_idx ON ingest.chunks USING btree (job_id, chunk_id) WHERE (state = ANY (ARRAY['pending'::text, 'retrying'::text]));

CREATE INDEX dead_letters_chunk_idx ON ingest.dead_letters USING btree (chunk_id);

CREATE INDEX dead_letters_open_idx ON ingest.dead_letters USING btree (job_id) WHERE (resolved_at IS NULL);

CREATE INDEX flagged_instrument_idx ON ingest.flagged USING btree (publisher_id, instrument_id);

CREATE UNIQUE INDEX halts_standing_idx ON ingest.halts USING btree (sqlstate) WHERE (lifted_at IS NULL);

CREATE INDEX jobs_created_idx ON ingest.jobs USING btree (created_at DESC);

CREATE INDEX jobs_open_idx ON ingest.jobs USING btree (priority DESC, created_at) WHERE (state = ANY (ARRAY['pending'::text, 'running'::text]));

CREATE INDEX payloads_sha256_idx ON ingest.payloads USING btree (sha256);

CREATE INDEX quarantine_instrument_idx ON ingest.quarantine USING btree (publisher_id, instrument_id);

CREATE INDEX rechecks_chunk_idx ON ingest.rechecks USING btree (chunk_id);

CREATE INDEX requests_job_idx ON ingest.requests USING btree (job_id);

CREATE INDEX supersessions_new_idx ON ingest.supersessions USING btree (new_chunk);

CREATE INDEX supersessions_old_idx ON ingest.supersessions USING btree (old_chunk);

CREATE INDEX symbol_intervals_instrument_idx ON ingest.symbol_intervals USING btree (instrument_id, dataset) WHERE ((stype_in = 'raw_symbol'::text) AND (stype_out = 'instrument_id'::text));

CREATE INDEX symbol_intervals_symbol_idx ON ingest.symbol_intervals USING btree (symbol) WHERE ((stype_in = 'raw_symbol'::text) AND (stype_out = 'instrument_id'::text));

CREATE INDEX daily_ohlcv_data_time_idx ON public.daily_ohlcv_data USING btree (ts_event DESC);

CREATE INDEX definitions_data_time_idx ON public.definitions_data USING btree (ts_recv DESC);

CREATE INDEX publishers_dataset_idx ON public.publishers USING btree (dataset);

CREATE TRIGGER chunks_receipt_immutable BEFORE UPDATE ON ingest.chunks FOR EACH ROW WHEN (((old.receipt IS NOT NULL) AND (new.receipt IS DISTINCT FROM old.receipt))) EXECUTE FUNCTION ingest.refuse_change();

ALTER TABLE ONLY ingest.attempts
    ADD CONSTRAINT attempts_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_payload_id_fkey FOREIGN KEY (payload_id) REFERENCES ingest.payloads(payload_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_replays_fkey FOREIGN KEY (replays) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_request_id_fkey FOREIGN KEY (request_id) REFERENCES ingest.requests(request_id);

ALTER TABLE ONLY ingest.chunks
    ADD CONSTRAINT chunks_symbol_group_id_fkey FOREIGN KEY (symbol_group_id) REFERENCES ingest.symbol_groups(symbol_group_id);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.dead_letters
    ADD CONSTRAINT dead_letters_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.flagged
    ADD CONSTRAINT flagged_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.flagged
    ADD CONSTRAINT flagged_recheck_id_fkey FOREIGN KEY (recheck_id) REFERENCES ingest.rechecks(recheck_id);

ALTER TABLE ONLY ingest.leases
    ADD CONSTRAINT leases_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_resolved_by_fkey FOREIGN KEY (resolved_by) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.quarantine
    ADD CONSTRAINT quarantine_superseded_by_fkey FOREIGN KEY (superseded_by) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.rechecks
    ADD CONSTRAINT rechecks_chunk_id_fkey FOREIGN KEY (chunk_id) REFERENCES ingest.chunks(chunk_id);

ALTER TABLE ONLY ingest.requests
    ADD CONSTRAINT requests_job_id_fkey FOREIGN KEY (job_id) REFERENCES ingest.jobs(job_id);

ALTER TABLE ONLY ingest.requests
    ADD CONSTRAINT requests_symbol_group_id_fkey FOREIGN KEY (symbol_group_id) REFERENCES ingest.symbol_groups(symbol_group_id);

ALTER TABLE ONLY ingest.supersessions
    ADD CONSTRAINT supersessions_new_chunk_fkey FOREIGN KEY (new_chunk) REFERENCES ingest.chunks(chunk_id);

GRANT USAGE ON SCHEMA ingest TO hdi_worker;
GRANT USAGE ON SCHEMA ingest TO hdi_reader;

GRANT USAGE ON SCHEMA market TO hdi_worker;
GRANT USAGE ON SCHEMA market TO hdi_reader;

GRANT USAGE ON SCHEMA public TO hdi_worker;
GRANT USAGE ON SCHEMA public TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.definitions_data TO hdi_worker;
GRANT SELECT ON TABLE public.definitions_data TO hdi_reader;

GRANT ALL ON FUNCTION public.definitions_at(at timestamp with time zone) TO hdi_worker;
GRANT ALL ON FUNCTION public.definitions_at(at timestamp with time zone) TO hdi_reader;

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

GRANT SELECT,INSERT,DELETE ON TABLE ingest.flagged TO hdi_worker;
GRANT SELECT ON TABLE ingest.flagged TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.halts TO hdi_worker;
GRANT SELECT ON TABLE ingest.halts TO hdi_reader;

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

GRANT UPDATE(superseded_by) ON TABLE ingest.quarantine TO hdi_worker;

GRANT UPDATE(resolution) ON TABLE ingest.quarantine TO hdi_worker;

GRANT UPDATE(resolved_at) ON TABLE ingest.quarantine TO hdi_worker;

GRANT UPDATE(resolved_by) ON TABLE ingest.quarantine TO hdi_worker;

GRANT UPDATE(resolved_reason) ON TABLE ingest.quarantine TO hdi_worker;

GRANT SELECT,INSERT ON TABLE ingest.rechecks TO hdi_worker;
GRANT SELECT ON TABLE ingest.rechecks TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.requests TO hdi_worker;
GRANT SELECT ON TABLE ingest.requests TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.supersessions TO hdi_worker;
GRANT SELECT ON TABLE ingest.supersessions TO hdi_reader;

GRANT SELECT,INSERT ON TABLE ingest.symbol_groups TO hdi_worker;
GRANT SELECT ON TABLE ingest.symbol_groups TO hdi_reader;

GRANT SELECT,INSERT,UPDATE ON TABLE ingest.symbol_intervals TO hdi_worker;
GRANT SELECT ON TABLE ingest.symbol_intervals TO hdi_reader;

GRANT SELECT ON TABLE ingest.symbol_names TO hdi_worker;
GRANT SELECT ON TABLE ingest.symbol_names TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE ingest.workers TO hdi_worker;
GRANT SELECT ON TABLE ingest.workers TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.daily_ohlcv_data TO hdi_worker;
GRANT SELECT ON TABLE public.daily_ohlcv_data TO hdi_reader;

GRANT SELECT,INSERT ON TABLE public.publishers TO hdi_worker;
GRANT SELECT ON TABLE public.publishers TO hdi_reader;

GRANT SELECT ON TABLE market.daily_ohlcv TO hdi_worker;
GRANT SELECT ON TABLE market.daily_ohlcv TO hdi_reader;

GRANT SELECT ON TABLE market.definitions TO hdi_worker;
GRANT SELECT ON TABLE market.definitions TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mbp1_data TO hdi_worker;
GRANT SELECT ON TABLE public.mbp1_data TO hdi_reader;

GRANT SELECT ON TABLE market.mbp1 TO hdi_worker;
GRANT SELECT ON TABLE market.mbp1 TO hdi_reader;

GRANT SELECT ON TABLE market.names TO hdi_worker;
GRANT SELECT ON TABLE market.names TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1h_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1h_data TO hdi_reader;

GRANT SELECT ON TABLE market.ohlcv_1h TO hdi_worker;
GRANT SELECT ON TABLE market.ohlcv_1h TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1m_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1m_data TO hdi_reader;

GRANT SELECT ON TABLE market.ohlcv_1m TO hdi_worker;
GRANT SELECT ON TABLE market.ohlcv_1m TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.ohlcv_1s_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_1s_data TO hdi_reader;

GRANT SELECT ON TABLE market.ohlcv_1s TO hdi_worker;
GRANT SELECT ON TABLE market.ohlcv_1s TO hdi_reader;

GRANT SELECT ON TABLE public.stat_types TO hdi_worker;
GRANT SELECT ON TABLE public.stat_types TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.statistics_data TO hdi_worker;
GRANT SELECT ON TABLE public.statistics_data TO hdi_reader;

GRANT SELECT ON TABLE market.statistics TO hdi_worker;
GRANT SELECT ON TABLE market.statistics TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tbbo_data TO hdi_worker;
GRANT SELECT ON TABLE public.tbbo_data TO hdi_reader;

GRANT SELECT ON TABLE market.tbbo TO hdi_worker;
GRANT SELECT ON TABLE market.tbbo TO hdi_reader;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.trades_data TO hdi_worker;
GRANT SELECT ON TABLE public.trades_data TO hdi_reader;

GRANT SELECT ON TABLE market.trades TO hdi_worker;
GRANT SELECT ON TABLE market.trades TO hdi_reader;

GRANT SELECT ON TABLE public.continuous_rolls TO hdi_worker;
GRANT SELECT ON TABLE public.continuous_rolls TO hdi_reader;

GRANT SELECT ON TABLE public.ohlcv_data TO hdi_worker;
GRANT SELECT ON TABLE public.ohlcv_data TO hdi_reader;

GRANT SELECT ON TABLE public.parent_members TO hdi_worker;
GRANT SELECT ON TABLE public.parent_members TO hdi_reader;

GRANT SELECT ON TABLE public.statistics_current TO hdi_worker;
GRANT SELECT ON TABLE public.statistics_current TO hdi_reader;

GRANT SELECT ON TABLE public.symbol_mappings TO hdi_worker;
GRANT SELECT ON TABLE public.symbol_mappings TO hdi_reader;

INSERT INTO ingest.alembic_version VALUES ('0006');

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

INSERT INTO public.stat_types VALUES (1, 'opening_price');
INSERT INTO public.stat_types VALUES (2, 'indicative_opening_price');
INSERT INTO public.stat_types VALUES (3, 'settlement_price');
INSERT INTO public.stat_types VALUES (4, 'trading_session_low_price');
INSERT INTO public.stat_types VALUES (5, 'trading_session_high_price');
INSERT INTO public.stat_types VALUES (6, 'cleared_volume');
INSERT INTO public.stat_types VALUES (7, 'lowest_offer');
INSERT INTO public.stat_types VALUES (8, 'highest_bid');
INSERT INTO public.stat_types VALUES (9, 'open_interest');
INSERT INTO public.stat_types VALUES (10, 'fixing_price');
INSERT INTO public.stat_types VALUES (11, 'close_price');
INSERT INTO public.stat_types VALUES (12, 'net_change');
INSERT INTO public.stat_types VALUES (13, 'vwap');
INSERT INTO public.stat_types VALUES (14, 'volatility');
INSERT INTO public.stat_types VALUES (15, 'delta');
INSERT INTO public.stat_types VALUES (16, 'uncrossing_price');
INSERT INTO public.stat_types VALUES (17, 'upper_price_limit');
INSERT INTO public.stat_types VALUES (18, 'lower_price_limit');
INSERT INTO public.stat_types VALUES (19, 'block_volume');
INSERT INTO public.stat_types VALUES (20, 'indicative_close_price');
INSERT INTO public.stat_types VALUES (21, 'mwcb_level_1');
INSERT INTO public.stat_types VALUES (22, 'mwcb_level_2');
INSERT INTO public.stat_types VALUES (23, 'mwcb_level_3');
INSERT INTO public.stat_types VALUES (24, 'auction_collar_reference_price');
INSERT INTO public.stat_types VALUES (25, 'auction_collar_upper_price');
INSERT INTO public.stat_types VALUES (26, 'auction_collar_lower_price');
INSERT INTO public.stat_types VALUES (10001, 'venue_specific_volume_1');
INSERT INTO public.stat_types VALUES (10002, 'venue_specific_price_1');
