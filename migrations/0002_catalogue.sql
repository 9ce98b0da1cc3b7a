-- written by: serve-catalogue, popup seed (stores, categories, products, variants), triggers (skus, prices, counts, dictionary, searches)
-- What things are and what they cost. How many there are is the stock domain's.

-- +goose Up
CREATE SCHEMA catalogue;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA catalogue;

CREATE TABLE catalogue.stores (
    store_id      uuid        PRIMARY KEY,
    name          text        NOT NULL CONSTRAINT stores_have_a_name CHECK (name ~ '\S'),
    location      text        NOT NULL CONSTRAINT stores_have_a_location CHECK (location ~ '\S'),
    participating boolean     NOT NULL DEFAULT true,
    check_delay   interval    NOT NULL DEFAULT '0' CONSTRAINT stores_check_delay_not_negative CHECK (check_delay >= '0'),
    warehouse_id  uuid        NOT NULL,
    deleted_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER stores_keep_times BEFORE UPDATE ON catalogue.stores FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

CREATE TABLE catalogue.categories (
    category_id uuid        PRIMARY KEY,
    parent_id   uuid        REFERENCES catalogue.categories CONSTRAINT categories_not_their_own_parents CHECK (parent_id <> category_id),
    name        text        NOT NULL CONSTRAINT categories_have_a_name CHECK (name ~ '\S'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX categories_by_parent ON catalogue.categories (parent_id);
CREATE TRIGGER categories_keep_times BEFORE UPDATE ON catalogue.categories FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

-- A category is never below itself. Whoever moves one holds up everybody else who does, or two moves could make a ring.
-- +goose StatementBegin
CREATE FUNCTION catalogue.keep_tree() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('catalogue.categories', 0));
    IF EXISTS (
        WITH RECURSIVE above AS (
            SELECT category_id, parent_id FROM catalogue.categories WHERE category_id = NEW.parent_id
            UNION
            SELECT c.category_id, c.parent_id FROM catalogue.categories c JOIN above a ON c.category_id = a.parent_id
        ) SELECT FROM above WHERE category_id = NEW.category_id) THEN
        RAISE EXCEPTION 'a category is never below itself' USING ERRCODE = 'check_violation', CONSTRAINT = 'categories_form_a_tree';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER categories_form_a_tree BEFORE UPDATE OF parent_id ON catalogue.categories
    FOR EACH ROW EXECUTE FUNCTION catalogue.keep_tree();

-- split writes a text so that text search finds its words. Japanese, Chinese and Korean have no spaces: every two neighbours
-- are a word, and in a text that is searched so is the last character, for those who look for one alone.
-- +goose StatementBegin
CREATE FUNCTION catalogue.split(said text, searched boolean) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part text[];
    words text := '';
BEGIN
    IF said !~ '[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]' THEN
        RETURN said;
    END IF;
    FOR part IN SELECT regexp_matches(said, '([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)|([^\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+)', 'g') LOOP
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

-- words_of is what a product is found by, its name first.
-- +goose StatementBegin
CREATE FUNCTION catalogue.words_of(name text, sku text, tags text[], description text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN setweight(to_tsvector('english', catalogue.split(name, true)), 'A')
        || setweight(to_tsvector('english', catalogue.split(sku || ' ' || array_to_string(tags, ' '), true)), 'B')
        || setweight(to_tsvector('english', catalogue.split(description, true)), 'C');
END $$;
-- +goose StatementEnd

CREATE TABLE catalogue.products (
    product_id     uuid        PRIMARY KEY,
    store_id       uuid        NOT NULL REFERENCES catalogue.stores,
    category_id    uuid        REFERENCES catalogue.categories,
    sku            text        NOT NULL CONSTRAINT products_sku_length CHECK (length(sku) BETWEEN 1 AND 64),
    name           text        NOT NULL CONSTRAINT products_have_a_name CHECK (name ~ '\S'),
    description    text        NOT NULL DEFAULT '',
    price_minor    bigint      NOT NULL CONSTRAINT products_price_above_zero CHECK (price_minor > 0),
    currency       text        NOT NULL CONSTRAINT products_currency_is_iso CHECK (currency ~ '^[A-Z]{3}$'),
    tags           text[]      NOT NULL DEFAULT '{}',
    images         text[]      NOT NULL DEFAULT '{}',
    outside_number bigint,
    active         boolean     NOT NULL DEFAULT true,
    version        bigint      NOT NULL DEFAULT 1,
    deleted_at     timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    words          tsvector    NOT NULL GENERATED ALWAYS AS (catalogue.words_of(name, sku, tags, description)) STORED
);
-- Each list that people page through has its order in an index: for the whole shop, for one category and for one store. The store is in them, so that
-- pages before the asked one are passed without reading their products.
CREATE INDEX products_newest ON catalogue.products (created_at DESC, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_price ON catalogue.products (currency, price_minor, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name ON catalogue.products (name, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_newest_in_category ON catalogue.products (category_id, created_at DESC, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_price_in_category ON catalogue.products (category_id, currency, price_minor, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name_in_category ON catalogue.products (category_id, name, product_id) INCLUDE (store_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_newest_in_store ON catalogue.products (store_id, created_at DESC, product_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_price_in_store ON catalogue.products (store_id, currency, price_minor, product_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_name_in_store ON catalogue.products (store_id, name, product_id) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_tag ON catalogue.products USING gin (tags) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_words ON catalogue.products USING gin (words) WITH (fastupdate = off) WHERE active AND deleted_at IS NULL;
CREATE INDEX products_by_outside_number ON catalogue.products (outside_number) WHERE outside_number IS NOT NULL;

-- What a product is in one size, colour or whatever else. Without a price of its own it costs what the product costs.
CREATE TABLE catalogue.variants (
    variant_id  uuid        PRIMARY KEY,
    product_id  uuid        NOT NULL REFERENCES catalogue.products,
    sku         text        NOT NULL CONSTRAINT variants_sku_length CHECK (length(sku) BETWEEN 1 AND 64),
    name        text        NOT NULL CONSTRAINT variants_have_a_name CHECK (name ~ '\S'),
    attributes  jsonb       NOT NULL DEFAULT '{}' CONSTRAINT variants_attributes_are_named CHECK (jsonb_typeof(attributes) = 'object'),
    price_minor bigint      CONSTRAINT variants_price_above_zero CHECK (price_minor > 0),
    position    integer     NOT NULL DEFAULT 0,
    deleted_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX variants_by_product ON catalogue.variants (product_id, position, variant_id);
CREATE TRIGGER variants_keep_times BEFORE UPDATE ON catalogue.variants FOR EACH ROW EXECUTE FUNCTION bus.keep_times();

-- Every SKU there ever was, and what it means: a product, or one of its variants.
CREATE TABLE catalogue.skus (
    sku        text PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES catalogue.products,
    variant_id uuid REFERENCES catalogue.variants
);
CREATE INDEX skus_by_product ON catalogue.skus (product_id);

-- What things did cost before. Orders have prices of their own.
CREATE TABLE catalogue.prices (
    product_id  uuid        NOT NULL REFERENCES catalogue.products,
    variant_id  uuid        REFERENCES catalogue.variants,
    price_minor bigint,
    currency    text        NOT NULL,
    until       timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX prices_by_product ON catalogue.prices (product_id, until);
CREATE TRIGGER prices_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue.prices
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- A change is a new version. The old price stays on record.
-- +goose StatementBegin
CREATE FUNCTION catalogue.note_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    NEW.created_at := OLD.created_at;
    NEW.updated_at := clock_timestamp();
    NEW.version := OLD.version + 1;
    IF (NEW.price_minor, NEW.currency) IS DISTINCT FROM (OLD.price_minor, OLD.currency) THEN
        INSERT INTO catalogue.prices (product_id, price_minor, currency) VALUES (OLD.product_id, OLD.price_minor, OLD.currency);
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER products_have_versions BEFORE UPDATE ON catalogue.products FOR EACH ROW EXECUTE FUNCTION catalogue.note_version();

-- +goose StatementBegin
CREATE FUNCTION catalogue.note_variant_price() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO catalogue.prices (product_id, variant_id, price_minor, currency)
    SELECT OLD.product_id, OLD.variant_id, OLD.price_minor, currency FROM catalogue.products WHERE product_id = OLD.product_id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER variants_leave_prices AFTER UPDATE OF price_minor ON catalogue.variants
    FOR EACH ROW WHEN (OLD.price_minor IS DISTINCT FROM NEW.price_minor) EXECUTE FUNCTION catalogue.note_variant_price();

-- A SKU means one thing. A new one takes the place of the old one.
-- +goose StatementBegin
CREATE FUNCTION catalogue.name_sku() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    variant uuid := (to_jsonb(NEW) ->> 'variant_id')::uuid;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM catalogue.skus WHERE sku = OLD.sku;
    END IF;
    INSERT INTO catalogue.skus (sku, product_id, variant_id) VALUES (NEW.sku, NEW.product_id, variant);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER products_name_skus AFTER INSERT ON catalogue.products FOR EACH ROW EXECUTE FUNCTION catalogue.name_sku();
CREATE TRIGGER products_rename_skus AFTER UPDATE OF sku ON catalogue.products
    FOR EACH ROW WHEN (OLD.sku <> NEW.sku) EXECUTE FUNCTION catalogue.name_sku();
CREATE TRIGGER variants_name_skus AFTER INSERT ON catalogue.variants FOR EACH ROW EXECUTE FUNCTION catalogue.name_sku();
CREATE TRIGGER variants_rename_skus AFTER UPDATE OF sku ON catalogue.variants
    FOR EACH ROW WHEN (OLD.sku <> NEW.sku) EXECUTE FUNCTION catalogue.name_sku();

-- How many products on sale there are in a store, in a category (all zeros: in none; all ones: in any or none) and with a tag
-- ('': with any or none). Counting a million rows takes longer than reading a page of them.
CREATE TABLE catalogue.counts (
    store_id    uuid   NOT NULL,
    category_id uuid   NOT NULL,
    tag         text   NOT NULL,
    products    bigint NOT NULL,
    PRIMARY KEY (store_id, category_id, tag)
);
CREATE INDEX counts_by_tag ON catalogue.counts (tag, category_id, store_id) INCLUDE (products);

-- counted_in are the categories that a product is counted in.
CREATE FUNCTION catalogue.counted_in(category_id uuid) RETURNS uuid[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ARRAY[coalesce(category_id, '00000000-0000-0000-0000-000000000000'), 'ffffffff-ffff-ffff-ffff-ffffffffffff']
$$;

-- The words of what is on sale, to guess what somebody meant.
CREATE TABLE catalogue.dictionary (
    word     text    COLLATE "C" PRIMARY KEY,
    letters  integer NOT NULL GENERATED ALWAYS AS (length(word)) STORED,
    products bigint  NOT NULL
);
CREATE INDEX dictionary_by_letters ON catalogue.dictionary (letters, word);

-- count_products keeps both, a statement at a time, in the order of their keys.
-- +goose StatementBegin
CREATE FUNCTION catalogue.note_products(were catalogue.products[], are catalogue.products[]) RETURNS void LANGUAGE sql
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
        LATERAL (SELECT DISTINCT unnest(regexp_split_to_array(lower(concat_ws(' ', p.name, array_to_string(p.tags, ' '), p.description)), '[^a-z]+')) AS word) w
    WHERE p.active AND p.deleted_at IS NULL AND length(word) BETWEEN 3 AND 30
    GROUP BY 1
    HAVING sum(one) <> 0
    ORDER BY 1
    ON CONFLICT (word) DO UPDATE SET products = d.products + excluded.products;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION catalogue.count_products() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM catalogue.note_products('{}', (SELECT array_agg(a::catalogue.products) FROM news a));
    ELSIF TG_OP = 'UPDATE' THEN
        PERFORM catalogue.note_products((SELECT array_agg(w::catalogue.products) FROM olds w), (SELECT array_agg(a::catalogue.products) FROM news a));
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER products_count_new AFTER INSERT ON catalogue.products REFERENCING NEW TABLE AS news
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue.count_products();
CREATE TRIGGER products_count_changed AFTER UPDATE ON catalogue.products REFERENCING OLD TABLE AS olds NEW TABLE AS news
    FOR EACH STATEMENT EXECUTE FUNCTION catalogue.count_products();

-- Products are hidden, never deleted: orders speak of them.
CREATE TRIGGER products_never_deleted BEFORE DELETE OR TRUNCATE ON catalogue.products FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

-- What was looked for on a day, and how often in vain. Nobody is named.
CREATE TABLE catalogue.searches (
    day            date   NOT NULL DEFAULT current_date,
    words          text   NOT NULL,
    searches       bigint NOT NULL,
    without_result bigint NOT NULL,
    PRIMARY KEY (day, words)
);
-- note_search counts a search. It does not wait for the disk: the last few may be lost with the machine.
-- +goose StatementBegin
CREATE FUNCTION catalogue.note_search(said text, hits bigint) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SET LOCAL synchronous_commit = off;
    INSERT INTO catalogue.searches AS s (words, searches, without_result)
    VALUES (left(lower(regexp_replace(trim(said), '\s+', ' ', 'g')), 100), 1, CASE WHEN hits = 0 THEN 1 ELSE 0 END)
    ON CONFLICT (day, words) DO UPDATE SET searches = s.searches + 1, without_result = s.without_result + excluded.without_result;
END $$;
-- +goose StatementEnd

-- query_of is what somebody looks for, as text search asks it: all words. While the last one is not typed to its end, it
-- stands for the three most frequent that begin so.
-- +goose StatementBegin
CREATE FUNCTION catalogue.query_of(said text, unfinished boolean) RETURNS tsquery LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
DECLARE
    words text := catalogue.split(said, false);
    last  text := lower(substring(words from '(\w+)\s*$'));
    ends  tsquery;
BEGIN
    IF NOT unfinished OR last IS NULL THEN
        RETURN plainto_tsquery('english', words);
    END IF;
    SELECT to_tsquery('english', string_agg(word, ' | ')) INTO ends FROM (
        SELECT word FROM catalogue.dictionary
        WHERE word >= last AND word < last || '{' AND products > 0
        ORDER BY products DESC, word
        LIMIT 3) d;
    RETURN plainto_tsquery('english', regexp_replace(words, '\w+\s*$', '')) && coalesce(ends, to_tsquery('simple', '''' || last || ''':*'));
END $$;
-- +goose StatementEnd

-- letters_of are the letters of a word, sorted.
CREATE FUNCTION catalogue.letters_of(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(letter, '' ORDER BY letter) FROM regexp_split_to_table(lower(word), '') AS letter
$$;

-- meant is the word on sale that is nearest to a word which is none: at most two letters are wrong. The same letters in
-- another order are nearer than others, and the first letter is rarely wrong.
-- +goose StatementBegin
CREATE FUNCTION catalogue.meant(said text) RETURNS text LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT word FROM (
        SELECT word, products, catalogue.levenshtein_less_equal(word, lower(said), 2) AS wrong
        FROM catalogue.dictionary
        WHERE letters BETWEEN length(said) - 2 AND length(said) + 2 AND products > 0 AND length(said) BETWEEN 3 AND 30
    ) w
    WHERE wrong <= 2
    ORDER BY CASE WHEN catalogue.letters_of(word) = catalogue.letters_of(said) THEN 1 ELSE wrong END, left(word, 1) <> left(lower(said), 1), products DESC, word
    LIMIT 1
$$;
-- +goose StatementEnd

-- below are a category and all that are below it.
-- +goose StatementBegin
CREATE FUNCTION catalogue.below(top uuid) RETURNS uuid[] LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        WITH RECURSIVE below AS (
            SELECT category_id FROM catalogue.categories WHERE category_id = top
            UNION
            SELECT c.category_id FROM catalogue.categories c JOIN below b ON c.parent_id = b.category_id
        ) SELECT category_id FROM below);
END $$;
-- +goose StatementEnd
