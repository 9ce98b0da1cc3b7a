-- written by: ship-order, carry-shipment (shipments, tracking)
-- What the carrier has, and where it was seen.

-- +goose Up
CREATE SCHEMA delivery;

CREATE TABLE delivery.shipments (
    shipment_id     uuid        PRIMARY KEY,
    order_id        uuid        NOT NULL CONSTRAINT one_shipment_per_order UNIQUE REFERENCES orders.orders,
    carrier         text        NOT NULL,
    tracking_number text        NOT NULL CONSTRAINT shipments_tracking_number_unique UNIQUE,
    status          text        NOT NULL DEFAULT 'planned' CONSTRAINT shipments_status_known CHECK (status IN ('planned', 'preparing',
                                'ready_for_pickup', 'picked_up', 'shipped', 'in_transit', 'delivered', 'failed_delivery', 'returned', 'cancelled')),
    pickup          boolean     NOT NULL,
    due_at          timestamptz,
    estimated_at    timestamptz,
    delivered_at    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);
CREATE INDEX shipments_due ON delivery.shipments (due_at) WHERE due_at IS NOT NULL;
CREATE TRIGGER shipments_keep_times BEFORE UPDATE ON delivery.shipments FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE delivery.tracking (
    shipment_id uuid        NOT NULL REFERENCES delivery.shipments,
    n           integer     NOT NULL,
    status      text        NOT NULL,
    location    text        NOT NULL DEFAULT '',
    description text        NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shipment_id, n)
);
CREATE TRIGGER tracking_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON delivery.tracking
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
