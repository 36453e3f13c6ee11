-- settle --
-- Fixes a fact of the database; the first one stays.
INSERT INTO ingest.meta (key, value) VALUES ($1, to_jsonb($2::TEXT)) ON CONFLICT (key) DO NOTHING

-- fact --
SELECT value #>> '{}' FROM ingest.meta WHERE key = $1
