package web_test

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/dbtest"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// kinds returns the kinds of problems in the code, with the file of each: all that problem.New is called with, and those
// that errors of huma become.
func kinds(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{"out-of-stock": "place-order", "not-on-sale": "place-order", "unsupported": "web", "too-slow": "web", "no-such-method": "web"}
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && named(call.Fun) == "New" && len(call.Args) == 3 {
				if kind, ok := call.Args[1].(*ast.BasicLit); ok && kind.Kind == token.STRING {
					text, _ := strconv.Unquote(kind.Value)
					found[text] = path
				}
			}
			return true
		})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 15)
	return found
}

func named(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// written is a problem as the answer to a call that accepts languages.
func written(t *testing.T, p *problem.Problem, accepted string) (title, detail, language string) {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Language", accepted)
	p.Write(w, r)
	var said struct{ Title, Detail string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &said))
	return said.Title, said.Detail, w.Header().Get("Content-Language")
}

func inJapanese(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana, unicode.Han) }) >= 0
}

// API-03
func TestEveryKindOfProblemHasEnglishAndJapaneseTexts(t *testing.T) {
	t.Parallel()
	for kind, where := range kinds(t) {
		title, detail, language := written(t, problem.New(409, kind, "the case in words"), "ja")
		require.True(t, inJapanese(title) && inJapanese(detail), "%s of %s: %q, %q", kind, where, title, detail)
		require.Equal(t, "ja", language)
		title, detail, language = written(t, problem.New(409, kind, "the case in words"), "en")
		require.Equal(t, []string{strings.ReplaceAll(kind, "-", " "), "the case in words", "en"}, []string{title, detail, language})
		meaning, _, ok := problem.Explain(kind, "en")
		require.True(t, ok && meaning.Text != "" && meaning.Status >= 300, "%s of %s has no meaning", kind, where)
	}
}

// API-03
func TestTheCallersLanguageIsTheOneOfOursThatTheyPrefer(t *testing.T) {
	t.Parallel()
	for accepted, want := range map[string]string{
		"": "en", "ja": "ja", "ja-JP": "ja", "JA": "ja", "en-GB": "en", "de": "en", "*": "en", "de, ja;q=0.5": "ja", "en, ja": "en", "ja, en": "ja",
		"en;q=0.3, ja;q=0.8": "ja", "ja;q=0": "en", "ja;q=x": "en", "jap": "en", "ja ; q=0.9 , en;q=0.8": "ja", ";;,,": "en",
	} {
		_, _, language := written(t, problem.New(404, "not-found", "no"), accepted)
		require.Equal(t, want, language, accepted)
	}
}

// A problem may come from the handler, the middleware, huma, or where there is no route.
func TestProblemsFromEverywhereAreInTheCallersLanguage(t *testing.T) {
	t.Parallel()
	s := setup(t, time.Second)
	for path, body := range map[string]string{"/things/999": "", "/things": `{"nothing":1}`, "/nothing": "", "/things/x": ""} {
		method := "GET"
		if body != "" {
			method = "POST"
		}
		r := call(t, method, s.url+path, body, "Accept-Language", "ja-JP,ja;q=0.9", "Idempotency-Key", "k")
		require.GreaterOrEqual(t, r.status, 400, path)
		require.True(t, inJapanese(r.body), "%s: %s", path, r.body)
		require.Equal(t, "ja", r.header.Get("Content-Language"), path)
	}
}

// The response to a panic has the request id, and the panic holds no connection of the database.
func TestAPanicOfAHandlerIsAProblem(t *testing.T) {
	t.Parallel()
	door := web.Endpoints("serve-things", settings(t),
		web.Get("/panic", access.All, func(context.Context, web.Reader, *struct{}) (*answer, error) { panic("what we know") }),
		web.Post("/panic", access.All, http.StatusOK, func(context.Context, pgx.Tx, *struct{}) (*answer, []events.Event, error) { panic("what we know") }))
	pool := dbtest.DB(t)
	grantRole(t, pool, "serve-things")
	var log strings.Builder
	rt := &function.Runtime{Pool: pool, Log: slog.New(slog.NewTextHandler(&log, nil))}
	server := httptest.NewServer(rt.ServeMux(&function.Function{Name: "serve-things", Endpoints: door}))
	t.Cleanup(server.Close)
	for range 10 {
		for _, method := range []string{"GET", "POST"} {
			r := call(t, method, server.URL+"/panic", "", "X-Request-ID", "req-7")
			p := readProblem(t, r)
			require.Equal(t, []any{500, "/problems/internal", "req-7"}, []any{r.status, p.Type, p.RequestID})
			require.NotContains(t, r.body, "what we know")
		}
	}
	require.Zero(t, pool.Stat().AcquiredConns(), "all connections were given back")
	require.Contains(t, log.String(), "req-7")
}
