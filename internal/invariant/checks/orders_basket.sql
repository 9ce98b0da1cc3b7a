-- an order that was rejected or has expired keeps no basket
SELECT b.basket_id FROM orders.baskets b JOIN orders.orders o USING (order_id) WHERE o.status IN ('rejected', 'expired')
