package spec_test

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/spec"
)

func TestEveryCheckIsOfSomethingThatIsPromised(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/spec.md")
	require.NoError(t, err)
	rows, err := spec.Rows(string(page))
	require.NoError(t, err)
	checks, err := spec.Checks(os.DirFS("../.."), spec.Domains(rows))
	require.NoError(t, err)
	require.Empty(t, spec.Unknown(rows, checks))
	require.Greater(t, len(checks), 100, "the tests are found")
}

func TestAnIDIsThatOfTheTestWhichItStandsAboveOrIn(t *testing.T) {
	t.Parallel()
	rows, err := spec.Rows("| id | promise |\n| --- | --- |\n| CAT-01 | it purrs |\n| CAT-02 | it \\| sleeps |\nCAT-03\n")
	require.NoError(t, err)
	require.Equal(t, []spec.Row{{"CAT-01", "it purrs"}, {"CAT-02", `it \| sleeps`}}, rows)
	tree := fstest.MapFS{
		"pets/cat_test.go": {Data: []byte(`package pets

// CAT-01, CAT-02: both.
func TestPurrs(t *testing.T) {
	// CAT-02
	_ = "CAT-05"
}

var all = []string{
	// CAT-09.
	"x",
}

func helper() {}

// CAT-08.
func (d *day) scene() {}

func TestLater(t *testing.T) {}

// CAT-04 is of nobody, and CAT-041, DOG-01 and ORD-20260131 are no ids.
`)},
		"pets/cat.go":               {Data: []byte("package pets\n\n// CAT-06.\nfunc TestNone() {}\n")},
		"pets/testdata/cat_test.go": {Data: []byte("package pets\n\n// CAT-07.\nfunc TestNone() {}\n")},
	}
	checks, err := spec.Checks(tree, spec.Domains(append(rows, spec.Row{ID: "ORD-01"})))
	require.NoError(t, err)
	require.Equal(t, []spec.Check{
		{"CAT-01", "pets", "TestPurrs"},
		{"CAT-02", "pets", "TestPurrs"},
		{"CAT-04", "pets", "cat_test.go"},
		{"CAT-08", "pets", "scene"},
		{"CAT-09", "pets", "TestLater"},
	}, checks)
	require.Equal(t, checks[2:], spec.Unknown(rows, checks))

	_, err = spec.Rows("| CAT-01 | a |\n| CAT-01 | b |\n")
	require.ErrorContains(t, err, "CAT-01 is there twice")
}
