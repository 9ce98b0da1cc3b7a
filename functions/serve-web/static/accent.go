package static

import (
	"fmt"
	"math"
)

// readable is the least contrast of text with what it is on (WCAG 2.2, 1.4.3), with some room for rounding.
const readable = 4.6

var (
	white = rgb{255, 255, 255}
	black = rgb{0, 0, 0}
	paper = rgb{241, 239, 235} // the darkest background of the light colours
	night = rgb{38, 41, 45}    // the lightest background of the dark colours
)

type rgb [3]float64

// Style returns the first line of the style: the colours that follow from the shop's accent, such as #0b6b75. Text in
// them and on them is readable, whatever the accent is.
func Style(accent string) string {
	c, _ := parseColour(accentOf(accent))
	on := white
	if c.contrast(white) < readable {
		on = black
	}
	return fmt.Sprintf(":root{--accent:%s;--on-accent:%s;--accent-ink:light-dark(%s,%s)}", c, on, c.towards(black, paper), c.towards(white, night))
}

func parseColour(text string) (c rgb, ok bool) {
	var r, g, b uint8
	if n, err := fmt.Sscanf(text, "#%02x%02x%02x", &r, &g, &b); err != nil || n != 3 || len(text) != 7 {
		return c, false
	}
	return rgb{float64(r), float64(g), float64(b)}, true
}

// String returns the colour as in CSS.
func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// towards mixes the colour with black or white until it is readable on a background.
func (c rgb) towards(end, background rgb) rgb {
	for share := 0.0; share < 1; share += 0.02 {
		var mixed rgb
		for i := range c {
			mixed[i] = c[i]*(1-share) + end[i]*share
		}
		if mixed.contrast(background) >= readable {
			return mixed
		}
	}
	return end
}

// contrast returns the contrast ratio of two colours as WCAG defines it.
func (c rgb) contrast(other rgb) float64 {
	a, b := c.luminance(), other.luminance()
	return (math.Max(a, b) + 0.05) / (math.Min(a, b) + 0.05)
}

func (c rgb) luminance() float64 {
	linear := func(v float64) float64 {
		v /= 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// standard is the accent of a shop that has chosen none.
const standard = "#0b6b75"

// accentOf returns an accent as it is in names and styles: in lower case, and the standard one for a text that is none.
func accentOf(text string) string {
	if c, ok := parseColour(text); ok {
		return c.String()
	}
	return standard
}
