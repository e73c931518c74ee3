-- Ends a key; the row's columns are null when there is no such key or it was ended before.
-- $1 text key id, $2 timestamptz when
-- Rows: one: client_no integer, user_no integer
select client_no, user_no from end_api_key($1::text, $2::timestamptz)
