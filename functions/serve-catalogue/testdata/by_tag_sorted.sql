-- by_tag_sorted: generated, run go test -update
	WITH page AS (
		SELECT p.product_id
		FROM (
			SELECT p.*
			FROM catalogue.tagged p
			WHERE p.tag = @tag
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price
			AND p.price_minor <= @max_price
			AND EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)
			LIMIT 1001
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
