-- written by: edit-catalogue (catalogue.settings, catalogue.texts)
-- What the shop is called, how it looks, and its legal texts can be changed while it runs.

-- +goose Up
CREATE TABLE catalogue.settings (
    singleton     boolean     PRIMARY KEY DEFAULT true CONSTRAINT settings_are_one_row CHECK (singleton),
    name          text        NOT NULL DEFAULT 'popup' CONSTRAINT settings_name_not_blank CHECK (name ~ '\S'),
    tagline       jsonb       NOT NULL DEFAULT '{}' CONSTRAINT settings_tagline_by_language CHECK (jsonb_typeof(tagline) = 'object'),
    accent        text        NOT NULL DEFAULT '#0b6b75' CONSTRAINT settings_accent_is_a_colour CHECK (accent ~ '^#[0-9a-f]{6}$'),
    currency      text        NOT NULL DEFAULT 'EUR' CONSTRAINT settings_currency_is_a_code CHECK (currency ~ '^[A-Z]{3}$'),
    contact_email text        NOT NULL DEFAULT '',
    updated_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO catalogue.settings DEFAULT VALUES;
CREATE TABLE catalogue.texts (
    kind        text        NOT NULL CONSTRAINT texts_kind_known CHECK (kind IN ('terms', 'privacy', 'returns', 'imprint', 'delivery', 'about')),
    language    text        NOT NULL CONSTRAINT texts_language_known CHECK (language IN ('en', 'ja')),
    description text        NOT NULL CONSTRAINT texts_not_blank CHECK (description ~ '\S'),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, language)
);
CREATE TRIGGER settings_audited AFTER UPDATE ON catalogue.settings
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client'))
    EXECUTE FUNCTION bus.note_change('settings', 'singleton', 'name', 'tagline', 'accent', 'currency', 'contact_email');
CREATE TRIGGER texts_audited AFTER INSERT OR UPDATE OR DELETE ON catalogue.texts
    FOR EACH ROW WHEN (current_setting('popup.role', true) IN ('staff', 'admin', 'client'))
    EXECUTE FUNCTION bus.note_change('text', 'kind', 'language', 'description');
