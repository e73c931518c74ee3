-- Makes the log's head at first start; later starts change nothing.
-- $1 text origin, $2 text incarnation (8 hex digits), $3 bigint events a partition
insert into log_head (origin, incarnation, partition_size) values ($1::text, $2::text, $3::bigint)
on conflict (one) do nothing
