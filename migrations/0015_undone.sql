-- written by: serve-orders, track-order (delivery.shipments, delivery.tracking)
-- Nothing is shipped for an order that is undone: cancelled or being cancelled, rejected or expired. Its shipment is cancelled.

-- +goose Up
-- Orders that were cancelled before this was a rule: their shipments, if they never left, are cancelled now.
WITH cancelled AS (
    UPDATE delivery.shipments s SET status = 'cancelled', due_at = NULL
    FROM orders.orders o
    WHERE o.order_id = s.order_id AND o.status IN ('cancelling', 'cancelled') AND s.status IN ('planned', 'ready_for_pickup')
    RETURNING s.shipment_id
)
INSERT INTO delivery.tracking (shipment_id, n, status)
SELECT shipment_id, (SELECT max(n) + 1 FROM delivery.tracking t WHERE t.shipment_id = c.shipment_id), 'cancelled' FROM cancelled c;

-- Whichever commits last, the undo of the order or the move of its shipment, sees the other: both sides lock the order row.
-- +goose StatementBegin
CREATE FUNCTION delivery.demand_nothing_shipped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    undone   text;
    shipment text;
BEGIN
    IF TG_TABLE_NAME = 'orders' THEN
        undone := NEW.status;
        SELECT s.status INTO shipment FROM delivery.shipments s WHERE s.order_id = NEW.order_id;
    ELSE
        SELECT o.status INTO undone FROM orders.orders o WHERE o.order_id = NEW.order_id FOR SHARE;
        shipment := NEW.status;
    END IF;
    IF undone IN ('cancelling', 'cancelled', 'rejected', 'expired') AND shipment <> 'cancelled' THEN
        RAISE EXCEPTION 'order % is % but its shipment is %', NEW.order_id, undone, shipment
            USING ERRCODE = 'check_violation', CONSTRAINT = 'undone_orders_ship_nothing';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER undone_orders_ship_nothing AFTER UPDATE OF status ON orders.orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status IN ('cancelling', 'cancelled', 'rejected', 'expired')) EXECUTE FUNCTION delivery.demand_nothing_shipped();
CREATE CONSTRAINT TRIGGER shipments_begin_for_open_orders AFTER INSERT ON delivery.shipments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status <> 'cancelled') EXECUTE FUNCTION delivery.demand_nothing_shipped();
-- A shipment that is on its way keeps its order from being undone: only those that have not left are looked at here.
CREATE CONSTRAINT TRIGGER shipments_leave_for_open_orders AFTER UPDATE OF status, order_id ON delivery.shipments DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.status IN ('planned', 'preparing', 'ready_for_pickup') AND NEW.status NOT IN (OLD.status, 'cancelled')
        OR NEW.order_id <> OLD.order_id) EXECUTE FUNCTION delivery.demand_nothing_shipped();

-- +goose StatementBegin
CREATE FUNCTION delivery.guard_shipment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'shipment % is cancelled', OLD.shipment_id USING ERRCODE = 'check_violation', CONSTRAINT = 'cancelled_shipments_never_move';
END $$;
-- +goose StatementEnd
CREATE TRIGGER shipments_guarded BEFORE UPDATE OF status ON delivery.shipments
    FOR EACH ROW WHEN (OLD.status = 'cancelled' AND NEW.status <> 'cancelled') EXECUTE FUNCTION delivery.guard_shipment();

-- Whoever may cancel an order may cancel its shipment.
CREATE POLICY changed ON delivery.shipments FOR UPDATE USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = shipments.order_id));
