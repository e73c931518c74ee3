-- Waits until no batch is under way: the first step after a lost connection.
select one from log_head for update
