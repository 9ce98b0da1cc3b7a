package static

import "regexp"

var colour = regexp.MustCompile(`#[0-9a-f]{6}`)

// Contrasts returns the contrast of each pair of colours that a style puts on each other.
func Contrasts(style string) map[string]float64 {
	var all []rgb
	for _, text := range colour.FindAllString(style, -1) {
		c, _ := parseColour(text)
		all = append(all, c)
	}
	return map[string]float64{
		"text on the accent":           all[1].contrast(all[0]),
		"the accent on light colours":  all[2].contrast(paper),
		"the accent on dark colours":   all[3].contrast(night),
		"the accent on a white button": all[2].contrast(white),
	}
}
