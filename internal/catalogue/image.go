package catalogue

import (
	"path"
	"strconv"
	"strings"
)

// Image is a picture of a product. Older ones have an address alone.
type Image struct {
	URL    string      `json:"url"`
	Width  int         `json:"width,omitempty" doc:"In pixels."`
	Height int         `json:"height,omitempty"`
	Alt    string      `json:"alt" doc:"What it shows, for those who do not see it."`
	Sizes  []ImageSize `json:"sizes" nullable:"false" doc:"The widths in which it is kept, the largest last."`
}

// ImageSize is a picture in one width.
type ImageSize struct {
	URL   string `json:"url"`
	Width int    `json:"width"`
}

// ImageDetails is what the catalogue stores of a picture beside its name.
type ImageDetails struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Alt    string `json:"alt"`
	Widths []int  `json:"widths"` // the largest, which has the name without a width, last
}

// Images returns pictures by their names, in the order of names, with addresses that begin with base.
func Images(base string, names []string, details map[string]ImageDetails) []Image {
	images := make([]Image, len(names))
	for i, name := range names {
		d := details[name]
		image := Image{URL: base + name, Width: d.Width, Height: d.Height, Alt: d.Alt, Sizes: []ImageSize{}}
		ending := path.Ext(name)
		for _, width := range d.Widths {
			size := ImageSize{URL: image.URL, Width: width}
			if width != d.Width {
				size.URL = strings.TrimSuffix(image.URL, ending) + "-" + strconv.Itoa(width) + ending
			}
			image.Sizes = append(image.Sizes, size)
		}
		images[i] = image
	}
	return images
}
