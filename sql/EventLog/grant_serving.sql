-- Gives the serving role what it needs.
-- $1 text role
select grant_serving($1::text::name)
