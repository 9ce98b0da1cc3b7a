package static_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/functions/serve-web/static"
)

func get(t *testing.T, files *static.Files, path, encoding string) *http.Response {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", encoding)
	files.ServeHTTP(w, r)
	return w.Result()
}

// WEB-01.
func TestStaticFilesArePartOfTheProgram_WEB_01(t *testing.T) {
	t.Parallel()
	files, err := static.Open("")
	require.NoError(t, err)
	for _, path := range []string{files.StylePath("#0b6b75"), files.Path("app.js")} {
		plain, packed := get(t, files, path, ""), get(t, files, path, "gzip, br")
		require.Equal(t, http.StatusOK, plain.StatusCode)
		require.Equal(t, "public, max-age=31536000, immutable", plain.Header.Get("Cache-Control"))
		require.Equal(t, "gzip", packed.Header.Get("Content-Encoding"))
		unpacked, err := gzip.NewReader(packed.Body)
		require.NoError(t, err)
		want, err := io.ReadAll(plain.Body)
		require.NoError(t, err)
		got, err := io.ReadAll(unpacked)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	for _, path := range []string{"style.css", "style.-0b6b75.css", "style.000000000000-0b6b75.css", "style.000000000000-x.css"} {
		require.Equal(t, http.StatusNotFound, get(t, files, "/static/"+path, "").StatusCode, path)
	}
}

// WEB-01.
func TestAFolderReplacesStaticFiles_WEB_01(t *testing.T) {
	t.Parallel()
	own, err := static.Open("")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "style.css"), []byte("main{color:red}"), 0o600))
	files, err := static.Open(dir)
	require.NoError(t, err)
	require.NotEqual(t, own.StylePath("#0b6b75"), files.StylePath("#0b6b75"))
	require.Equal(t, own.Path("app.js"), files.Path("app.js"))
	content, err := io.ReadAll(get(t, files, files.StylePath("#FFFFFF"), "").Body)
	require.NoError(t, err)
	require.Equal(t, static.Style("#ffffff")+"\nmain{color:red}", string(content))
	_, err = static.Open(filepath.Join(dir, "missing"))
	require.Error(t, err)
}

// WEB-05.
func TestTextIsReadableInEveryAccent_WEB_05(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		accent := "#" + rapid.StringMatching(`[0-9a-f]{6}`).Draw(t, "accent")
		style := static.Style(accent)
		if !strings.Contains(style, "--accent:"+accent+";") {
			t.Fatal(style)
		}
		for pair, want := range static.Contrasts(style) {
			if want < 4.5 {
				t.Fatalf("%s: %s has a contrast of %.2f", style, pair, want)
			}
		}
	})
	require.Contains(t, static.Style("red;}body{display:none"), "--accent:#0b6b75;")
}
