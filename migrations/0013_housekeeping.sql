-- written by: serve-gateway (catalogue.viewed)
-- How much a product is looked at. heat is the binary logarithm of its views, where one counts twice as much as one of the day before:
-- so it never has to be cooled down, and whoever has more is looked at more these days. It knows nothing of who looked.

-- +goose Up
CREATE TABLE catalogue.viewed (
    product_id uuid             PRIMARY KEY,
    heat       double precision NOT NULL
);
CREATE INDEX viewed_by_heat ON catalogue.viewed (heat DESC);
