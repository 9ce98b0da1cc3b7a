package servecatalogue

// byIndex reads an index in the order of the list until the page is full: that of the shop, of a store, or those of
// each category or currency, merged.
const byIndex = `
		SELECT p.product_id
		FROM (
			SELECT p.*                                                                      -- if merged
			FROM (SELECT) one                                                               -- if merged
			CROSS JOIN unnest(catalogue.below(@category_id::text::uuid)) AS c (category_id) -- if category
			CROSS JOIN unnest(catalogue.currencies()) AS m (currency)                       -- if any_currency
			CROSS JOIN LATERAL (SELECT * FROM (                                             -- if merged
			SELECT p.*
			FROM catalogue.products p
			WHERE p.active AND p.deleted_at IS NULL
			AND p.words @@ (SELECT catalogue.query_of(@q, @unfinished))                     -- if q
			AND p.tags @> ARRAY[@tag]                                                       -- if tag
			AND p.category_id = c.category_id                                               -- if category
			AND p.currency = m.currency                                                     -- if any_currency
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.store_id = @store_id::text::uuid                                          -- if store
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1) -- if in_stock
			AND {after}                                                                     -- if after
			ORDER BY {order}
			LIMIT {first}
			) p LIMIT @limit::bigint + @offset::bigint) p                                   -- if merged
		) p
		ORDER BY {order}
		LIMIT @limit
		OFFSET @offset                                                                  -- if page
`

// byIndexSorted collects the products first and sorts them then: they are a thousand at most. That something is in
// stock is joined, because Postgres knows that a thousand products are enough; for more it would join all of the shop.
const byIndexSorted = `
		SELECT p.product_id
		FROM (
			SELECT p.*
			FROM catalogue.products p
			WHERE p.active AND p.deleted_at IS NULL
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.store_id = @store_id::text::uuid                                          -- if store
			AND p.category_id = ANY ((SELECT catalogue.below(@category_id::text::uuid))::uuid[]) -- if category
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)    -- if in_stock
			AND {after}                                                                     -- if after
			LIMIT 1001
		) p
		ORDER BY {order}
		LIMIT @limit
		OFFSET @offset                                                                  -- if page
`

// countByIndex counts up to 1,001 products.
const countByIndex = `
		SELECT count(*), 0
		FROM (
			SELECT
			FROM catalogue.products p
			WHERE p.active AND p.deleted_at IS NULL
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.store_id = @store_id::text::uuid                                          -- if store
			AND p.category_id = ANY ((SELECT catalogue.below(@category_id::text::uuid))::uuid[]) -- if category
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)    -- if in_stock
			LIMIT 1001
		) p`
