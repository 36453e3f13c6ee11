-- raise --
-- Stops the line for $5 seconds: $1 SQLSTATE, $2 reason, $3 hint, $4 worker. One that stands goes on
-- standing, with the latest words.
INSERT INTO ingest.halts AS h (sqlstate, reason, hint, worker, probe_at)
VALUES ($1, $2, $3, $4, clock_timestamp() + make_interval(secs => $5))
ON CONFLICT (sqlstate) WHERE lifted_at IS NULL DO UPDATE
SET reason = excluded.reason, worker = excluded.worker, probe_at = excluded.probe_at

-- standing --
-- What keeps chunks from being claimed, oldest first.
SELECT sqlstate, reason, hint, worker, raised_at, probes,
       extract(epoch FROM clock_timestamp() - raised_at)::FLOAT8 AS stands_s,
       greatest(0, extract(epoch FROM probe_at - clock_timestamp()))::FLOAT8 AS probe_in_s
FROM ingest.halts WHERE lifted_at IS NULL ORDER BY halt_id

-- closed --
-- Whether nobody may claim a chunk at this moment.
SELECT EXISTS (SELECT 1 FROM ingest.halts
               WHERE lifted_at IS NULL AND probe_at > clock_timestamp())

-- read_only --
-- Whether the server takes no writes at all: a standby, or set so. A halt cannot be recorded then. What
-- is set for a login or a session alone does not count.
SELECT pg_is_in_recovery() OR EXISTS (
    SELECT 1 FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on'
    AND source NOT IN ('user', 'database user', 'client', 'session'))
