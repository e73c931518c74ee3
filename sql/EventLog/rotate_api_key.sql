-- Gives a key a new secret; the columns are null when there is no such active key. No event by the old secret follows.
-- $1 text key id, $2 bytea SHA-256 of the secret
-- Rows: one: client_no integer, generation integer
select client_no, generation from renew_api_key($1::text, $2::bytea)
