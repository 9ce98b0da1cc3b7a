-- written by: popup seed (products, stores)
-- What things are and what they cost. How many there are is the stock domain's.

-- +goose Up
CREATE SCHEMA catalogue;

CREATE TABLE catalogue.stores (
    store_id      uuid        PRIMARY KEY,
    name          text        NOT NULL CONSTRAINT stores_have_a_name CHECK (name ~ '\S'),
    location      text        NOT NULL DEFAULT '',
    participating boolean     NOT NULL DEFAULT true,
    check_delay   interval    NOT NULL DEFAULT '0' CONSTRAINT stores_check_delay_not_negative CHECK (check_delay >= '0'),
    warehouse_id  uuid        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER stores_keep_times BEFORE UPDATE ON catalogue.stores FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE catalogue.products (
    product_id  uuid        PRIMARY KEY,
    store_id    uuid        NOT NULL REFERENCES catalogue.stores,
    sku         text        NOT NULL CONSTRAINT products_sku_unique UNIQUE CONSTRAINT products_sku_length CHECK (length(sku) BETWEEN 1 AND 64),
    name        text        NOT NULL CONSTRAINT products_have_a_name CHECK (name ~ '\S'),
    description text        NOT NULL DEFAULT '',
    price_minor bigint      NOT NULL CONSTRAINT products_price_above_zero CHECK (price_minor > 0),
    currency    text        NOT NULL CONSTRAINT products_currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
    active      boolean     NOT NULL DEFAULT true,
    deleted_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX products_by_name ON catalogue.products (name, product_id) WHERE deleted_at IS NULL;
CREATE TRIGGER products_keep_times BEFORE UPDATE ON catalogue.products FOR EACH ROW EXECUTE FUNCTION bus.keep_times();
