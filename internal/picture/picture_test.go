package picture_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/internal/local/bucket"
	"github.com/popup-shop/popup/internal/picture"
)

func drawn(t *testing.T, side int) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, image.NewGray(image.Rect(0, 0, side, 1))))
	return out.Bytes()
}

func TestANameIsMadeOfTheContent(t *testing.T) {
	t.Parallel()
	name, ok := picture.Name(drawn(t, 8))
	require.True(t, ok)
	require.True(t, picture.Valid(name), name)
	again, _ := picture.Name(drawn(t, 8))
	other, _ := picture.Name(drawn(t, 9))
	require.Equal(t, name, again)
	require.NotEqual(t, name, other)
	_, ok = picture.Name(drawn(t, 10_001))
	require.False(t, ok, "a small file may be a picture that is too large to look at")
}

func TestAPictureIsServedForEverAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := drawn(t, 8)
	name, _ := picture.Name(content)
	for range 2 { // what is kept is there when the store is opened again
		store, err := bucket.Open(dir, "pictures")
		require.NoError(t, err)
		pictures := picture.Open(config.Pictures{
			S3URL: store.URL, S3Bucket: "pictures", S3Region: "local", S3Key: store.Key, S3Secret: store.Secret,
		})
		if _, err := pictures.Get(t.Context(), name); err != nil {
			require.NoError(t, pictures.Put(t.Context(), name, content))
		}
		mux := http.NewServeMux()
		mux.Handle("GET /pictures/{name}", pictures.Handler())
		for path, want := range map[string]int{
			name: http.StatusOK, "0" + name[1:]: http.StatusNotFound, "x.png": http.StatusNotFound, "..%2F..%2Fetc%2Fpasswd": http.StatusNotFound,
		} {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/pictures/"+path, nil))
			require.Equal(t, want, w.Code, path)
			if want == http.StatusOK {
				require.Equal(t, content, w.Body.Bytes())
				require.Equal(t, []string{"image/png", picture.Forever},
					[]string{w.Header().Get("Content-Type"), w.Header().Get("Cache-Control")})
			}
		}
		require.NoError(t, store.Close())
	}
}
