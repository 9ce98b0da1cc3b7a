-- written by: triggers (catalogue.products)
-- Words are found without their marks, in any width, composition and case, and a product by the SKUs of its variants.

-- +goose Up
-- fold returns a text in the form in which words are compared.
-- +goose StatementBegin
CREATE FUNCTION catalogue.fold(said text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded text;
BEGIN
    IF said !~ '[^\x01-\x7f]' THEN
        RETURN lower(said);
    END IF;
    folded := normalize(regexp_replace(normalize(said, NFKD), '[\u0300-\u036f]', '', 'g'), NFC);
    folded := lower(folded COLLATE "und-x-icu");
    folded := translate(folded, 'øłđðħı', 'olddhi');
    RETURN replace(replace(replace(replace(folded, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
END $$;
-- +goose StatementEnd

-- split writes a text, folded, so that text search finds its words. Japanese, Chinese and Korean have no spaces: every two neighbours
-- are a word, and in a text that is searched so is the last character, for those who look for one alone.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION catalogue.split(said text, searched boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded text := catalogue.fold(said);
    part   text[];
    words  text := '';
BEGIN
    IF folded !~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]' THEN
        RETURN folded;
    END IF;
    FOR part IN SELECT regexp_matches(folded, '([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)|([^\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)', 'g') LOOP
        IF part[1] IS NULL THEN
            words := words || ' ' || part[2];
            CONTINUE;
        END IF;
        FOR i IN 1 .. length(part[1]) - 1 LOOP
            words := words || ' ' || substr(part[1], i, 2);
        END LOOP;
        IF searched OR length(part[1]) = 1 THEN
            words := words || ' ' || right(part[1], 1);
        END IF;
    END LOOP;
    RETURN words;
END $$;
-- +goose StatementEnd

ALTER TABLE catalogue.products ADD COLUMN variant_skus text NOT NULL DEFAULT '';
ALTER TABLE catalogue.products DISABLE TRIGGER USER;
UPDATE catalogue.products p SET variant_skus = v.skus
FROM (SELECT product_id, string_agg(sku, ' ' ORDER BY sku) AS skus FROM catalogue.variants WHERE deleted_at IS NULL GROUP BY product_id) v
WHERE v.product_id = p.product_id;
ALTER TABLE catalogue.products ENABLE TRIGGER USER;

ALTER TABLE catalogue.products DROP COLUMN words,
    ADD COLUMN words tsvector NOT NULL GENERATED ALWAYS AS (catalogue.words_of(name, sku || ' ' || variant_skus, tags, description)) STORED;
CREATE INDEX products_by_keys ON catalogue.products USING gin (catalogue.keys_of(place, words, category_id, store_id, tags)) WITH (fastupdate = off)
    WHERE active AND deleted_at IS NULL;

-- The SKUs of variants are no version of their product: a change of a variant makes one by itself.
DROP TRIGGER products_have_versions ON catalogue.products;
CREATE TRIGGER products_have_versions BEFORE UPDATE OF product_id, store_id, category_id, sku, name, description, price_minor, currency, tags, images,
    outside_number, active, version, deleted_at, created_at, updated_at ON catalogue.products
    FOR EACH ROW EXECUTE FUNCTION catalogue.note_version();

-- +goose StatementBegin
CREATE FUNCTION catalogue.note_variant_skus() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE catalogue.products p SET variant_skus = v.skus
    FROM (
        SELECT n.product_id, coalesce((
            SELECT string_agg(sku, ' ' ORDER BY sku) FROM catalogue.variants v WHERE v.product_id = n.product_id AND v.deleted_at IS NULL), '') AS skus
        FROM (SELECT DISTINCT product_id FROM news) n
    ) v
    WHERE p.product_id = v.product_id AND p.variant_skus <> v.skus;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER variants_note_new_skus AFTER INSERT ON catalogue.variants REFERENCING NEW TABLE AS news
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue.note_variant_skus();
CREATE TRIGGER variants_note_skus AFTER UPDATE ON catalogue.variants REFERENCING NEW TABLE AS news
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue.note_variant_skus();

-- The dictionary has folded words.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION catalogue.note_products(were catalogue.products[], are catalogue.products[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO catalogue.counts AS c (store_id, category_id, tag, products)
    SELECT store_id, category, tag, sum(one)
    FROM (SELECT w.*, -1 AS one FROM unnest(were) w UNION ALL SELECT a.*, 1 FROM unnest(are) a) p,
        unnest(catalogue.counted_in(p.category_id)) AS category, unnest(array_append(p.tags, '')) AS tag
    WHERE p.active AND p.deleted_at IS NULL
    GROUP BY 1, 2, 3
    HAVING sum(one) <> 0
    ORDER BY 1, 2, 3
    ON CONFLICT (store_id, category_id, tag) DO UPDATE SET products = c.products + excluded.products;

    INSERT INTO catalogue.dictionary AS d (word, products)
    SELECT word, sum(one)
    FROM (SELECT w.*, -1 AS one FROM unnest(were) w UNION ALL SELECT a.*, 1 FROM unnest(are) a) p,
        LATERAL (SELECT DISTINCT unnest(regexp_split_to_array(
            catalogue.fold(concat_ws(' ', p.name, array_to_string(p.tags, ' '), p.description)), '[^a-z]+')) AS word) w
    WHERE p.active AND p.deleted_at IS NULL AND length(word) BETWEEN 3 AND 30
    GROUP BY 1
    HAVING sum(one) <> 0
    ORDER BY 1
    ON CONFLICT (word) DO UPDATE SET products = d.products + excluded.products;
$$;
-- +goose StatementEnd
DELETE FROM catalogue.dictionary;
INSERT INTO catalogue.dictionary (word, products)
SELECT word, count(*)
FROM catalogue.products p, LATERAL (SELECT DISTINCT unnest(regexp_split_to_array(
    catalogue.fold(concat_ws(' ', p.name, array_to_string(p.tags, ' '), p.description)), '[^a-z]+')) AS word) w
WHERE p.active AND p.deleted_at IS NULL AND length(word) BETWEEN 3 AND 30
GROUP BY 1;
