-- the status of a payment is what its entries say
SELECT p.payment_id FROM payments.payments p LEFT JOIN payments.entries e USING (payment_id)
GROUP BY p.payment_id
HAVING p.status <> CASE
    WHEN sum(e.amount_minor) FILTER (WHERE e.kind = 'refunded') = sum(e.amount_minor) FILTER (WHERE e.kind = 'captured') THEN 'refunded'
    WHEN bool_or(e.kind = 'captured') THEN 'paid'
    ELSE coalesce(max(e.kind) FILTER (WHERE e.kind IN ('failed', 'expired', 'voided')), min(e.kind) FILTER (WHERE e.kind IN ('created', 'authorised')), 'opening') END
