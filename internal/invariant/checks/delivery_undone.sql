-- no shipment moves for an order that is cancelled or being cancelled
SELECT s.shipment_id FROM delivery.shipments s JOIN orders.orders o USING (order_id)
WHERE o.status IN ('cancelling', 'cancelled', 'rejected', 'expired') AND s.status NOT IN ('planned', 'ready_for_pickup', 'cancelled')
