-- written by: nobody new
-- Who sees which order: its customer, whoever shows its token, staff, and the steps that hear of it. A statement that
-- forgets to ask shows nothing.

-- +goose Up
-- Steps that run while this is applied see all rows before and after it.
-- +goose StatementBegin
DO $$
DECLARE
    step text;
BEGIN
    FOR step IN SELECT rolname FROM pg_roles WHERE rolname IN ('reserve-stock', 'release-stock', 'move-stock', 'create-payment', 'refund-payment',
        'track-order', 'close-order', 'complete-order', 'ship-order', 'carry-shipment', 'follow-shipment', 'send-email', 'keep-time',
        'sweep-events', 'park-event') LOOP
        EXECUTE format('GRANT popup_steps TO %I', step);
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE INDEX orders_by_customer ON orders.orders (customer_id, order_id) WHERE customer_id IS NOT NULL;

CREATE FUNCTION orders.shown_token() RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT decode(nullif(current_setting('popup.order_token_hash', true), ''), 'hex')
$$;
-- is_for_caller says whether an order with this customer and this token is for whoever calls.
CREATE FUNCTION orders.is_for_caller(customer uuid, token bytea) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(customer = bus.caller() OR token = orders.shown_token() OR bus.caller_is_staff(), false)
$$;

-- decided tells which of some orders the shop has decided about, or can be paid by their customers, and nothing else about
-- them: one question for all callers who wait.
-- +goose StatementBegin
CREATE FUNCTION orders.decided(asked uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT o.order_id FROM orders.orders o
    WHERE o.order_id = ANY (asked) AND (o.status NOT IN ('pending', 'cancelling') OR o.payment = 'created' AND o.stock = 'held' AND EXISTS (
        SELECT FROM payments.payments p WHERE p.order_id = o.order_id AND p.status = 'created'));
END $$;
-- +goose StatementEnd

-- It asks the log whatever its caller sees, and so keeps one plan for all of them.
ALTER FUNCTION orders.demand_history() SECURITY DEFINER SET search_path = pg_catalog, pg_temp;

ALTER TABLE orders.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders.lines ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders.addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE orders.history ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE payments.refunds ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery.shipments ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders.orders USING (orders.is_for_caller(customer_id, token_hash));
-- What belongs to an order is for whoever the order is for. Adding to it is a matter of who may write the table.
CREATE POLICY own ON orders.lines FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = lines.order_id));
CREATE POLICY added ON orders.lines FOR INSERT WITH CHECK (true);
CREATE POLICY own ON orders.addresses FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = addresses.order_id));
CREATE POLICY changed ON orders.addresses FOR UPDATE USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = addresses.order_id));
CREATE POLICY added ON orders.addresses FOR INSERT WITH CHECK (true);
CREATE POLICY own ON orders.history FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = history.order_id));
CREATE POLICY added ON orders.history FOR INSERT WITH CHECK (true);
CREATE POLICY own ON payments.payments FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = payments.order_id));
CREATE POLICY own ON payments.refunds FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = refunds.order_id));
CREATE POLICY own ON delivery.shipments FOR SELECT USING (EXISTS (SELECT FROM orders.orders o WHERE o.order_id = shipments.order_id));
CREATE POLICY steps_see_all ON orders.orders TO popup_steps USING (true);
CREATE POLICY steps_see_all ON orders.lines TO popup_steps USING (true);
CREATE POLICY steps_see_all ON orders.addresses TO popup_steps USING (true);
CREATE POLICY steps_see_all ON orders.history TO popup_steps USING (true);
CREATE POLICY steps_see_all ON payments.payments TO popup_steps USING (true);
CREATE POLICY steps_see_all ON payments.refunds TO popup_steps USING (true);
CREATE POLICY steps_see_all ON delivery.shipments TO popup_steps USING (true);
