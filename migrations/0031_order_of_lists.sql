-- written by: nobody new
-- Names sort as people of most languages expect, and the newest products by their ids where times are equal, so that each order of a
-- list has a key that its index can begin at.

-- +goose Up
DROP INDEX catalogue.products_newest, catalogue.products_by_name, catalogue.products_newest_in_category, catalogue.products_by_name_in_category,
    catalogue.products_newest_in_store, catalogue.products_by_name_in_store, catalogue.tagged_newest, catalogue.tagged_by_name;
CREATE INDEX products_newest ON catalogue.products (created_at, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name ON catalogue.products (name COLLATE "und-x-icu", product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_newest_in_category ON catalogue.products (category_id, created_at, product_id) INCLUDE (store_id)
    WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name_in_category ON catalogue.products (category_id, name COLLATE "und-x-icu", product_id) INCLUDE (store_id)
    WHERE active AND deleted_at IS NULL;
CREATE INDEX products_newest_in_store ON catalogue.products (store_id, created_at, product_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name_in_store ON catalogue.products (store_id, name COLLATE "und-x-icu", product_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX tagged_newest ON catalogue.tagged (tag, created_at, product_id) INCLUDE (store_id, category_id);
CREATE INDEX tagged_by_name ON catalogue.tagged (tag, name COLLATE "und-x-icu", product_id) INCLUDE (store_id, category_id);
