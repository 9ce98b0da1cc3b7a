-- no money has been in suspense for over 60 s
SELECT payment_id FROM payments.suspense WHERE returned_at IS NULL AND came_at < now() - interval '60 s'
