-- written by: the same functions as before
-- What is known of the pictures of a product, by name: {"width", "height", "alt", "widths"}. Older pictures have nothing here.

-- +goose Up
ALTER TABLE catalogue.products ADD COLUMN image_details jsonb NOT NULL DEFAULT '{}'
    CONSTRAINT products_image_details_are_named CHECK (jsonb_typeof(image_details) = 'object');
DROP TRIGGER products_have_versions ON catalogue.products;
CREATE TRIGGER products_have_versions BEFORE UPDATE OF product_id, store_id, category_id, sku, name, description, price_minor, currency, tags, images,
    image_details, outside_number, active, version, deleted_at, created_at, updated_at ON catalogue.products
    FOR EACH ROW EXECUTE FUNCTION catalogue.note_version();
