-- Puts a rebuilt table in the place of the projection.
-- $1 text the table, $2 text name to keep the old one under, or null to drop it
select swap_products($1::text::name, $2::text::name)
