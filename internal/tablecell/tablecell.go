// Package tablecell has the form in which the cells of a table of products name tags, categories and stores, so that a
// table that is exported and imported changes nothing, whatever letters the names have:
//
//	tablecell.Join([]string{"warm", "a|b"}) // `warm|a\|b`
//	tablecell.Path("Clothes", "Hats > 50")  // `Clothes > Hats \> 50`
//
// A category or store that its name does not tell from another one is named by its id.
package tablecell

import (
	"regexp"
	"strings"

	"github.com/popup-shop/popup/internal/typed"
)

// Join returns tags with "|" between them.
func Join(tags []string) string {
	escaped := make([]string, len(tags))
	for i, tag := range tags {
		escaped[i] = escape(tag, "|")
	}
	return strings.Join(escaped, "|")
}

// Split returns the tags of a cell.
func Split(cell string) []string {
	if cell == "" {
		return nil
	}
	return split(cell, '|')
}

// Path returns the names of categories from the top, with " > " between them.
func Path(names ...string) string {
	escaped := make([]string, len(names))
	for i, name := range names {
		escaped[i] = escape(typed.Line(name), ">")
	}
	return strings.Join(escaped, " > ")
}

// normalPath returns a path in the form of Path.
func normalPath(cell string) string { return Path(split(cell, '>')...) }

func escape(text, separator string) string {
	return strings.NewReplacer(`\`, `\\`, separator, `\`+separator).Replace(text)
}

// split returns the parts of a cell. A backslash before anything but itself and the separator is only a backslash.
func split(cell string, separator rune) (parts []string) {
	var part strings.Builder
	escaped := false
	for _, r := range cell {
		switch {
		case escaped:
			if r != separator && r != '\\' {
				part.WriteByte('\\')
			}
			part.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == separator:
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteRune(r)
		}
	}
	if escaped {
		part.WriteByte('\\')
	}
	return append(parts, part.String())
}

// Named is a category or a store. Its parent is empty for a root.
type Named struct{ ID, ParentID, Name string }

// References returns the text that names each of the given categories or stores, by its id: its path, or the id where
// the path names several of them. Each comes after its parent.
func References(all []Named) map[string]string {
	known, named := paths(all), ids(all)
	references := map[string]string{}
	for id, path := range known {
		references[id] = path
		if _, ok := known[strings.ToLower(path)]; ok || len(named[path]) > 1 { // a name may be the id of another
			references[id] = id
		}
	}
	return references
}

// Index finds categories or stores by the text that names them.
type Index struct {
	ids   map[string][]string // by path
	known map[string]string   // paths by id
}

// NewIndex returns the index of the given categories or stores. Each comes after its parent.
func NewIndex(all []Named) Index { return Index{ids(all), paths(all)} }

// Find returns the id that a cell names, "" if it names none or several. A path may have any blanks around its
// separators, and a name alone may have separators that are not escaped.
func (x Index) Find(cell string) string {
	cell = typed.Line(cell)
	if _, ok := x.known[strings.ToLower(cell)]; ok {
		return strings.ToLower(cell)
	}
	found := x.ids[normalPath(cell)]
	if found == nil {
		found = x.ids[Path(cell)]
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

func paths(all []Named) map[string]string {
	found := map[string]string{}
	for _, n := range all {
		found[n.ID] = Path(n.Name)
		if n.ParentID != "" {
			found[n.ID] = found[n.ParentID] + " > " + found[n.ID]
		}
	}
	return found
}

func ids(all []Named) map[string][]string {
	found := map[string][]string{}
	for id, path := range paths(all) {
		found[path] = append(found[path], id)
	}
	return found
}

// calculated matches texts that a spreadsheet calculates, other than numbers and telephone numbers.
var calculated = regexp.MustCompile(`^([=@\t\r＝＠]|[+＋－-].*[^0-9 ().,/-])`)

// Harmless returns a cell with an apostrophe before it if a spreadsheet would calculate it. Guard does so for more cells, so that
// Unguard can undo it.
func Harmless(cell string) string {
	if calculated.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

// formula begins a text that a spreadsheet would calculate, or one that Guard has changed.
var formula = regexp.MustCompile(`^'*[=+\-@\t\r＝＋－＠]`)

// Guard returns a cell as a spreadsheet reads it as text: a formula begins with an apostrophe.
func Guard(cell string) string {
	if formula.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

// Unguard returns the cell that Guard was given.
func Unguard(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && formula.MatchString(rest) {
		return rest
	}
	return cell
}
