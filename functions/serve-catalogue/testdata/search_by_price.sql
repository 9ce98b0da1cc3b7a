-- search_by_price: generated, run go test -update
		WITH query AS MATERIALIZED (
			SELECT catalogue.query_of(@q, @unfinished) AS words
		), hits AS MATERIALIZED (
			SELECT p.product_id, p.place, p.name, p.category_id, p.store_id, p.tags, p.currency, p.price_minor, p.created_at,
				ts_rank(p.words, (SELECT words FROM query)) AS rank
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
		)
		SELECT json_build_object('Total', (SELECT count(*) FROM hits), 'About', (
			SELECT coalesce(count(*) * max(last.place) / greatest(max(last.place) - min(hits.place), 1), 0)
			FROM hits, (SELECT max(place) AS place FROM catalogue.products) last), 'Page', (
			SELECT coalesce(json_agg(product_id), '[]') FROM (
				SELECT product_id FROM hits p ORDER BY p.currency, p.price_minor, p.product_id LIMIT @limit OFFSET @offset) p), 'Names', (
			SELECT coalesce(json_agg(name), '[]') FROM (
				SELECT name FROM (SELECT name, rank FROM hits ORDER BY rank DESC, length(name), name LIMIT 10 * @suggest) best
				GROUP BY name ORDER BY max(rank) DESC, length(name), name LIMIT @suggest) n), 'categories', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT c.category_id AS id, c.name, n AS count
				FROM (SELECT category_id, count(*) AS n FROM hits GROUP BY 1) h JOIN catalogue.categories c USING (category_id)
				ORDER BY 3 DESC, 1 LIMIT 20) f), 'stores', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT s.store_id AS id, s.name, n AS count
				FROM (SELECT store_id, count(*) AS n FROM hits GROUP BY 1) h JOIN catalogue.stores s USING (store_id)
				ORDER BY 3 DESC, 1 LIMIT 20) f), 'tags', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT tag AS id, tag AS name, sum(n)::bigint AS count
				FROM (SELECT tags, count(*) AS n FROM hits GROUP BY tags) h, unnest(tags) AS tag
				GROUP BY 1 ORDER BY 3 DESC, 1 LIMIT 20) f), 'prices', (
			SELECT coalesce(json_agg(f), '[]') FROM (
				SELECT currency, min(price_minor) AS min_minor, max(price_minor) AS max_minor, count(*) FROM hits
				GROUP BY 1 ORDER BY 4 DESC, 1) f));
