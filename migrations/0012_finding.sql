-- written by: triggers (catalogue.tagged, stock.available)
-- What lists and searches read so that they take as long among a million products as among a thousand: keys by parts, what has a tag
-- in every order, and what can be ordered.

-- +goose Up
-- Every product has a place, the newest the last one, and 16,384 places are a part. A part is searched by itself, the last one first, until there
-- are enough: whoever looks for a word that a tenth of a million products have will not see them all.
ALTER TABLE catalogue.products ADD COLUMN place bigint NOT NULL GENERATED ALWAYS AS IDENTITY;
CREATE INDEX products_by_place ON catalogue.products (place);

CREATE FUNCTION catalogue.part_of(place bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT place >> 14 $$;

-- keys_of are what a product is found by in its part: words, category, store and tags.
-- +goose StatementBegin
CREATE FUNCTION catalogue.keys_of(place bigint, words tsvector, category_id uuid, store_id uuid, tags text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN array_to_tsvector(ARRAY(
        SELECT catalogue.part_of(place) || key
        FROM (
            SELECT '/' || word FROM unnest(tsvector_to_array(words)) AS word
            UNION ALL SELECT '#' || id FROM unnest(ARRAY[category_id, store_id]) AS id WHERE id IS NOT NULL
            UNION ALL SELECT '=' || tag FROM unnest(tags) AS tag) k (key)));
END $$;
-- +goose StatementEnd

-- asked are the keys to look for in each part, the last part first: all words, any of the categories, the store and the tag, or of these
-- what is not null.
-- +goose StatementBegin
CREATE FUNCTION catalogue.asked(words tsquery, categories uuid[], store uuid, tag text) RETURNS SETOF tsquery
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part constant text := chr(1); -- stands for the number of the part
    keys constant text := concat_ws(' & ',
        '(' || replace(regexp_replace(words::text, '''((?:[^'']|'''')*)''', '''' || part || '/\1''', 'g'), '<->', '&') || ')',
        '(' || (SELECT string_agg('''' || part || '#' || category || '''', ' | ') FROM unnest(categories) AS category) || ')',
        '''' || part || '#' || store || '''',
        '''' || part || '=' || replace(replace(tag, '\', '\\'), '''', '''''') || '''');
BEGIN
    IF numnode(words) = 0 OR cardinality(categories) = 0 THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT replace(keys, part, n::text)::tsquery
    FROM generate_series((SELECT catalogue.part_of(max(place)) FROM catalogue.products), 0, -1) AS n;
END $$;
-- +goose StatementEnd

CREATE INDEX products_by_keys ON catalogue.products USING gin (catalogue.keys_of(place, words, category_id, store_id, tags)) WITH (fastupdate = off)
    WHERE active AND deleted_at IS NULL;
DROP INDEX catalogue.products_by_words;
DROP INDEX catalogue.products_by_tag;

-- currencies are those that there are prices in.
-- +goose StatementBegin
CREATE FUNCTION catalogue.currencies() RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[] := '{}';
    next  text := '';
BEGIN
    LOOP
        SELECT min(currency) INTO next FROM catalogue.products WHERE active AND deleted_at IS NULL AND currency > next;
        EXIT WHEN next IS NULL;
        known := known || next;
    END LOOP;
    RETURN known;
END $$;
-- +goose StatementEnd

-- What is on sale with a tag, in each order that a list can have.
CREATE TABLE catalogue.tagged (
    product_id  uuid        NOT NULL,
    tag         text        NOT NULL,
    store_id    uuid        NOT NULL,
    category_id uuid,
    name        text        NOT NULL,
    price_minor bigint      NOT NULL,
    currency    text        NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (product_id, tag)
);

-- tag_products keeps it, a statement at a time.
-- +goose StatementBegin
CREATE FUNCTION catalogue.tag_products(were catalogue.products[], are catalogue.products[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM catalogue.tagged t USING unnest(were) w WHERE t.product_id = w.product_id;

    INSERT INTO catalogue.tagged (product_id, tag, store_id, category_id, name, price_minor, currency, created_at)
    SELECT product_id, tag, store_id, category_id, name, price_minor, currency, created_at
    FROM unnest(are) a, unnest(a.tags) AS tag
    WHERE a.active AND a.deleted_at IS NULL
    ON CONFLICT DO NOTHING;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION catalogue.count_products() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    were catalogue.products[] := '{}';
    are  catalogue.products[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        were := (SELECT array_agg(w::catalogue.products) FROM olds w);
    END IF;
    are := (SELECT array_agg(a::catalogue.products) FROM news a);
    PERFORM catalogue.note_products(were, are), catalogue.tag_products(were, are);
    RETURN NULL;
END $$;
-- +goose StatementEnd

INSERT INTO catalogue.tagged (product_id, tag, store_id, category_id, name, price_minor, currency, created_at)
SELECT product_id, tag, store_id, category_id, name, price_minor, currency, created_at
FROM catalogue.products p, unnest(p.tags) AS tag
WHERE active AND deleted_at IS NULL
ON CONFLICT DO NOTHING;
CREATE INDEX tagged_newest ON catalogue.tagged (tag, created_at DESC, product_id) INCLUDE (store_id, category_id);
CREATE INDEX tagged_by_price ON catalogue.tagged (tag, currency, price_minor, product_id) INCLUDE (store_id, category_id);
CREATE INDEX tagged_by_name ON catalogue.tagged (tag, name, product_id) INCLUDE (store_id, category_id);

-- The levels that something can be ordered from, by product. A row comes and goes when a level runs out and is filled again, not with each order, and
-- whoever writes it has locked the level.
CREATE TABLE stock.available (
    product_id uuid NOT NULL,
    level_id   uuid NOT NULL,
    PRIMARY KEY (product_id, level_id)
);

-- +goose StatementBegin
CREATE FUNCTION stock.note_available() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.on_hand > NEW.reserved THEN
        INSERT INTO stock.available (product_id, level_id) SELECT product_id, NEW.level_id FROM catalogue.skus WHERE sku = NEW.sku ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM stock.available WHERE level_id = NEW.level_id AND product_id = (SELECT product_id FROM catalogue.skus WHERE sku = NEW.sku);
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER levels_note_available AFTER UPDATE OF on_hand, reserved ON stock.levels
    FOR EACH ROW WHEN ((OLD.on_hand > OLD.reserved) <> (NEW.on_hand > NEW.reserved)) EXECUTE FUNCTION stock.note_available();

-- A SKU that gets another meaning takes its levels with it. They are locked first, so that none of them is filled meanwhile.
-- +goose StatementBegin
CREATE FUNCTION stock.note_meaning() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM stock.available a USING stock.levels l WHERE l.sku = OLD.sku AND (a.product_id, a.level_id) = (OLD.product_id, l.level_id);
        RETURN NULL;
    END IF;
    PERFORM FROM stock.levels WHERE sku = NEW.sku ORDER BY warehouse_id FOR NO KEY UPDATE;
    INSERT INTO stock.available (product_id, level_id) SELECT NEW.product_id, level_id FROM stock.levels WHERE sku = NEW.sku AND on_hand > reserved ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER skus_note_available AFTER INSERT OR DELETE ON catalogue.skus FOR EACH ROW EXECUTE FUNCTION stock.note_meaning();

INSERT INTO stock.available (product_id, level_id)
SELECT product_id, level_id FROM stock.levels JOIN catalogue.skus USING (sku) WHERE on_hand > reserved;
