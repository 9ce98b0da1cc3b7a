-- each order event is emitted once per order
SELECT order_id, type FROM bus.event
WHERE type IN ('order.placed', 'order.confirmed', 'order.settled', 'order.rejected', 'order.expired', 'order.withdrawn', 'order.cancelled', 'order.shipped',
    'order.completed', 'stock.reserved', 'stock.short', 'payment.created', 'payment.paid', 'payment.failed', 'shipment.created')
GROUP BY order_id, type HAVING count(*) > 1
