-- no order is over its deadline by more than 2 minutes
SELECT order_id FROM orders.orders WHERE deadline < now() - interval '2 min'
