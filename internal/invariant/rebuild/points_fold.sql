-- folding the entries of points gives what each of them changed
WITH RECURSIVE folded (customer_id, n, available, debt, sound) AS (
    SELECT customer_id, 0::bigint, 0::bigint, 0::bigint, true FROM points.balances
    UNION ALL
    SELECT e.customer_id, e.n, f.available + e.available, f.debt + e.debt, CASE
        WHEN e.kind = 'hold' THEN (e.available, e.held, e.debt) = (-e.points, e.points, 0)
        WHEN e.kind = 'spend' THEN (e.available, e.held, e.debt) = (0, -e.points, 0)
        WHEN e.kind = 'expire' OR (e.kind = 'adjust' AND e.points < 0) THEN (e.available, e.held, e.debt) = (-abs(e.points), 0, 0)
        WHEN e.kind = 'reclaim' THEN (e.available, e.held, e.debt) = (-least(f.available, e.points), 0, e.points - least(f.available, e.points))
        ELSE (e.available, e.debt) = (e.points - least(f.debt, e.points), -least(f.debt, e.points))
            AND e.held = CASE WHEN e.kind = 'release' AND e.expires_at IS NULL THEN -e.points ELSE 0 END END
    FROM folded f JOIN points.entries e ON e.customer_id = f.customer_id AND e.n = f.n + 1
)
SELECT customer_id FROM folded WHERE NOT sound
UNION ALL
SELECT e.customer_id FROM points.entries e LEFT JOIN folded f USING (customer_id, n) WHERE f.n IS NULL
