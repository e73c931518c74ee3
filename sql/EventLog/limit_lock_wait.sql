-- Bounds every wait for a lock until this transaction ends, so that a long reader does not stop the log.
-- Rows: one, of no interest
select set_config('lock_timeout', '50ms', true)
