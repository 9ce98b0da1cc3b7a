package mailtext_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/mailtext"
)

// WEB-53, NOT-09: every kind of mail is written in both languages, and in different words.
func TestEveryKindHasASample_WEB_53(t *testing.T) {
	t.Parallel()
	require.Greater(t, len(mailtext.Kinds()), 10)
	for _, kind := range mailtext.Kinds() {
		m := mailtext.Sample(kind, "en")
		require.Equal(t, m.Total.Minor, m.Subtotal+m.DeliveryFee+m.Tax, "it adds up")
		seen := map[string]bool{}
		for _, language := range mailtext.Languages() {
			subject, plain, html, err := mailtext.Render(mailtext.Sample(kind, language))
			require.NoError(t, err, "%s in %s", kind, language)
			for _, part := range []string{subject, plain, html} {
				require.NotEmpty(t, part, "%s in %s", kind, language)
				require.NotContains(t, part, "<no value>", "%s in %s", kind, language)
			}
			require.False(t, seen[subject], "%s has the same subject in both languages", kind)
			seen[subject] = true
		}
	}
}
