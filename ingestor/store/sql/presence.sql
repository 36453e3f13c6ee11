-- seen --
INSERT INTO ingest.workers (worker, role, host, pid, version, vault_id)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (worker) DO UPDATE
SET last_seen = clock_timestamp(), pid = excluded.pid, host = excluded.host,
    version = excluded.version, vault_id = excluded.vault_id

-- idle --
UPDATE ingest.workers SET chunk_id = NULL, last_seen = clock_timestamp() WHERE worker = $1

-- gone --
DELETE FROM ingest.workers WHERE worker = ANY($1::TEXT[])

-- forget --
-- Rows of processes that have not been seen for a day.
DELETE FROM ingest.workers WHERE last_seen < clock_timestamp() - INTERVAL '1 day'

-- slots --
-- Worker processes seen in the last $1 seconds.
SELECT count(*) FROM ingest.workers
WHERE role = 'worker' AND last_seen > clock_timestamp() - make_interval(secs => $1)

-- of_host --
SELECT worker FROM ingest.workers WHERE role = 'worker' AND host = $1
