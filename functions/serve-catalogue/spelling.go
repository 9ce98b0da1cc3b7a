package servecatalogue

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/typed"
	"github.com/popup-shop/popup/internal/web"
)

var word = regexp.MustCompile(`[A-Za-z]{3,30}`)

// correctSpelling returns a search with every unknown word replaced by the nearest known one, or "" when there is
// nothing to replace.
func correctSpelling(ctx context.Context, db web.Reader, text string) (string, error) {
	text = typed.Unmarked(text)
	rows, err := db.Query(ctx, `
		SELECT w, catalogue.meant(w)
		FROM unnest(@words::text[]) AS w
		WHERE NOT EXISTS (SELECT FROM catalogue.dictionary WHERE word = lower(w) AND products > 0)`,
		pgx.NamedArgs{"words": word.FindAllString(text, -1)})
	if err != nil {
		return "", fmt.Errorf("guess what was meant: %w", err)
	}
	instead := map[string]string{}
	var was string
	var is *string
	_, err = pgx.ForEachRow(rows, []any{&was, &is}, func() error {
		if is != nil {
			instead[was] = *is
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("guess what was meant: %w", err)
	}
	if len(instead) == 0 {
		return "", nil
	}
	corrected := word.ReplaceAllStringFunc(text, func(w string) string {
		if better, is := instead[w]; is {
			return better
		}
		return w
	})
	return strings.TrimSpace(corrected), nil
}
