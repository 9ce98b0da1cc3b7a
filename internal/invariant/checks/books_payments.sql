-- the book has what each payment has: its money of the customer and in suspense
SELECT p.payment_id FROM payments.payments p
LEFT JOIN (
    SELECT ref, unit, sum(CASE 'customers' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END) AS customers
    FROM books.entries WHERE 'customers' IN (debit, credit) GROUP BY ref, unit
) b ON b.ref = p.payment_id AND b.unit = p.currency
WHERE coalesce(b.customers, 0) <> p.captured_minor - p.refunded_minor
UNION ALL
SELECT s.payment_id FROM payments.suspense s
LEFT JOIN (
    SELECT ref, sum(CASE 'suspense' WHEN credit THEN amount ELSE -amount END) AS kept
    FROM books.entries WHERE 'suspense' IN (debit, credit) GROUP BY ref
) b ON b.ref = s.payment_id
GROUP BY s.payment_id, b.kept
HAVING coalesce(b.kept, 0) > coalesce(sum(s.amount_minor) FILTER (WHERE s.returned_at IS NULL), 0)
    OR (coalesce(b.kept, 0) = 0) <> (count(*) FILTER (WHERE s.returned_at IS NULL) = 0)
