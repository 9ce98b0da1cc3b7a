package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// promise is a row of docs/spec.md.
type promise struct{ id, text string }

var rowForm = regexp.MustCompile(`(?m)^\| ([A-Z]{3}-\d{2}) \| (.+) \|$`)

// readPromises returns the promises of a page in their order, and an error when an id occurs twice.
func readPromises(page string) (rows []promise, err error) {
	seen := map[string]bool{}
	for _, found := range rowForm.FindAllStringSubmatch(page, -1) {
		if seen[found[1]] {
			return nil, fmt.Errorf("%s occurs twice", found[1])
		}
		seen[found[1]] = true
		rows = append(rows, promise{found[1], found[2]})
	}
	return rows, nil
}

// check is a test that names a promise in a comment.
type check struct{ id, folder, test string }

// findChecks returns the tests of a tree that name promises of the domains, sorted by id, folder and name.
func findChecks(tree fs.FS, domains []string) (all []check, err error) {
	ids := regexp.MustCompile(`\b(?:` + strings.Join(domains, "|") + `)-\d{2}\b`)
	err = fs.WalkDir(tree, ".", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && file != "."):
			return fs.SkipDir
		case !strings.HasSuffix(file, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		found, err := checksIn(file, text, ids)
		all = append(all, found...)
		return err
	})
	slices.SortFunc(all, func(a, b check) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.folder, b.folder), cmp.Compare(a.test, b.test))
	})
	return slices.Compact(all), err
}

// checksIn returns the checks of a file. A comment belongs to the function that it is above or in, otherwise to the
// next test; a comment that no test follows belongs to the file.
func checksIn(file string, text []byte, ids *regexp.Regexp) (found []check, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, comment := range parsed.Comments {
		test := cmp.Or(funcOf(parsed, comment), path.Base(file))
		for _, id := range ids.FindAllString(comment.Text(), -1) {
			found = append(found, check{id, path.Dir(file), test})
		}
	}
	return found, nil
}

func funcOf(file *ast.File, comment *ast.CommentGroup) string {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.End() < comment.Pos() {
			continue
		}
		if f.Doc == comment || f.Pos() < comment.Pos() || strings.HasPrefix(f.Name.Name, "Test") {
			return f.Name.Name
		}
	}
	return ""
}

// domains returns the first parts of the ids.
func domains(rows []promise) (all []string) {
	for _, row := range rows {
		all = append(all, row.id[:3])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unknownChecks returns the checks whose promise does not exist.
func unknownChecks(rows []promise, checks []check) []check {
	return slices.DeleteFunc(slices.Clone(checks), func(c check) bool {
		return slices.ContainsFunc(rows, func(r promise) bool { return r.id == c.id })
	})
}
