// Package spec holds what is promised against the tests that prove it. A test bears the ids of its promises in a comment. It knows
// neither what a promise means nor whether a test is a good one.
package spec

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

// Row is a promise.
type Row struct{ ID, Promise string }

var rowForm = regexp.MustCompile(`(?m)^\| ([A-Z]{3}-\d{2}) \| (.+) \|$`)

// Rows reads the promises of a page, in their order. An id that is there twice is a mistake.
func Rows(page string) (rows []Row, err error) {
	seen := map[string]bool{}
	for _, found := range rowForm.FindAllStringSubmatch(page, -1) {
		if seen[found[1]] {
			return nil, fmt.Errorf("%s is there twice", found[1])
		}
		seen[found[1]] = true
		rows = append(rows, Row{found[1], found[2]})
	}
	return rows, nil
}

// Check is a test that bears the id of a promise: its folder and its name.
type Check struct{ ID, Folder, Test string }

// Checks finds the tests of a tree that bear ids of the domains that are named, by id, folder and name.
func Checks(tree fs.FS, domains []string) (all []Check, err error) {
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
		found, err := inFile(file, text, ids)
		all = append(all, found...)
		return err
	})
	slices.SortFunc(all, func(a, b Check) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Folder, b.Folder), cmp.Compare(a.Test, b.Test))
	})
	return slices.Compact(all), err
}

// inFile finds ids in the comments of a file. A comment is of the function that it stands above or in, otherwise of the next
// test, which is given what it stands in; one that no test follows is of the file.
func inFile(file string, text []byte, ids *regexp.Regexp) (found []Check, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, comment := range parsed.Comments {
		test := cmp.Or(funcOf(parsed, comment), path.Base(file))
		for _, id := range ids.FindAllString(comment.Text(), -1) {
			found = append(found, Check{id, path.Dir(file), test})
		}
	}
	return found, nil
}

func funcOf(file *ast.File, comment *ast.CommentGroup) string {
	for _, d := range file.Decls {
		f, is := d.(*ast.FuncDecl)
		if !is || f.End() < comment.Pos() {
			continue
		}
		if f.Doc == comment || f.Pos() < comment.Pos() || strings.HasPrefix(f.Name.Name, "Test") {
			return f.Name.Name
		}
	}
	return ""
}

// Domains are those of the rows: the first part of an id.
func Domains(rows []Row) (all []string) {
	for _, row := range rows {
		all = append(all, row.ID[:3])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Unknown are the checks of what nobody promised.
func Unknown(rows []Row, checks []Check) []Check {
	return slices.DeleteFunc(slices.Clone(checks), func(c Check) bool {
		return slices.ContainsFunc(rows, func(r Row) bool { return r.ID == c.ID })
	})
}
