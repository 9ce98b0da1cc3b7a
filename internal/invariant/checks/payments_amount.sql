-- a payment has the amount and the currency of its order
SELECT p.payment_id FROM payments.payments p JOIN orders.orders o USING (order_id)
WHERE (p.amount_minor, p.currency) <> (o.total_minor, o.currency)
