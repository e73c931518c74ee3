-- Keeps two rebuilds apart, for as long as the session lasts.
-- Rows: one: boolean, false when another holds it
select pg_try_advisory_lock(hashtextextended('rastro.rebuild.products', 0))
