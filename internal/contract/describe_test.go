package contract_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/internal/problem"
)

// API-93: every operation has what a reader and a generator need.
func TestOperationsAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../schemas/openapi.yaml")
	require.NoError(t, err)
	var document struct {
		Servers []map[string]any
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Security    []map[string]any
			Responses   map[string]struct{ Description string }
		}
	}
	require.NoError(t, yaml.Unmarshal(text, &document))
	require.NotEmpty(t, document.Servers)
	ids := map[string]string{}
	kind := regexp.MustCompile(`/problems/([a-z-]+)`)
	for path, item := range document.Paths {
		for method, o := range item {
			name := method + " " + path
			require.Regexp(t, `^[a-z]+([A-Z][A-Za-z]*)*$`, o.OperationID, name)
			require.Empty(t, ids[o.OperationID], "%s and %s", name, ids[o.OperationID])
			ids[o.OperationID] = name
			require.Regexp(t, `^[A-Z][^.]+$`, o.Summary, name)
			require.NotNil(t, o.Security, name)
			for _, status := range []string{"400", "429", "503"} {
				require.Contains(t, o.Responses, status, name)
			}
			for status, response := range o.Responses {
				for _, found := range kind.FindAllStringSubmatch(response.Description, -1) {
					_, _, known := problem.Explain(found[1], "en")
					require.True(t, known, "%s %s: %s", name, status, found[1])
				}
			}
		}
	}
}
