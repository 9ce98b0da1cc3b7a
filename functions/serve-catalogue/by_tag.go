package servecatalogue

// byTag reads the table of tagged products, which has an index with the tag in each order, until the page is full. With
// prices in any currency the indexes of the currencies are merged.
const byTag = `
		SELECT p.product_id
		FROM (
			SELECT p.*                                                                      -- if any_currency
			FROM unnest(catalogue.currencies()) AS m (currency)                             -- if any_currency
			CROSS JOIN LATERAL (SELECT * FROM (                                             -- if any_currency
			SELECT p.*
			FROM catalogue.tagged p
			WHERE p.tag = @tag
			AND p.currency = m.currency                                                     -- if any_currency
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.store_id = @store_id::text::uuid                                          -- if store
			AND p.category_id = ANY ((SELECT catalogue.below(@category_id::text::uuid))::uuid[]) -- if category
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1) -- if in_stock
			AND {after}                                                                     -- if after
			ORDER BY {order}
			LIMIT {first}
			) p LIMIT @limit::bigint + @offset::bigint) p                                   -- if any_currency
		) p
		ORDER BY {order}
		LIMIT @limit
		OFFSET @offset                                                                  -- if page
`

// byTagSorted collects the products first and sorts them then: they are a thousand at most.
const byTagSorted = `
		SELECT p.product_id
		FROM (
			SELECT p.*
			FROM catalogue.tagged p
			WHERE p.tag = @tag
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
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

// countByTag counts up to 1,001 products.
const countByTag = `
		SELECT count(*), 0
		FROM (
			SELECT
			FROM catalogue.tagged p
			WHERE p.tag = @tag
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)    -- if in_stock
			LIMIT 1001
		) p`
