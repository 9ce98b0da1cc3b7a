package static

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
)

const iconSize = 32

// Icon returns the icon of a shop: a disc in its accent with a bright one on it, as an ICO file.
func Icon(accent string) ([]byte, error) {
	c, _ := parseColour(accentOf(accent))
	on := white
	if c.contrast(white) < readable {
		on = black
	}
	picture := image.NewNRGBA(image.Rect(0, 0, iconSize, iconSize))
	for y := range iconSize {
		for x := range iconSize {
			picture.Set(x, y, iconPixel(c, on, float64(x)+0.5, float64(y)+0.5))
		}
	}
	var drawn bytes.Buffer
	if err := png.Encode(&drawn, picture); err != nil {
		return nil, err
	}
	var file bytes.Buffer
	for _, part := range []any{
		[3]uint16{0, 1, 1},                             // an icon file with one picture
		[4]uint8{iconSize, iconSize}, [2]uint16{1, 32}, // its size, planes and bits
		uint32(drawn.Len()), uint32(6 + 16), drawn.Bytes(), // its length and where it is
	} {
		if err := binary.Write(&file, binary.LittleEndian, part); err != nil {
			return nil, err
		}
	}
	return file.Bytes(), nil
}

// iconPixel returns the colour of a point: the outer disc, the inner one, or nothing, with soft edges.
func iconPixel(outer, inner rgb, x, y float64) color.NRGBA {
	cover := func(centreX, centreY, radius float64) float64 {
		distance := (x-centreX)*(x-centreX) + (y-centreY)*(y-centreY)
		return min(max((radius*radius-distance)/(2*radius)+0.5, 0), 1)
	}
	share := cover(19.5, 12.5, 6)
	var mixed [3]uint8
	for i := range mixed {
		mixed[i] = uint8(outer[i]*(1-share) + inner[i]*share)
	}
	return color.NRGBA{mixed[0], mixed[1], mixed[2], uint8(255 * cover(16, 16, 16))}
}
