-- Gives this process a writer row.
-- $1 text name
-- Rows: one: writer_no bigint, epoch bigint
insert into writers (epoch, name) values (1, $1::text) returning writer_no, epoch
