-- Which of the batch's API keys serve at this moment, under the head's lock: no event follows a key's revocation, nor,
-- by an old secret, its rotation.
-- $1 integer[] client numbers
-- Rows: client_no integer, generation integer
-- Fast: api_keys_pkey.
select client_no, generation from api_keys
where client_no = any ($1::integer[]) and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
