-- suggestions: generated, run go test -update
		WITH hits AS (
			SELECT p.name, p.product_id, p.words
			FROM catalogue.asked(catalogue.query_of(@q, true), NULL, NULL, NULL) AS keys
			CROSS JOIN LATERAL (
				SELECT * FROM catalogue.products p
				WHERE catalogue.keys_of(p.place, p.words, p.category_id, p.store_id, p.tags) @@ keys AND p.active AND p.deleted_at IS NULL
				OFFSET 0) p
			WHERE p.store_id <> ALL ((
				SELECT array_agg(store_id) || '{}' FROM catalogue.stores WHERE NOT participating OR deleted_at IS NOT NULL)::uuid[])
			LIMIT 1001
		), best AS (
			SELECT DISTINCT ON (name) name, product_id, ts_rank('{0, 0, 0.1, 1}', words, (SELECT catalogue.query_of(@q, true))) AS rank
			FROM hits
			ORDER BY name, product_id
		)
		SELECT name, product_id::text
		FROM best
		ORDER BY rank DESC, length(name), name
		LIMIT @limit;
