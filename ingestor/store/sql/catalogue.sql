-- versions --
SELECT current_setting('server_version') AS postgresql,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       current_setting('timescaledb.license', true) AS license,
       to_regclass('ingest.alembic_version') IS NOT NULL AS migrated

-- revision --
SELECT version_num FROM ingest.alembic_version

-- foreign --
-- Relations called $1 (public.…, market.…), which no migration of ours has made yet; $2: nor has
-- any made the ledger's namespace.
SELECT array_agg(name ORDER BY name) FROM (
    SELECT nspname || '.' || relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE nspname || '.' || relname = ANY($1::TEXT[]) AND relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'namespace ' || nspname FROM pg_namespace WHERE nspname = 'ingest' AND $2) s

-- may_create_extension --
SELECT EXISTS (SELECT 1 FROM pg_available_extensions
               WHERE name = 'timescaledb' AND installed_version IS NULL)
   AND 'timescaledb' = ANY(string_to_array(
           replace(current_setting('shared_preload_libraries', true), ' ', ''), ','))
   AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)

-- create_extension --
CREATE EXTENSION IF NOT EXISTS timescaledb

-- login_exists --
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1 AND rolcanlogin)

-- grant_statement --
SELECT format('GRANT %I TO %I', $1::TEXT, $2::TEXT)
