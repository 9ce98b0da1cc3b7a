// Package style tests the rules of the code's style that a machine can see: words, sizes, and documents that repeat the
// code.
package style

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// rare are groups of words that a reader of the field does not expect, with how many there may be in 1,000 words.
var rare = []struct {
	words *regexp.Regexp
	limit float64
}{
	{regexp.MustCompile(`(?i)\b(say|says|said|tell|tells|told|hear|hears|heard|unheard)\b`), 1.0},
	{regexp.MustCompile(`(?i)\b(nobody|somebody|anybody|everybody|whoever)\b`), 0.5},
}

var word = regexp.MustCompile(`[A-Za-z']+`)

// idiom are words of an earlier private language.
var idiom = regexp.MustCompile(`(?i)\b(compan(y|ies)|unheard|doorkeeper)\b`)

func TestCommentsUseTheFieldsWords(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, file := range goFiles(t, true) {
		if strings.HasPrefix(file.path, "tools/style/") {
			continue
		}
		for _, group := range file.parsed.Comments {
			require.NotRegexp(t, idiom, group.Text(), file.path)
			text.WriteString(group.Text())
		}
	}
	requireRare(t, text.String())
}

// The lists of promises and of changes, and decisions of the past, keep their words.
func TestDocumentsUseTheFieldsWords(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	var text strings.Builder
	for _, page := range append(pages, root+"/README.md") {
		if filepath.Base(page) == "spec.md" {
			continue
		}
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		text.Write(content)
	}
	requireRare(t, text.String())
}

func requireRare(t *testing.T, text string) {
	t.Helper()
	words := len(word.FindAllString(text, -1))
	require.Greater(t, words, 5000)
	for _, group := range rare {
		found := group.words.FindAllString(text, -1)
		require.LessOrEqual(t, 1000*float64(len(found))/float64(words), group.limit, "%d of %s in %d words", len(found),
			group.words, words)
	}
}

// Limits of size, in lines without tests. largePackages and largeFiles may have more, for the reason given.
const (
	maxPackage = 1500
	maxFile    = 300
	maxMethods = 15
)

var largePackages = map[string]string{
	"client":                     "generated from the API",
	"cmd/popup":                  "one file per group of commands, which share nothing but the database",
	"internal/cli/api":           "one file per noun of the HTTP API, which share nothing but the session",
	"functions/edit-catalogue":   "one file per noun of the catalogue",
	"functions/serve-accounts":   "one file per noun of accounts",
	"functions/serve-gateway":    "cache, breaker, limits and metrics of one program",
	"functions/serve-web/office": "one file per part of the office, which share its frame",
	"internal/function":          "the runtime, whose parts share the transaction",
	"cmd/popup-bench":            "one file per bench",
}

var manyMethods = map[string]string{
	"cmd/popup-bench.bench":             "a shop under measurement, with what can be read of it",
	"functions/serve-web/page.Request":  "what a page does with the request of its visitor",
	"functions/serve-accounts.accounts": "one method per route that needs the settings",
	"internal/function.Runtime":         "the runtime, whose parts share pool, broker and log",
	"internal/shoptest.Shop":            "what tests do with a shop",
	"internal/jetstreambroker.plane":    "what one replica delivers, and how it follows the cluster",
	"internal/jetstream.Broker":         "a stream: publishing, its consumers, and what a lost disk takes",
}

var largeFiles = map[string]string{
	"client/routes.go": "generated from the API",
	"client/types.go":  "generated from the API",
}

func TestPackagesAndFilesAreSmall(t *testing.T) {
	t.Parallel()
	packages := map[string]int{}
	for _, file := range goFiles(t, false) {
		packages[path.Dir(file.path)] += file.lines
		if _, ok := largeFiles[file.path]; !ok {
			require.LessOrEqual(t, file.lines, maxFile, file.path)
		}
	}
	for name, lines := range packages {
		if _, ok := largePackages[name]; !ok {
			require.LessOrEqual(t, lines, maxPackage, name)
		}
	}
	for name := range largePackages {
		require.NotZero(t, packages[name], "%s does not exist", name)
	}
}

func TestTypesHaveFewMethods(t *testing.T) {
	t.Parallel()
	methods := map[string]int{}
	for _, file := range goFiles(t, false) {
		if largeFiles[file.path] != "" {
			continue
		}
		for _, declaration := range file.parsed.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Recv != nil {
				methods[path.Dir(file.path)+"."+receiver(f.Recv.List[0].Type)]++
			}
		}
	}
	for name, n := range methods {
		if _, ok := manyMethods[name]; !ok {
			require.LessOrEqual(t, n, maxMethods, name)
		}
	}
}

// receiver returns the name of the type of a method.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return fmt.Sprintf("%T", e)
}

// Every invariant that popup check prints is listed in docs/operations.md.
func TestTheListOfInvariantsIsComplete(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(root + "/docs/operations.md")
	require.NoError(t, err)
	for _, folder := range []string{"checks", "rebuild"} {
		files, err := filepath.Glob(filepath.Join(root, "internal/invariant", folder, "*.sql"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(content), "\n")
			domain, _, _ := strings.Cut(filepath.Base(file), "_")
			require.Contains(t, string(page), "| "+domain+" | "+strings.TrimPrefix(first, "-- ")+" |", file)
		}
	}
}

type goFile struct {
	path   string
	lines  int
	parsed *ast.File
}

// templates begins the files that templ writes.
const templates = "// Code generated by templ"

// goFiles parses the Go files of the repository that people write.
func goFiles(t *testing.T, tests bool) (files []goFile) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go") && !tests:
			return nil
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(content), templates) {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ParseComments)
		files = append(files, goFile{name, strings.Count(string(content), "\n"), parsed})
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(files), 100)
	return files
}
