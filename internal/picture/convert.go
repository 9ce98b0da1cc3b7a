package picture

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/kovidgoyal/imaging"
)

const (
	maxPixels = 50_000_000
	quality   = 85 // of JPEG
)

// widths are those in which a picture is kept, unless it is smaller.
var widths = []int{320, 640, 1280}

// What is refused.
var (
	ErrNoPicture = errors.New("is not a complete PNG, JPEG or WebP picture")
	ErrTooLarge  = errors.New("has more than 50 million pixels")
	ErrAnimated  = errors.New("is an animation")
)

// Picture is a picture in the sizes in which it is kept, the largest last.
type Picture struct{ Sizes []Size }

// Size is a picture in one width. Its name begins with a hash of what was uploaded, so the same upload has the same
// names.
type Size struct {
	Name          string
	Width, Height int
	Content       []byte
}

// Largest returns the largest size.
func (p *Picture) Largest() Size { return p.Sizes[len(p.Sizes)-1] }

// Convert decodes a picture completely, turns it as its metadata asks for, converts its colours to sRGB and encodes it
// in each width: as PNG where it is transparent, and as JPEG otherwise. No metadata is left.
func Convert(content []byte) (*Picture, error) {
	if err := check(content); err != nil {
		return nil, err
	}
	decoded, err := decode(content)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoPicture, err)
	}
	sum := sha256.Sum256(append([]byte("sizes 1\n"), content...))
	p, whole := &Picture{}, decoded.Bounds()
	for _, width := range widths {
		last := width >= whole.Dx() || width == widths[len(widths)-1]
		width = min(width, whole.Dx())
		size := Size{Name: hex.EncodeToString(sum[:]), Width: width, Height: max(1, (whole.Dy()*width+whole.Dx()/2)/whole.Dx())}
		if !last {
			size.Name += fmt.Sprintf("-%d", width)
		}
		if err := size.encode(decoded); err != nil {
			return nil, fmt.Errorf("encode picture: %w", err)
		}
		p.Sizes = append(p.Sizes, size)
		if last {
			break
		}
	}
	return p, nil
}

// check rejects a picture by its head.
func check(content []byte) error {
	kind := http.DetectContentType(content)
	if kinds[kind] == "" {
		return ErrNoPicture
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrNoPicture, err)
	case size.Width <= 0 || size.Height <= 0:
		return ErrNoPicture
	case size.Width > sideMost || size.Height > sideMost || size.Width*size.Height > maxPixels:
		return ErrTooLarge
	case animated(kind, content):
		return ErrAnimated
	}
	return nil
}

// animated reports whether a WebP has its animation flag, or a PNG a chunk for animation.
func animated(kind string, content []byte) bool {
	if kind == "image/webp" {
		return len(content) > 20 && string(content[12:16]) == "VP8X" && content[20]&2 != 0
	}
	if kind != "image/png" {
		return false
	}
	for at := 8; at+8 <= len(content); {
		if string(content[at+4:at+8]) == "acTL" {
			return true
		}
		at += 12 + int(binary.BigEndian.Uint32(content[at:]))
	}
	return false
}

// decode returns the pixels of a picture as a person sees them. A decoder that panics has met something that is no
// picture.
func decode(content []byte) (decoded image.Image, err error) {
	defer func() {
		if p := recover(); p != nil {
			decoded, err = nil, fmt.Errorf("decoder failed: %v", p)
		}
	}()
	return imaging.Decode(bytes.NewReader(content), imaging.Backends(imaging.GO_IMAGE), imaging.AutoOrientation(true),
		imaging.ColorSpace(imaging.SRGB_COLORSPACE))
}

// encode draws a picture in the size and encodes it.
func (s *Size) encode(whole image.Image) error {
	drawn := whole
	if s.Width != whole.Bounds().Dx() {
		drawn = imaging.Resize(whole, s.Width, s.Height, imaging.Lanczos)
	}
	var out bytes.Buffer
	var err error
	if opaque, ok := whole.(interface{ Opaque() bool }); ok && !opaque.Opaque() {
		s.Name += ".png"
		err = png.Encode(&out, drawn)
	} else {
		s.Name += ".jpg"
		err = jpeg.Encode(&out, drawn, &jpeg.Options{Quality: quality})
	}
	s.Content = out.Bytes()
	return err
}
