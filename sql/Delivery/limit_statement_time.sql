-- Bounds every statement until this transaction ends.
-- Rows: one, of no interest
select set_config('statement_timeout', '2s', true)
