-- Removes what is left of a deleted queue once its messages are swept.
-- $1 smallint queue
-- Rows: one: integer 1 when it is gone
select forget_queue($1::smallint)
