-- written by: place-order (orders, lines, addresses, history), serve-orders, track-order, close-order, complete-order, follow-shipment (orders, history)
-- An order is a current row plus a log of versions that nobody can change.

-- +goose Up
CREATE SCHEMA orders;

-- The moves that an order may make. Everything else is refused.
CREATE TABLE orders.moves (
    from_status text NOT NULL,
    to_status   text NOT NULL,
    PRIMARY KEY (from_status, to_status)
);
INSERT INTO orders.moves VALUES
    ('pending', 'confirmed'), ('pending', 'rejected'), ('pending', 'expired'), ('pending', 'cancelling'),
    ('confirmed', 'processing'), ('confirmed', 'cancelling'),
    ('processing', 'shipped'), ('processing', 'ready_for_pickup'),
    ('ready_for_pickup', 'picked_up'), ('ready_for_pickup', 'cancelling'), ('picked_up', 'delivered'),
    ('shipped', 'in_transit'), ('in_transit', 'delivered'), ('in_transit', 'failed_delivery'),
    ('delivered', 'completed'), ('delivered', 'returned'),
    ('failed_delivery', 'delivered'), ('failed_delivery', 'returned'),
    ('cancelling', 'cancelled');
CREATE TRIGGER moves_never_change BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON orders.moves
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE orders.orders (
    order_id           uuid        PRIMARY KEY,
    order_number       text        NOT NULL CONSTRAINT orders_number_unique UNIQUE,
    customer_id        uuid,
    token_hash         bytea,
    status             text        NOT NULL,
    stock              text        NOT NULL CONSTRAINT orders_stock_known CHECK (stock IN ('pending', 'held', 'short', 'released', 'shipped')),
    payment            text        NOT NULL CONSTRAINT orders_payment_known CHECK (payment IN
                                   ('pending', 'created', 'authorised', 'paid', 'failed', 'expired', 'refunding', 'refunded')),
    reason             text        NOT NULL DEFAULT '',
    version            bigint      NOT NULL CONSTRAINT orders_version_positive CHECK (version > 0),
    currency           text        NOT NULL,
    subtotal_minor     bigint      NOT NULL,
    delivery_fee_minor bigint      NOT NULL,
    tax_minor          bigint      NOT NULL,
    discount_minor     bigint      NOT NULL,
    total_minor        bigint      NOT NULL CONSTRAINT orders_total_not_negative CHECK (total_minor >= 0),
    payment_method     text        NOT NULL,
    payment_id         uuid,
    shipment_id        uuid,
    carrier            text        NOT NULL DEFAULT '',
    tracking_number    text        NOT NULL DEFAULT '',
    pickup             boolean     NOT NULL,
    locale             text        NOT NULL,
    withdrawn_by       text        NOT NULL DEFAULT '',
    stock_check_at     timestamptz NOT NULL,
    payment_check_at   timestamptz NOT NULL,
    deadline           timestamptz,
    delivered_at       timestamptz,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orders_totals_add_up CHECK (subtotal_minor + delivery_fee_minor + tax_minor - discount_minor = total_minor),
    CONSTRAINT open_orders_have_a_deadline CHECK
        ((status IN ('completed', 'returned', 'cancelled', 'rejected', 'expired')) = (deadline IS NULL)),
    CONSTRAINT confirmed_orders_hold_stock CHECK (status <> 'confirmed' OR (stock = 'held' AND payment IN ('authorised', 'paid'))),
    CONSTRAINT completed_orders_are_paid_and_shipped CHECK (status <> 'completed' OR (stock = 'shipped' AND payment IN ('paid', 'refunded')))
) WITH (fillfactor = 60);
CREATE INDEX orders_by_deadline ON orders.orders (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX orders_awaiting_stock_check ON orders.orders (stock_check_at) WHERE status = 'pending' AND stock = 'pending';
CREATE INDEX orders_resting ON orders.orders (delivered_at) WHERE status = 'delivered';

CREATE TABLE orders.lines (
    order_id         uuid    NOT NULL REFERENCES orders.orders,
    line             integer NOT NULL CHECK (line > 0),
    product_id       uuid    NOT NULL,
    variant_id       uuid,
    sku              text    NOT NULL,
    store_id         uuid    NOT NULL,
    store_name       text    NOT NULL,
    product_name     text    NOT NULL,
    quantity         bigint  NOT NULL CONSTRAINT lines_quantity_1_to_99 CHECK (quantity BETWEEN 1 AND 99),
    unit_price_minor bigint  NOT NULL CHECK (unit_price_minor > 0),
    total_minor      bigint  NOT NULL,
    PRIMARY KEY (order_id, line),
    CONSTRAINT lines_totals_multiply CHECK (total_minor = quantity * unit_price_minor)
);
CREATE TRIGGER lines_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.lines
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- Who gets it and where: the only table of an order that holds what is personal.
CREATE TABLE orders.addresses (
    order_id      uuid PRIMARY KEY REFERENCES orders.orders,
    name          text NOT NULL,
    email         text NOT NULL,
    phone         text NOT NULL,
    country       text NOT NULL DEFAULT '',
    postal_code   text NOT NULL DEFAULT '',
    prefecture    text NOT NULL DEFAULT '',
    region        text NOT NULL DEFAULT '',
    city          text NOT NULL DEFAULT '',
    address_line1 text NOT NULL DEFAULT '',
    address_line2 text NOT NULL DEFAULT '',
    store_id      uuid
);

CREATE TABLE orders.history (
    order_id    uuid        NOT NULL REFERENCES orders.orders,
    version     bigint      NOT NULL,
    from_status text,
    to_status   text        NOT NULL,
    stock       text        NOT NULL,
    payment     text        NOT NULL,
    reason      text        NOT NULL,
    deadline    timestamptz,
    by          text        NOT NULL,
    cause       text        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, version)
);
CREATE TRIGGER history_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON orders.history
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- An order begins pending at version 1, makes only moves of the table, one version at a time, each with its row in the log.
-- What only an insert or a move can break is looked at here: a CHECK would look at it at every change.
-- +goose StatementBegin
CREATE FUNCTION orders.guard_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'orders are never deleted' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'orders_never_deleted';
    ELSIF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'pending' OR NEW.version <> 1 THEN
            RAISE EXCEPTION 'an order begins pending at version 1' USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_begin_pending';
        END IF;
        IF NEW.order_number !~ '^ORD-\d{8}-[0-9A-Z]{6}$' THEN
            RAISE EXCEPTION '% is no order number', NEW.order_number USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_number_form';
        END IF;
    ELSE
        NEW.created_at := OLD.created_at;
        NEW.updated_at := clock_timestamp();
        IF NEW.status <> OLD.status AND NOT EXISTS (SELECT FROM orders.moves m WHERE m.from_status = OLD.status AND m.to_status = NEW.status) THEN
            RAISE EXCEPTION 'an order does not go from % to %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_move_by_the_table';
        END IF;
        IF NEW.version <> OLD.version + 1 THEN
            RAISE EXCEPTION 'order version % cannot follow %', NEW.version, OLD.version
                USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_version_by_version';
        END IF;
        IF (NEW.total_minor, NEW.currency, NEW.order_number) IS DISTINCT FROM (OLD.total_minor, OLD.currency, OLD.order_number) THEN
            RAISE EXCEPTION 'what was agreed on does not change' USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_keep_their_price';
        END IF;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER orders_guarded BEFORE INSERT OR UPDATE OR DELETE ON orders.orders FOR EACH ROW EXECUTE FUNCTION orders.guard_order();

-- +goose StatementBegin
CREATE FUNCTION orders.demand_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM orders.history h WHERE h.order_id = NEW.order_id AND h.version = NEW.version
                   AND h.to_status = NEW.status AND h.stock = NEW.stock AND h.payment = NEW.payment) THEN
        RAISE EXCEPTION 'version % of order % is not in its log', NEW.version, NEW.order_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'orders_versions_are_logged';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER orders_versions_are_logged AFTER INSERT OR UPDATE ON orders.orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION orders.demand_history();
