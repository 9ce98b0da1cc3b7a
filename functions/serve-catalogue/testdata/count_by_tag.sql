-- count_by_tag: generated, run go test -update
		SELECT count(*), 0
		FROM (
			SELECT
			FROM catalogue.tagged p
			WHERE p.tag = @tag
			AND p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			AND p.price_minor >= @min_price
			AND p.price_minor <= @max_price
			AND EXISTS (SELECT FROM stock.available a WHERE a.product_id = p.product_id)
			LIMIT 1001
		) p;
