package contract

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"

	"github.com/popup-shop/popup/events"
)

// readComments returns the doc comments of all types in a folder, by name.
func readComments(source fs.FS) (map[string]string, error) {
	files, err := fs.Glob(source, "*.go")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no events beside the schemas: %w", cmp.Or(err, fs.ErrNotExist))
	}
	says := map[string]string{}
	for _, name := range files {
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, declared := range file.Decls {
			addComments(says, declared)
		}
	}
	return says, nil
}

func addComments(says map[string]string, declared ast.Decl) {
	group, ok := declared.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range group.Specs {
		if of, ok := spec.(*ast.TypeSpec); ok {
			says[of.Name.Name] = cmp.Or(of.Doc.Text(), group.Doc.Text())
		}
	}
}

// describe returns the comment of an event on one line, without its name: "An order was placed."
func describe(e events.Event, says map[string]string) string {
	name := reflect.TypeOf(e).Name()
	text := strings.Join(strings.Fields(says[name]), " ")
	for _, beginning := range []string{name + " ", "reports that ", "is a tick: "} {
		text = strings.TrimPrefix(text, beginning)
	}
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
