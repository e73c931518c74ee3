-- Leaves the mark by which a writer that lost its connection learns that its COMMIT happened.
-- $1 bigint writer, $2 bigint batch number, $3 bigint first position, $4 bigint last position
insert into batches (writer_no, number, first_position, last_position, committed_at)
values ($1::bigint, $2::bigint, $3::bigint, $4::bigint, clock_timestamp())
