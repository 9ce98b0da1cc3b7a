-- an order has the status of its shipment, 60 s later
SELECT s.shipment_id FROM delivery.shipments s
JOIN orders.orders o USING (order_id)
JOIN (VALUES ('preparing', 'processing'), ('ready_for_pickup', 'ready_for_pickup'), ('picked_up', 'picked_up'), ('shipped', 'shipped'),
    ('in_transit', 'in_transit'), ('delivered', 'delivered'), ('failed_delivery', 'failed_delivery'), ('returned', 'returned')
) AS follows (shipment, "order") ON follows.shipment = s.status
WHERE o.status <> follows."order" AND NOT (s.status = 'delivered' AND o.status = 'completed')
AND o.status NOT IN ('cancelling', 'cancelled', 'rejected', 'expired') AND s.updated_at < now() - interval '60 s'
