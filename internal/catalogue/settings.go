package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Settings are what the shop is called and how it looks.
type Settings struct {
	Name         string    `json:"name"`
	Tagline      ByLang    `json:"tagline" doc:"A sentence below the name."`
	Accent       string    `json:"accent" doc:"The colour of buttons and links." example:"#0b6b75"`
	Currency     string    `json:"currency" doc:"Of new products."`
	ContactEmail string    `json:"contact_email,omitempty"`
	Texts        []string  `json:"texts" nullable:"false" doc:"The kinds of texts that the shop has."`
	UpdatedAt    time.Time `json:"updated_at"`
}

// ByLang is a text in the languages of the shop.
type ByLang struct {
	En string `json:"en,omitempty" maxLength:"200"`
	Ja string `json:"ja,omitempty" maxLength:"200"`
}

// SettingsAnswer is the settings.
type SettingsAnswer struct{ Body Settings }

// ReadSettings returns the settings.
func ReadSettings(ctx context.Context, db web.Reader) (*SettingsAnswer, error) {
	rows, err := db.Query(ctx, `
		SELECT name, tagline, accent, currency, contact_email,
			ARRAY(SELECT DISTINCT kind FROM catalogue.texts ORDER BY kind),
			greatest(updated_at, (SELECT max(updated_at) FROM catalogue.texts))
		FROM catalogue.settings`)
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Settings])
	if err != nil {
		return nil, fmt.Errorf("read settings: %w", err)
	}
	s.UpdatedAt = s.UpdatedAt.UTC()
	return &SettingsAnswer{s}, nil
}

// Text is a legal text or a page about the shop, in its languages. A blank line ends a paragraph.
type Text struct {
	Kind string          `json:"kind" enum:"terms,privacy,returns,imprint,delivery,about"`
	En   TextDescription `json:"en,omitzero"`
	Ja   TextDescription `json:"ja,omitzero"`
}

// TextDescription is a text in one language.
type TextDescription struct {
	Description string `json:"description" maxLength:"100000"`
}

// TextAnswer is a text.
type TextAnswer struct{ Body Text }

// ReadText returns a text of the shop, or a problem if it has none of the kind.
func ReadText(ctx context.Context, db web.Reader, kind string) (*TextAnswer, error) {
	text := Text{Kind: kind}
	err := db.QueryRow(ctx, `
		SELECT coalesce(max(description) FILTER (WHERE language = 'en'), ''), coalesce(max(description) FILTER (WHERE language = 'ja'), '')
		FROM catalogue.texts
		WHERE kind = @kind`, pgx.NamedArgs{"kind": kind}).Scan(&text.En.Description, &text.Ja.Description)
	if err != nil {
		return nil, fmt.Errorf("read text %s: %w", kind, err)
	}
	if text.En.Description == "" && text.Ja.Description == "" {
		return nil, problem.NotFound("text")
	}
	return &TextAnswer{text}, nil
}
