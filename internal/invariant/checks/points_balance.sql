-- a balance is the sum of its entries
SELECT b.customer_id FROM points.balances b LEFT JOIN points.entries e USING (customer_id)
GROUP BY b.customer_id
HAVING (b.available, b.held, b.debt, b.entries)
    <> (coalesce(sum(e.available), 0), coalesce(sum(e.held), 0), coalesce(sum(e.debt), 0), count(e.entry_id))
