-- folding a shipment's log gives its current state
SELECT s.shipment_id FROM delivery.shipments s
WHERE s.status IS DISTINCT FROM (SELECT status FROM delivery.tracking t WHERE t.shipment_id = s.shipment_id ORDER BY n DESC LIMIT 1)
