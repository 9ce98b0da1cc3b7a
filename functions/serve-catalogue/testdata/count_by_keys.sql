-- count_by_keys: generated, run go test -update
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
			AND p.price_minor >= @min_price
			AND p.price_minor <= @max_price
			AND p.currency = @currency
			AND (SELECT true FROM stock.available a WHERE a.product_id = p.product_id LIMIT 1)
			LIMIT 1001
		) hits, (SELECT max(place) AS place FROM catalogue.products) last;
