-- the book has the points that each customer has, holds and owes
SELECT customer_id FROM points.balances p
LEFT JOIN (
    SELECT ref,
        sum(CASE 'points:customers' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END) AS available,
        sum(CASE 'points:held' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END) AS held,
        sum(CASE 'points:debts' WHEN debit THEN amount WHEN credit THEN -amount ELSE 0 END) AS debt
    FROM books.entries WHERE unit = 'POINTS' GROUP BY ref
) b ON b.ref = p.customer_id
WHERE (p.available, p.held, p.debt) <> (coalesce(b.available, 0), coalesce(b.held, 0), coalesce(b.debt, 0))
