-- a payment is paid or failed, not both, once
SELECT payment_id FROM payments.entries WHERE kind IN ('captured', 'failed') GROUP BY payment_id HAVING count(*) > 1
