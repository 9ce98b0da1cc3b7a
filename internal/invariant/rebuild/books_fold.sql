-- folding what is recorded about payments and points gives the book
SELECT ref FROM (
    SELECT e.*, 1 AS side FROM books.entries e
    UNION ALL SELECT l.*, -1 FROM payments.entries e, books.legs(e) l
    UNION ALL SELECT l.*, -1 FROM payments.suspense e, books.legs(e) l
    UNION ALL SELECT l.*, -1 FROM payments.refunds e, books.legs(e) l
    UNION ALL SELECT l.*, -1 FROM points.entries e, books.legs(e) l
) AS both_sides
GROUP BY debit, credit, unit, ref, cause
HAVING sum(side * amount) <> 0
