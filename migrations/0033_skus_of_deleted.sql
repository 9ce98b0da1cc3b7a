-- written by: triggers (catalogue.skus)
-- The SKU of something deleted can be given to something new, while there are no goods that bear it.

-- +goose Up
-- free_sku takes a SKU from a deleted product or variant. It locks the SKU first: what restores its owner meanwhile is seen.
-- +goose StatementBegin
CREATE FUNCTION catalogue.free_sku(wanted text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM catalogue.skus WHERE sku = wanted FOR UPDATE;
    DELETE FROM catalogue.skus k
    WHERE k.sku = wanted AND catalogue.is_deleted(k.product_id, k.variant_id)
    AND NOT EXISTS (SELECT FROM stock.levels l WHERE l.sku = wanted AND l.on_hand > 0);
END $$;
-- +goose StatementEnd

-- is_deleted reports whether a product or variant is deleted, or its store.
-- +goose StatementBegin
CREATE FUNCTION catalogue.is_deleted(product uuid, variant uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM catalogue.products p
        JOIN catalogue.stores s USING (store_id)
        LEFT JOIN catalogue.variants v ON v.variant_id = variant
        WHERE p.product_id = product AND (p.deleted_at IS NOT NULL OR s.deleted_at IS NOT NULL OR v.deleted_at IS NOT NULL));
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION catalogue.name_sku() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    variant uuid := (to_jsonb(NEW) ->> 'variant_id')::uuid;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM catalogue.skus WHERE sku = OLD.sku AND product_id = OLD.product_id AND variant_id IS NOT DISTINCT FROM variant;
    END IF;
    PERFORM catalogue.free_sku(NEW.sku);
    INSERT INTO catalogue.skus (sku, product_id, variant_id) VALUES (NEW.sku, NEW.product_id, variant);
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- keep_skus refuses to restore a product or variant whose SKU belongs to something else by now. It locks the SKUs, as free_sku does.
-- +goose StatementBegin
CREATE FUNCTION catalogue.keep_skus() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    variant uuid := (to_jsonb(NEW) ->> 'variant_id')::uuid;
BEGIN
    PERFORM FROM catalogue.skus WHERE product_id = NEW.product_id ORDER BY sku FOR UPDATE;
    IF EXISTS (
        SELECT FROM (
            SELECT NEW.sku AS sku, variant AS variant_id
            UNION ALL
            SELECT v.sku, v.variant_id FROM catalogue.variants v WHERE v.product_id = NEW.product_id AND v.deleted_at IS NULL AND variant IS NULL
        ) own
        WHERE NOT EXISTS (
            SELECT FROM catalogue.skus k
            WHERE (k.sku, k.product_id) = (own.sku, NEW.product_id) AND k.variant_id IS NOT DISTINCT FROM own.variant_id)) THEN
        RAISE EXCEPTION 'the SKU of something restored belongs to something else' USING ERRCODE = 'unique_violation', CONSTRAINT = 'skus_pkey';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER products_restored_keep_skus AFTER UPDATE OF deleted_at ON catalogue.products
    FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL) EXECUTE FUNCTION catalogue.keep_skus();
CREATE TRIGGER variants_restored_keep_skus AFTER UPDATE OF deleted_at ON catalogue.variants
    FOR EACH ROW WHEN (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL) EXECUTE FUNCTION catalogue.keep_skus();
