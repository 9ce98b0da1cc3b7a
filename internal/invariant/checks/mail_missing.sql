-- what a customer must know for over 15 minutes has its mail
SELECT e.event_id FROM bus.event e
JOIN bus.subscription s ON s.type = e.type AND s.consumer = 'send-email' AND s.since <= e.created_at
WHERE e.type IN ('payment.paid', 'order.shipped', 'order.rejected', 'order.expired', 'order.cancelled', 'payment.refunded')
AND e.created_at < now() - interval '15 min'
AND NOT EXISTS (SELECT FROM mail.mails m WHERE m.order_id = e.order_id AND m.kind = replace(e.type, '.', '_'))
