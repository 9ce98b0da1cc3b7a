-- written by: serve-orders (orders.notes, accounts.throttles)
-- Notes of staff on orders, and how guests find an order without its token.

-- +goose Up
CREATE TABLE orders.notes (
    note_id    uuid        PRIMARY KEY,
    order_id   uuid        NOT NULL REFERENCES orders.orders,
    author_id  uuid        NOT NULL,
    text       text        NOT NULL CONSTRAINT notes_text_1_to_2000 CHECK (length(text) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_by_order ON orders.notes (order_id, created_at);
CREATE TRIGGER notes_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.notes
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
ALTER TABLE orders.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON orders.notes USING (bus.caller_is_staff());

-- find_by_number returns the order of a guest with this number and e-mail address, and lets the rest of the transaction see it.
-- +goose StatementBegin
CREATE FUNCTION orders.find_by_number(number text, address text) RETURNS uuid LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id uuid;
    token    bytea;
BEGIN
    SELECT o.order_id, o.token_hash INTO found_id, token
    FROM orders.orders o JOIN orders.addresses a USING (order_id)
    WHERE o.order_number = number AND lower(a.email) = lower(address) AND o.token_hash IS NOT NULL;
    IF FOUND THEN
        PERFORM set_config('popup.order_token_hash', encode(token, 'hex'), true);
    END IF;
    RETURN found_id;
END $$;
-- +goose StatementEnd
REVOKE EXECUTE ON FUNCTION orders.find_by_number FROM PUBLIC;
COMMENT ON FUNCTION orders.find_by_number IS 'secret of orders.notes';
