-- by_keys: generated, run go test -update
	WITH page AS (
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
			OFFSET 0
		) p
		ORDER BY p.created_at DESC, p.product_id DESC
		LIMIT @limit
		OFFSET @offset

	)
	SELECT p.product_id::text, p.store_id::text, s.name, p.name, p.slug, p.description, p.sku, p.price_minor, p.currency,
		coalesce(p.category_id::text, ''), p.tags, p.images, p.image_details, p.outside_number, p.active, p.created_at, p.updated_at,
		coalesce(l.available, 0), l.updated_at, l.skus
	FROM page
	JOIN catalogue.products p USING (product_id)
	JOIN catalogue.stores s USING (store_id)
	CROSS JOIN LATERAL (
		SELECT sum(l.on_hand - l.reserved)::bigint AS available, max(l.updated_at) AS updated_at, array_agg(DISTINCT k.sku) AS skus
		FROM catalogue.skus k
		LEFT JOIN stock.levels l USING (sku)
		WHERE k.product_id = p.product_id) l
	ORDER BY p.created_at DESC, p.product_id DESC;
