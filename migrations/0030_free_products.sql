-- written by: nobody new
-- A product may cost nothing.

-- +goose Up
ALTER TABLE catalogue.products DROP CONSTRAINT products_price_above_zero,
    ADD CONSTRAINT products_price_not_negative CHECK (price_minor >= 0) NOT VALID;
ALTER TABLE catalogue.products VALIDATE CONSTRAINT products_price_not_negative;
ALTER TABLE catalogue.variants DROP CONSTRAINT variants_price_above_zero,
    ADD CONSTRAINT variants_price_not_negative CHECK (price_minor >= 0) NOT VALID;
ALTER TABLE catalogue.variants VALIDATE CONSTRAINT variants_price_not_negative;
ALTER TABLE orders.lines DROP CONSTRAINT lines_unit_price_minor_check,
    ADD CONSTRAINT lines_price_not_negative CHECK (unit_price_minor >= 0) NOT VALID;
ALTER TABLE orders.lines VALIDATE CONSTRAINT lines_price_not_negative;
