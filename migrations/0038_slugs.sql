-- written by: triggers (catalogue.slugs)
-- The addresses of products and categories have words: a slug, made from the name or chosen by staff. Old ones lead on to where the thing is now.

-- +goose Up
-- slug_of returns the letters and digits of a text, in lower case and without marks, with "-" between its words.
-- +goose StatementBegin
CREATE FUNCTION catalogue.slug_of(named text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded text := catalogue.fold(named);
BEGIN
    IF folded ~ '[^\u0001-\u007f]' THEN -- the marks of Indic and Thai letters belong to them
        folded := regexp_replace(folded COLLATE "und-x-icu", '[^[:alnum:]\u0900-\u109f]+', '-', 'g');
    ELSE
        folded := regexp_replace(folded, '[^a-z0-9]+', '-', 'g');
    END IF;
    RETURN trim(BOTH '-' FROM left(trim(BOTH '-' FROM folded), 80));
END $$;
-- +goose StatementEnd

CREATE TABLE catalogue.slugs (
    kind     text NOT NULL CONSTRAINT slugs_kind_known CHECK (kind IN ('product', 'category')),
    slug     text NOT NULL CONSTRAINT slugs_are_words CHECK (slug = catalogue.slug_of(slug) AND slug <> ''),
    owner_id uuid NOT NULL,
    CONSTRAINT slugs_pkey PRIMARY KEY (kind, slug)
);
ALTER TABLE catalogue.products ADD COLUMN slug text NOT NULL DEFAULT '';
ALTER TABLE catalogue.categories ADD COLUMN slug text NOT NULL DEFAULT '';

-- claim_slug gives a slug to a product or category, and reports whether it is free: neither the name of a route or like an id, nor one that
-- something else has or had, unless that is deleted.
-- +goose StatementBegin
CREATE FUNCTION catalogue.claim_slug(of_kind text, wanted text, owner uuid) RETURNS boolean
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF wanted IN ('search', 'suggestions', 'exports', 'imports', 'deletions', 'drafts')
        OR wanted ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
        RETURN false;
    END IF;
    INSERT INTO catalogue.slugs AS s (kind, slug, owner_id) VALUES (of_kind, wanted, owner)
    ON CONFLICT (kind, slug) DO UPDATE SET owner_id = excluded.owner_id
    WHERE s.owner_id = excluded.owner_id OR NOT CASE s.kind
        WHEN 'product' THEN EXISTS (SELECT FROM catalogue.products p WHERE p.product_id = s.owner_id AND p.deleted_at IS NULL)
        ELSE EXISTS (SELECT FROM catalogue.categories c WHERE c.category_id = s.owner_id) END;
    RETURN FOUND;
END $$;
-- +goose StatementEnd

-- new_slug claims a slug made from a name: the name, the name with a SKU, or with the first free number.
-- +goose StatementBegin
CREATE FUNCTION catalogue.new_slug(of_kind text, named text, sku text, owner uuid) RETURNS text
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base text := coalesce(nullif(catalogue.slug_of(named), ''), nullif(catalogue.slug_of(sku), ''), of_kind);
    number integer := 1;
BEGIN
    IF catalogue.claim_slug(of_kind, base, owner) THEN
        RETURN base;
    END IF;
    IF sku <> '' THEN
        base := catalogue.slug_of(left(base, 60) || '-' || sku);
    END IF;
    IF sku <> '' AND catalogue.claim_slug(of_kind, base, owner) THEN
        RETURN base;
    END IF;
    LOOP
        number := number + 1;
        IF catalogue.claim_slug(of_kind, left(base, 70) || '-' || number, owner) THEN
            RETURN left(base, 70) || '-' || number;
        END IF;
    END LOOP;
END $$;
-- +goose StatementEnd

-- is_slug_of reports whether a slug was made from a name.
-- +goose StatementBegin
CREATE FUNCTION catalogue.is_slug_of(slug text, named text, sku text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base text := coalesce(nullif(catalogue.slug_of(named), ''), catalogue.slug_of(sku));
BEGIN
    RETURN starts_with(slug, base) AND substr(slug, length(base) + 1) ~ '^(-[0-9]+)?$'
        OR sku <> '' AND starts_with(slug, catalogue.slug_of(left(base, 60) || '-' || sku));
END $$;
-- +goose StatementEnd

-- set_slug claims the slug that a product or category is given. One that has none, one that was renamed while its slug was made from the old
-- name, and one that is restored after its slug went to something else, get a slug made from the name.
-- +goose StatementBegin
CREATE FUNCTION catalogue.set_slug() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    of_kind text := TG_ARGV[0];
    thing jsonb := to_jsonb(NEW) - 'words';
    sku text := coalesce(thing ->> 'sku', '');
    owner uuid := (thing ->> (of_kind || '_id'))::uuid;
    given text := catalogue.slug_of(NEW.slug);
    makes boolean := given = '';
BEGIN
    IF given <> '' AND (TG_OP = 'INSERT' OR NEW.slug <> OLD.slug) THEN
        IF NOT catalogue.claim_slug(of_kind, given, owner) THEN
            RAISE EXCEPTION 'the slug % is taken', given USING ERRCODE = 'unique_violation', CONSTRAINT = 'slugs_pkey';
        END IF;
        NEW.slug := given;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND NOT makes THEN
        makes := NEW.name <> OLD.name AND catalogue.is_slug_of(OLD.slug, OLD.name, sku) OR NOT catalogue.claim_slug(of_kind, given, owner);
    END IF;
    IF makes THEN
        NEW.slug := catalogue.new_slug(of_kind, NEW.name, sku, owner);
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER products_set_slugs BEFORE INSERT ON catalogue.products FOR EACH ROW EXECUTE FUNCTION catalogue.set_slug('product');
CREATE TRIGGER products_change_slugs BEFORE UPDATE OF name, slug, deleted_at ON catalogue.products FOR EACH ROW
    WHEN (NEW.name <> OLD.name OR NEW.slug <> OLD.slug OR NEW.slug = '' OR OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL)
    EXECUTE FUNCTION catalogue.set_slug('product');
CREATE TRIGGER categories_set_slugs BEFORE INSERT ON catalogue.categories FOR EACH ROW EXECUTE FUNCTION catalogue.set_slug('category');
CREATE TRIGGER categories_change_slugs BEFORE UPDATE OF name, slug ON catalogue.categories FOR EACH ROW
    WHEN (NEW.name <> OLD.name OR NEW.slug <> OLD.slug OR NEW.slug = '')
    EXECUTE FUNCTION catalogue.set_slug('category');
UPDATE catalogue.products SET slug = '';
UPDATE catalogue.categories SET slug = '';
ALTER TABLE catalogue.products ADD CONSTRAINT products_have_slugs CHECK (slug <> '');
ALTER TABLE catalogue.categories ADD CONSTRAINT categories_have_slugs CHECK (slug <> '');

DROP TRIGGER products_have_versions ON catalogue.products;
CREATE TRIGGER products_have_versions BEFORE UPDATE OF product_id, store_id, category_id, sku, slug, name, description, price_minor, currency, tags, images,
    image_details, outside_number, active, version, deleted_at, created_at, updated_at ON catalogue.products
    FOR EACH ROW EXECUTE FUNCTION catalogue.note_version();
