-- an order is where its shipment is, 60 s later
SELECT s.shipment_id FROM delivery.shipments s JOIN orders.orders o USING (order_id)
WHERE s.status = 'delivered' AND o.status NOT IN ('delivered', 'completed', 'returned') AND s.updated_at < now() - interval '60 s'
