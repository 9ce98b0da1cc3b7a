package main

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestEveryTestNamesAPromiseThatExists(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/spec.md")
	require.NoError(t, err)
	rows, err := readPromises(string(page))
	require.NoError(t, err)
	checks, err := findChecks(os.DirFS("../.."), domains(rows))
	require.NoError(t, err)
	require.Empty(t, unknownChecks(rows, checks))
	require.Greater(t, len(checks), 100, "the tests are found")
}

func TestAnIDBelongsToTheTestThatItsCommentIsAboveOrIn(t *testing.T) {
	t.Parallel()
	rows, err := readPromises("| id | promise |\n| --- | --- |\n| CAT-01 | it purrs |\n| CAT-02 | it \\| sleeps |\nCAT-03\n")
	require.NoError(t, err)
	require.Equal(t, []promise{{"CAT-01", "it purrs"}, {"CAT-02", `it \| sleeps`}}, rows)
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
	checks, err := findChecks(tree, domains(append(rows, promise{id: "ORD-01"})))
	require.NoError(t, err)
	require.Equal(t, []check{
		{"CAT-01", "pets", "TestPurrs"},
		{"CAT-02", "pets", "TestPurrs"},
		{"CAT-04", "pets", "cat_test.go"},
		{"CAT-08", "pets", "scene"},
		{"CAT-09", "pets", "TestLater"},
	}, checks)
	require.Equal(t, checks[2:], unknownChecks(rows, checks))

	_, err = readPromises("| CAT-01 | a |\n| CAT-01 | b |\n")
	require.ErrorContains(t, err, "CAT-01 occurs twice")
}
