-- the catalogue counts its products as they are
WITH counted AS (
    SELECT p.store_id, category AS category_id, tag, count(*) AS products
    FROM catalogue.products p, unnest(catalogue.counted_in(p.category_id)) AS category, unnest(array_append(p.tags, '')) AS tag
    WHERE p.active AND p.deleted_at IS NULL
    GROUP BY 1, 2, 3
), kept AS (
    SELECT store_id, category_id, tag, products FROM catalogue.counts WHERE products <> 0
)
(SELECT * FROM counted EXCEPT SELECT * FROM kept) UNION ALL (SELECT * FROM kept EXCEPT SELECT * FROM counted)
