package editcatalogue_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/local/bucket"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/shoptest"
)

// sitWithPictures is a desk in a shop that has an S3-compatible store of pictures in a folder.
func sitWithPictures(t *testing.T) (desk, config.Pictures, string) {
	t.Helper()
	dir := t.TempDir()
	store, err := bucket.Open(dir, "pictures")
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	settings := config.Pictures{
		S3URL: store.URL, S3Bucket: "pictures", S3Region: "local", S3Key: store.Key, S3Secret: store.Secret,
		PictureURL: config.PictureURL{PicturesURL: "/pictures/"},
	}
	return desk{shoptest.Open(t, functions.All, func(s *functions.Settings) { s.Pictures = settings }), t}, settings, dir
}

// upload sends a picture with a generic content type.
func (d desk) upload(path string, content []byte) (int, string) {
	d.t.Helper()
	return d.uploadTo(path+"/images", content)
}

func (d desk) uploadTo(path string, content []byte) (int, string) {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), http.MethodPost, path, bytes.NewReader(content))
	r.Header.Set("Authorization", d.Staff(d.t))
	r.Header.Set("Content-Type", "image/png")
	w := httptest.NewRecorder()
	d.Runtime(d.t, "edit-catalogue").ServeMux(d.Function(d.t, "edit-catalogue")).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func drawn(t *testing.T, encode func(*bytes.Buffer, image.Image) error, grey uint8) []byte {
	t.Helper()
	var out bytes.Buffer
	canvas := image.NewGray(image.Rect(0, 0, 8, 8))
	canvas.SetGray(3, 3, color.Gray{grey})
	require.NoError(t, encode(&out, canvas))
	return out.Bytes()
}

func inPNG(w *bytes.Buffer, m image.Image) error  { return png.Encode(w, m) }
func inJPEG(w *bytes.Buffer, m image.Image) error { return jpeg.Encode(w, m, nil) }

// kept are the pictures in the store's folder.
func kept(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && picture.Valid(e.Name()) {
			names = append(names, e.Name())
		}
		return err
	}))
	return names
}

// CAT-11, CAT-42.
func TestAPictureIsKeptOnceUnderANameOfItsContent(t *testing.T) {
	t.Parallel()
	d, settings, dir := sitWithPictures(t)
	path, content := d.add(product("HAT-1")), drawn(t, inPNG, 9)
	converted, err := picture.Convert(content)
	require.NoError(t, err)
	name := converted.Largest().Name
	for range 2 {
		status, body := d.upload(path, content)
		require.Equal(t, http.StatusCreated, status, body)
		require.JSONEq(t, `{"image_urls": ["/pictures/`+name+`"], "images": [
			{"url": "/pictures/`+name+`", "width": 8, "height": 8, "alt": "", "sizes": [{"url": "/pictures/`+name+`", "width": 8}]}]}`, body)
	}
	require.Equal(t, []string{name}, kept(t, dir))
	other := d.add(product("HAT-2"))
	status, body := d.upload(other, content)
	require.Equal(t, http.StatusCreated, status, body)
	require.Len(t, kept(t, dir), 1, "another product shows the same one")
	require.Equal(t, []any{"/pictures/" + name}, get(t, d.Shop, path).Body["image_urls"])

	d.must(http.MethodDelete, path+"/images/"+name, nil)
	require.Equal(t, http.StatusNotFound, d.call(http.MethodDelete, path+"/images/"+name, nil).Status)
	require.Empty(t, get(t, d.Shop, path).Body["image_urls"])
	require.Equal(t, []any{"/pictures/" + name}, get(t, d.Shop, other).Body["image_urls"])
	require.Len(t, d.emitted(), 5, "what changes nothing is no event")

	shown, err := picture.Open(settings).Get(t.Context(), name)
	require.NoError(t, err)
	require.Equal(t, converted.Largest().Content, shown)
}

// CAT-42: a product has its picture in each width, with the text of the last upload.
func TestPictureHasSizesAndText_CAT_42(t *testing.T) {
	t.Parallel()
	d, settings, dir := sitWithPictures(t)
	path := d.add(product("HAT-1"))
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 2000, 1000)), nil))
	for _, alt := range []string{"A%20hat", "A%20red%20hat%20"} {
		status, body := d.uploadTo(path+"/images?alt="+alt, out.Bytes())
		require.Equal(t, http.StatusCreated, status, body)
	}
	shown := get(t, d.Shop, path).Body["images"].([]any)
	require.Len(t, shown, 1)
	first := shown[0].(map[string]any)
	require.Equal(t, []any{1280.0, 640.0, "A red hat"}, []any{first["width"], first["height"], first["alt"]})
	require.Equal(t, first["url"], get(t, d.Shop, path).Body["image_urls"].([]any)[0])
	require.Len(t, kept(t, dir), 3)
	for i, width := range []int{320, 640, 1280} {
		size := first["sizes"].([]any)[i].(map[string]any)
		require.Equal(t, float64(width), size["width"])
		content, err := picture.Open(settings).Get(t.Context(), strings.TrimPrefix(size["url"].(string), "/pictures/"))
		require.NoError(t, err)
		found, _, err := image.DecodeConfig(bytes.NewReader(content))
		require.NoError(t, err)
		require.Equal(t, width, found.Width)
	}
	require.Len(t, d.emitted(), 3)
}

// CAT-11, CAT-42: the content decides, and not what it is called.
func TestOnlyAPictureIsAPicture(t *testing.T) {
	t.Parallel()
	d, _, dir := sitWithPictures(t)
	path, good := d.add(product("HAT-1")), drawn(t, inPNG, 1)
	webp := []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	for what, c := range map[string]struct {
		content []byte
		want    int
	}{
		"PNG": {good, http.StatusCreated}, "JPEG": {drawn(t, inJPEG, 2), http.StatusCreated}, "WebP": {webp, http.StatusCreated},
		"text":           {[]byte("this is no picture"), http.StatusBadRequest},
		"page":           {[]byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), http.StatusBadRequest},
		"beginning only": {good[:12], http.StatusBadRequest},
		"head of a WebP": {[]byte("RIFF\x24\x00\x00\x00WEBPVP8 "), http.StatusBadRequest},
		"half":           {good[:len(good)/2], http.StatusBadRequest},
		"GIF":            {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), http.StatusBadRequest},
		"nothing":        {nil, http.StatusBadRequest},
		"20 MiB":         {append(bytes.Clone(good), make([]byte, picture.AtMost-len(good))...), http.StatusCreated},
		"more":           {append(bytes.Clone(good), make([]byte, picture.AtMost-len(good)+1)...), http.StatusRequestEntityTooLarge},
	} {
		status, body := d.upload(path, c.content)
		require.Equal(t, c.want, status, "%s: %s", what, body)
	}
	require.Len(t, kept(t, dir), 4)
	status, _ := d.upload("/v1/products/"+shoptest.TheStore, good)
	require.Equal(t, http.StatusNotFound, status)
}

func TestWithoutAStorePicturesAreRefusedAndTheShopGoesOn(t *testing.T) {
	t.Parallel()
	d := sit(t)
	path := d.add(product("HAT-1"))
	status, body := d.upload(path, drawn(t, inPNG, 1))
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.True(t, strings.Contains(body, "dependency-down"), body)
	require.Empty(t, get(t, d.Shop, path).Body["image_urls"])
}
