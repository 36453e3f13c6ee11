-- server --
SELECT current_setting('server_version_num')::INTEGER AS version,
       current_setting('max_locks_per_transaction')::INTEGER AS locks,
       current_user::TEXT AS login

-- lacking --
-- Of the privileges $2 on the tables $1, pair by pair, those that this login lacks.
SELECT coalesce(array_agg(privilege || ' on ' || name ORDER BY name, privilege), '{}')
FROM unnest($1::TEXT[], $2::TEXT[]) AS u(name, privilege)
WHERE NOT has_table_privilege(name, privilege)

-- extra_indexes --
-- Indexes of the tables $1 that are neither a primary key nor named in $2.
SELECT coalesce(array_agg(c.relname::TEXT ORDER BY c.relname), '{}')
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relnamespace = 'public'::REGNAMESPACE AND t.relname = ANY($1::TEXT[])
  AND NOT i.indisprimary AND c.relname <> ALL($2::TEXT[])
