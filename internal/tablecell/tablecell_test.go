package tablecell_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/tablecell"
	"github.com/popup-shop/popup/internal/typed"
)

var text = rapid.StringOf(rapid.OneOf(rapid.RuneFrom([]rune(`|\> '=+-@ab`)), rapid.Rune()))

// CAT-41: tags are those that were joined.
func TestJoinedTagsAreSplitAgain_CAT_41(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		tags := rapid.SliceOfN(text.Filter(func(s string) bool { return s != "" }), 1, 5).Draw(t, "tags")
		require.Equal(t, tags, tablecell.Split(tablecell.Join(tags)))
	})
	require.Nil(t, tablecell.Split(tablecell.Join(nil)))
	require.Equal(t, []string{`a\b`, "c"}, tablecell.Split(`a\b|c`))
}

// CAT-41: what a text is exported as names the same category when it is imported, whatever the names are.
func TestReferencesAreFound_CAT_41(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(text, rapid.SampledFrom([]string{"E", "F", "E > F", "id0", "ID1"}))
		all := make([]tablecell.Named, rapid.IntRange(1, 8).Draw(t, "n"))
		for i := range all {
			all[i] = tablecell.Named{ID: fmt.Sprint("id", i), Name: typed.Line(name.Draw(t, "name"))}
			if i > 0 && rapid.Bool().Draw(t, "below") {
				all[i].ParentID = all[rapid.IntRange(0, i-1).Draw(t, "parent")].ID
			}
		}
		index := tablecell.NewIndex(all)
		for id, reference := range tablecell.References(all) {
			require.Equal(t, id, index.Find(reference), reference)
		}
	})
}

func TestPathsAreFoundAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	index := tablecell.NewIndex([]tablecell.Named{
		{ID: "1", Name: "Clothes"}, {ID: "2", ParentID: "1", Name: "Hats"}, {ID: "3", Name: "Twin"}, {ID: "4", Name: "Twin"},
	})
	for cell, id := range map[string]string{
		"Clothes>Hats": "2", " Clothes  >  Hats ": "2", "2": "2", "Hats": "", "Twin": "", "": "", `Clothes \> Hats`: "",
	} {
		require.Equal(t, id, index.Find(cell), cell)
	}
}

// CAT-41: a spreadsheet calculates nothing, and gives back what it got.
func TestFormulasAreText_CAT_41(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := text.Draw(t, "cell")
		guarded := tablecell.Guard(cell)
		require.Equal(t, cell, tablecell.Unguard(guarded))
		require.NotRegexp(t, `^[=+\-@]`, guarded)
	})
}
