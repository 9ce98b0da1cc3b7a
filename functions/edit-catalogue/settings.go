package editcatalogue

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

// SettingsRequest replaces the settings.
type SettingsRequest struct {
	Body struct {
		Name         string           `json:"name" maxLength:"100"`
		Tagline      catalogue.ByLang `json:"tagline,omitempty"`
		Accent       string           `json:"accent,omitempty" doc:"#0b6b75 by default." example:"#0b6b75"`
		Currency     string           `json:"currency" maxLength:"3"`
		ContactEmail string           `json:"contact_email,omitempty" maxLength:"254"`
	}
}

// TextRequest replaces a text of the shop, in all languages.
type TextRequest struct {
	Kind string `path:"kind" enum:"terms,privacy,returns,imprint,delivery,about"`
	Body struct {
		En catalogue.TextDescription `json:"en,omitzero"`
		Ja catalogue.TextDescription `json:"ja,omitzero"`
	}
}

// TextOf names a text of the shop.
type TextOf struct {
	Kind string `path:"kind" enum:"terms,privacy,returns,imprint,delivery,about"`
}

func settingsRoutes() []web.Route {
	const settingsPath, textPath = "/v1/settings", "/v1/texts/{kind}"
	return []web.Route{
		web.Undeclared(web.Get(settingsPath, access.Admin, readSettings)),
		web.Put(settingsPath, access.Admin, changeSettings),
		web.Undeclared(web.Get(textPath, access.Admin, readText)),
		web.WithMaxBody(largeBody, web.Put(textPath, access.Admin, changeText)),
		web.Delete(textPath, access.Admin, deleteText),
	}
}

func readSettings(ctx context.Context, db web.Reader, _ *struct{}) (*catalogue.SettingsAnswer, error) {
	return catalogue.ReadSettings(ctx, db)
}

func readText(ctx context.Context, db web.Reader, in *TextOf) (*catalogue.TextAnswer, error) {
	return catalogue.ReadText(ctx, db, in.Kind)
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// Resolve returns every field that is wrong.
func (in *SettingsRequest) Resolve(huma.Context) []error {
	var faults faults
	faults.text("name", in.Body.Name)
	if in.Body.Accent != "" && !colour.MatchString(in.Body.Accent) {
		faults.add("accent", "is not a colour like #0b6b75")
	}
	if _, ok := money.Exponent(in.Body.Currency); !ok {
		faults.add("currency", "is not a currency of ISO 4217")
	}
	if in.Body.ContactEmail != "" && !typed.IsEmail(in.Body.ContactEmail) {
		faults.add("contact_email", "is not an e-mail address")
	}
	return web.BodyErrors(faults)
}

// changeSettings is called by admins.
func changeSettings(
	ctx context.Context, tx pgx.Tx, in *SettingsRequest,
) (*catalogue.SettingsAnswer, []events.Event, error) {
	_, err := tx.Exec(ctx, `
		UPDATE catalogue.settings SET name = @name, tagline = @tagline, accent = coalesce(nullif(lower(@accent), ''), '#0b6b75'), currency = @currency,
			contact_email = @contact_email, updated_at = now()`, pgx.NamedArgs{
		"name": in.Body.Name, "tagline": in.Body.Tagline, "accent": in.Body.Accent, "currency": in.Body.Currency,
		"contact_email": in.Body.ContactEmail,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("change settings: %w", err)
	}
	out, err := catalogue.ReadSettings(ctx, tx)
	return out, []events.Event{events.SettingsChanged{Part: "settings"}}, err
}

// Resolve returns an error for a text that is blank.
func (in *TextRequest) Resolve(huma.Context) []error {
	var faults faults
	if strings.TrimSpace(in.Body.En.Description+in.Body.Ja.Description) == "" {
		faults.add("en.description", "must not be blank in both languages")
	}
	return web.BodyErrors(faults)
}

// changeText is called by admins.
func changeText(ctx context.Context, tx pgx.Tx, in *TextRequest) (*catalogue.TextAnswer, []events.Event, error) {
	byLanguage := map[string]string{"en": in.Body.En.Description, "ja": in.Body.Ja.Description}
	for _, language := range []string{"en", "ja"} {
		if err := storeText(ctx, tx, in.Kind, language, byLanguage[language]); err != nil {
			return nil, nil, err
		}
	}
	out, err := catalogue.ReadText(ctx, tx, in.Kind)
	return out, []events.Event{events.SettingsChanged{Part: in.Kind}}, err
}

// storeText replaces a text in one language; a blank one is removed.
func storeText(ctx context.Context, tx pgx.Tx, kind, language, text string) error {
	_, err := tx.Exec(ctx, `
		MERGE INTO catalogue.texts t
		USING (SELECT @kind AS kind, @language AS language) AS given ON t.kind = given.kind AND t.language = given.language
		WHEN MATCHED AND @text !~ '\S' THEN DELETE
		WHEN MATCHED AND t.description <> @text THEN UPDATE SET description = @text, updated_at = now()
		WHEN NOT MATCHED AND @text ~ '\S' THEN INSERT (kind, language, description) VALUES (@kind, @language, @text)`,
		pgx.NamedArgs{"kind": kind, "language": language, "text": text})
	if err != nil {
		return fmt.Errorf("store text %s in %s: %w", kind, language, err)
	}
	return nil
}

// deleteText is called by admins. Pages show a neutral text in its place.
func deleteText(ctx context.Context, tx pgx.Tx, in *TextOf) (*struct{}, []events.Event, error) {
	if _, err := catalogue.ReadText(ctx, tx, in.Kind); err != nil {
		return nil, nil, err
	}
	_, err := tx.Exec(ctx, `DELETE FROM catalogue.texts WHERE kind = @kind`, pgx.NamedArgs{"kind": in.Kind})
	if err != nil {
		return nil, nil, fmt.Errorf("delete text %s: %w", in.Kind, err)
	}
	return &struct{}{}, []events.Event{events.SettingsChanged{Part: in.Kind}}, nil
}
