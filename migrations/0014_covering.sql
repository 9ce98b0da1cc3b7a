-- written by: triggers (catalogue.skus)
-- What is read of each product that is shown, without looking at its rows.

-- +goose Up
DROP INDEX catalogue.skus_by_product;
CREATE INDEX skus_by_product ON catalogue.skus (product_id) INCLUDE (sku);
