-- the accounts of the book hold 0 together, and no account of customers, providers or suspense is overdrawn
SELECT unit FROM books.balances GROUP BY unit HAVING sum(debit) <> sum(credit)
UNION ALL
SELECT account FROM books.balances WHERE account IN ('customers', 'suspense', 'points:customers', 'points:held') AND debit > credit
UNION ALL
SELECT account FROM books.balances WHERE (account LIKE 'provider:%' OR account = 'points:debts') AND credit > debit
