-- written by: serve-orders (orders.hidden)
-- Orders that staff took out of their lists.

-- +goose Up
CREATE TABLE orders.hidden (
    order_id  uuid        PRIMARY KEY REFERENCES orders.orders,
    version   bigint      NOT NULL,
    by        uuid        NOT NULL,
    reason    text        NOT NULL CONSTRAINT hidden_reason_at_most_500 CHECK (length(reason) <= 500),
    hidden_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER hidden_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.hidden
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
ALTER TABLE orders.hidden ENABLE ROW LEVEL SECURITY;
CREATE POLICY staff ON orders.hidden USING (bus.caller_is_staff());
