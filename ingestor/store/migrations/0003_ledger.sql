-- What a quarantined record is of, taken from its bytes: who, which instrument, which index timestamp.
-- Its ordinal is not in them: unknown of records of before.
ALTER TABLE ingest.quarantine
    ADD COLUMN publisher_id INTEGER,
    ADD COLUMN instrument_id BIGINT,
    ADD COLUMN index_ns NUMERIC(20),
    ADD COLUMN superseded_by INTEGER REFERENCES ingest.chunks,
    ADD COLUMN ordinal INTEGER
--------
-- Records of before: bars (56 bytes) have their index timestamp, ts_event, at byte 8; trades (48
-- bytes) theirs, ts_recv, at byte 32. Little endian.
UPDATE ingest.quarantine q
SET publisher_id = get_byte(raw, 2) + get_byte(raw, 3) * 256,
    instrument_id = get_byte(raw, 4) + get_byte(raw, 5) * 256 + get_byte(raw, 6) * 65536
        + get_byte(raw, 7)::BIGINT * 16777216,
    index_ns = nullif((
        SELECT sum(get_byte(raw, CASE octet_length(raw) WHEN 48 THEN 32 ELSE 8 END + at)
                   * 256::NUMERIC ^ at)
        FROM generate_series(0, 7) AS at), 18446744073709551615)
--------
ALTER TABLE ingest.quarantine
    ALTER COLUMN publisher_id SET NOT NULL,
    ALTER COLUMN instrument_id SET NOT NULL
--------
COMMENT ON COLUMN ingest.quarantine.index_ns IS
    'Index timestamp, nanoseconds since 1970; null where the record has none'
--------
COMMENT ON COLUMN ingest.quarantine.superseded_by IS
    'Chunk of a forced load that took the place of all that was delivered before'
--------
COMMENT ON COLUMN ingest.quarantine.ordinal IS
    'Place among delivered records that share every other key column; null where it was not kept'
--------
CREATE INDEX quarantine_instrument_idx ON ingest.quarantine (publisher_id, instrument_id)
--------
GRANT UPDATE (superseded_by) ON ingest.quarantine TO hdi_worker
--------
-- What a receipt says was true when it was committed; rows that later loads took are supersessions.
CREATE FUNCTION ingest.refuse_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the receipt of chunk % is immutable', OLD.chunk_id
        USING ERRCODE = 'integrity_constraint_violation';
END $$
--------
CREATE TRIGGER chunks_receipt_immutable BEFORE UPDATE ON ingest.chunks FOR EACH ROW
    WHEN (OLD.receipt IS NOT NULL AND NEW.receipt IS DISTINCT FROM OLD.receipt)
    EXECUTE FUNCTION ingest.refuse_change()
