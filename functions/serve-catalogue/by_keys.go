package servecatalogue

// byKeys finds products by words, tag, category and store together, in the index of their keys, and sorts them. The
// index is read part by part from the newest products on, as far as the caller reads; OFFSET 0 keeps Postgres from
// using another index for the other conditions, and from reading in the order of the list.
const byKeys = `
		SELECT p.product_id
		FROM (
			SELECT p.*
			FROM catalogue.asked(
				CASE WHEN @q <> '' THEN catalogue.query_of(@q, @unfinished) END,
				CASE WHEN @category_id <> '' THEN catalogue.below(nullif(@category_id, '')::uuid) END,
				nullif(@store_id, '')::uuid, nullif(@tag, '')) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p
				WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys AND p.active AND p.deleted_at IS NULL
				OFFSET 0) p
			WHERE p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1) -- if in_stock
			AND {after}                                                                     -- if after
			OFFSET 0
		) p
		ORDER BY {order}
		LIMIT @limit
		OFFSET @offset                                                                  -- if page
`

// countByKeys counts up to 1,001 products. The second column estimates how many there are in all from how far back
// those were found.
const countByKeys = `
		SELECT count(*), coalesce(count(*) * max(last.place) / greatest(max(last.place) - min(hits.place), 1), 0)
		FROM (
			SELECT p.place
			FROM catalogue.asked(
				CASE WHEN @q <> '' THEN catalogue.query_of(@q, @unfinished) END,
				CASE WHEN @category_id <> '' THEN catalogue.below(nullif(@category_id, '')::uuid) END,
				nullif(@store_id, '')::uuid, nullif(@tag, '')) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p
				WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys AND p.active AND p.deleted_at IS NULL
				OFFSET 0) p
			WHERE p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price                                                 -- if min_price
			AND p.price_minor <= @max_price                                                 -- if max_price
			AND p.currency = @currency                                                      -- if currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1) -- if in_stock
			LIMIT 1001
		) hits, (SELECT max(place) AS place FROM catalogue.products) last`
