package servecatalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/web"
)

// suggestTo is how many names are suggested.
const suggestTo = 5

// SuggestRequest has the text that was typed so far.
type SuggestRequest struct {
	Q string `query:"q" required:"true" minLength:"1" maxLength:"100"`
}

// SuggestAnswer is up to five products, the best first.
type SuggestAnswer struct {
	Body struct {
		Items []Suggestion `json:"items" nullable:"false"`
	}
}

// Suggestion is a product by its name.
type Suggestion struct {
	Name      string `json:"name"`
	ProductID string `json:"product_id" format:"uuid"`
}

// suggest is called while a visitor types.
func suggest(ctx context.Context, db web.Reader, in *SuggestRequest) (*SuggestAnswer, error) {
	items, err := readSuggestions(ctx, db, in.Q)
	if err == nil && len(items) == 0 {
		var better string
		if better, err = correctSpelling(ctx, db, in.Q); better != "" {
			items, err = readSuggestions(ctx, db, better)
		}
	}
	if err != nil {
		return nil, err
	}
	answer := &SuggestAnswer{}
	answer.Body.Items = append([]Suggestion{}, items...)
	return answer, nil
}

// bySuggestion returns names that have the words, of the first thousand that do: those where they stand in the name,
// short ones first. Equal names are suggested once.
const bySuggestion = `
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
		LIMIT @limit`

// readSuggestions returns the names of bySuggestion.
func readSuggestions(ctx context.Context, db web.Reader, q string) ([]Suggestion, error) {
	rows, err := db.Query(ctx, bySuggestion, pgx.NamedArgs{"q": q, "limit": suggestTo})
	if err != nil {
		return nil, fmt.Errorf("suggest products: %w", err)
	}
	items, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Suggestion])
	if err != nil {
		return nil, fmt.Errorf("suggest products: %w", err)
	}
	return items, nil
}
