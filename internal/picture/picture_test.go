package picture_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
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

// withExif returns a JPEG with an EXIF segment that has an orientation and a position.
func withExif(content []byte, orientation byte) []byte {
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x02" +
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00" + // orientation
		"\x88\x25\x00\x04\x00\x00\x00\x01\x00\x00\x00\x26" + // position
		"\x00\x00\x00\x00" +
		"\x00\x01\x00\x01\x00\x02\x00\x00\x00\x02N\x00\x00\x00\x00\x00\x00\x00")
	body := append([]byte("Exif\x00\x00"), tiff...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return append(append(bytes.Clone(content[:2]), append(segment, body...)...), content[2:]...)
}

// CAT-42: a picture is turned as its metadata asks for, and no metadata is left.
func TestPictureIsTurnedAndFreedOfMetadata_CAT_42(t *testing.T) {
	t.Parallel()
	canvas := image.NewGray(image.Rect(0, 0, 64, 32))
	for x := range 32 {
		for y := range 32 {
			canvas.SetGray(x, y, color.Gray{255}) // the left half is white
		}
	}
	var out bytes.Buffer
	require.NoError(t, jpeg.Encode(&out, canvas, nil))
	for orientation, want := range map[byte]struct {
		width, height int
		white         image.Point
	}{
		1: {64, 32, image.Pt(5, 5)}, 3: {64, 32, image.Pt(60, 5)}, 6: {32, 64, image.Pt(5, 5)}, 8: {32, 64, image.Pt(5, 60)},
	} {
		p, err := picture.Convert(withExif(out.Bytes(), orientation))
		require.NoError(t, err)
		require.Len(t, p.Sizes, 1)
		largest := p.Largest()
		require.NotContains(t, string(largest.Content), "Exif")
		require.True(t, picture.Valid(largest.Name))
		shown, err := jpeg.Decode(bytes.NewReader(largest.Content))
		require.NoError(t, err)
		require.Equal(t, image.Rect(0, 0, want.width, want.height), shown.Bounds(), orientation)
		require.Equal(t, []int{want.width, want.height}, []int{largest.Width, largest.Height})
		light, _, _, _ := shown.At(want.white.X, want.white.Y).RGBA()
		require.Greater(t, light, uint32(0xe000), orientation)
		dark, _, _, _ := shown.At(want.width-1-want.white.X, want.height-1-want.white.Y).RGBA()
		require.Less(t, dark, uint32(0x2000), orientation)
	}
}

// CAT-42: sizes are those up to the picture's own; what is transparent stays so.
func TestPictureHasSizes_CAT_42(t *testing.T) {
	t.Parallel()
	for width, want := range map[int][]int{1: {1}, 320: {320}, 321: {320, 321}, 700: {320, 640, 700}, 1280: {320, 640, 1280}, 3000: {320, 640, 1280}} {
		canvas := image.NewNRGBA(image.Rect(0, 0, width, 30))
		var out bytes.Buffer
		require.NoError(t, png.Encode(&out, canvas))
		p, err := picture.Convert(out.Bytes())
		require.NoError(t, err)
		var got []int
		for _, size := range p.Sizes {
			got = append(got, size.Width)
			require.True(t, picture.Valid(size.Name), size.Name)
			shown, kind, err := image.Decode(bytes.NewReader(size.Content))
			require.NoError(t, err)
			require.Equal(t, "png", kind)
			require.Equal(t, image.Pt(size.Width, size.Height), shown.Bounds().Size())
			_, _, _, alpha := shown.At(0, 0).RGBA()
			require.Zero(t, alpha)
		}
		require.Equal(t, want, got)
	}
}

// CAT-42: what does not decode, or takes too much memory, is refused before it does.
func TestWhatIsNoPictureIsRefused_CAT_42(t *testing.T) {
	t.Parallel()
	whole := drawn(t, 300)
	for cut := range len(whole) - 12 { // the last chunk is empty
		_, err := picture.Convert(whole[:cut])
		require.ErrorIs(t, err, picture.ErrNoPicture, cut)
	}
	bomb := bytes.Clone(whole)
	binary.BigEndian.PutUint32(bomb[16:], 9000)
	binary.BigEndian.PutUint32(bomb[20:], 9000)
	copy(bomb[29:], binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(bomb[12:29])))
	_, err := picture.Convert(bomb)
	require.ErrorIs(t, err, picture.ErrTooLarge)
	frames := append(bytes.Clone(whole[:33]), "\x00\x00\x00\x08acTL\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00"...)
	_, err = picture.Convert(append(frames, whole[33:]...))
	require.ErrorIs(t, err, picture.ErrAnimated)
}
