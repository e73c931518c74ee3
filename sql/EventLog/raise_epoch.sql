-- Deposes whatever this writer's lost connection may still try to commit.
-- $1 bigint writer
-- Rows: one: epoch bigint; none when the row was swept
update writers set epoch = epoch + 1 where writer_no = $1::bigint returning epoch
