-- written by: serve-gateway, tidy-shop (catalogue.viewed), tidy-shop (orders.baskets, accounts.sessions, accounts.throttles, bus.rates)
-- What is looked at, so that it can be had ready; and what the shop needs to forget what has run out.

-- +goose Up
-- How much a product is looked at. heat is the binary logarithm of its views, where one counts twice as much as one of the day before:
-- so it never has to be cooled down, and whoever has more is looked at more these days. It knows nothing of who looked.
CREATE TABLE catalogue.viewed (
    product_id uuid             PRIMARY KEY,
    heat       double precision NOT NULL
);
CREATE INDEX viewed_by_heat ON catalogue.viewed (heat DESC);

-- Baskets go when their time is over, ordered or not.
DROP INDEX orders.baskets_by_expiry;
CREATE INDEX baskets_by_expiry ON orders.baskets (expires_at);
CREATE INDEX sessions_by_expiry ON accounts.sessions (expires_at);
CREATE INDEX idempotency_by_time ON bus.idempotency (created_at);

-- Steps see of these no more than what has run out, so that is all that they can take away.
CREATE POLICY steps_see_what_ran_out ON orders.baskets TO popup_steps USING (expires_at < now());
CREATE POLICY steps_see_what_ran_out ON accounts.sessions TO popup_steps USING (expires_at < now() - interval '30 days');
