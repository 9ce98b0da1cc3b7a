-- written by: serve-baskets (orders.baskets, orders.basket_lines), place-order (orders.baskets)
-- What somebody has chosen and not ordered yet. A basket belongs to an account or a known guest, or to whoever shows its token.

-- +goose Up
CREATE TABLE orders.baskets (
    basket_id  uuid        PRIMARY KEY,
    owner_id   uuid,
    token_hash bytea,
    order_id   uuid        CONSTRAINT baskets_make_one_order UNIQUE REFERENCES orders.orders,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT baskets_belong_to_somebody CHECK (num_nonnulls(owner_id, token_hash) = 1)
);
CREATE UNIQUE INDEX one_open_basket_per_owner ON orders.baskets (owner_id) WHERE order_id IS NULL;
CREATE UNIQUE INDEX one_open_basket_per_token ON orders.baskets (token_hash) WHERE order_id IS NULL;
CREATE INDEX baskets_by_expiry ON orders.baskets (expires_at) WHERE order_id IS NULL;
CREATE TRIGGER baskets_keep_times BEFORE UPDATE ON orders.baskets FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

-- The price is the one that was shown when the line was last changed.
CREATE TABLE orders.basket_lines (
    line_id          uuid        PRIMARY KEY,
    basket_id        uuid        NOT NULL REFERENCES orders.baskets ON DELETE CASCADE,
    product_id       uuid        NOT NULL,
    variant_id       uuid,
    quantity         bigint      NOT NULL CONSTRAINT basket_lines_quantity_1_to_99 CHECK (quantity BETWEEN 1 AND 99),
    unit_price_minor bigint      NOT NULL,
    currency         text        NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT basket_lines_once_per_thing UNIQUE NULLS NOT DISTINCT (basket_id, product_id, variant_id)
);

CREATE FUNCTION orders.shown_basket_token() RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT decode(nullif(current_setting('popup.basket_token_hash', true), ''), 'hex')
$$;
ALTER TABLE orders.baskets ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders.basket_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders.baskets USING (coalesce(owner_id = bus.caller() OR token_hash = orders.shown_basket_token(), false));
CREATE POLICY own ON orders.basket_lines USING (EXISTS (SELECT FROM orders.baskets b WHERE b.basket_id = basket_lines.basket_id));
