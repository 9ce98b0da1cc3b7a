-- the sums of a payment are those of its entries
SELECT p.payment_id FROM payments.payments p LEFT JOIN payments.entries e USING (payment_id)
GROUP BY p.payment_id
HAVING p.captured_minor <> coalesce(sum(e.amount_minor) FILTER (WHERE e.kind = 'captured'), 0)
    OR p.refunded_minor <> coalesce(sum(e.amount_minor) FILTER (WHERE e.kind = 'refunded'), 0)
