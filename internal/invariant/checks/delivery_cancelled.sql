-- the shipment of a cancelled order is cancelled
SELECT s.shipment_id FROM delivery.shipments s JOIN orders.orders o USING (order_id)
WHERE o.status IN ('cancelling', 'cancelled', 'rejected', 'expired') AND s.status IN ('planned', 'ready_for_pickup')
