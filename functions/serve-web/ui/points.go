package ui

import (
	"slices"
	"strconv"
)

// signed writes the points of an entry as what the customer gains or loses by it.
func signed(points int64, kind string) string {
	switch {
	case kind == "spend": // it was taken when it was held
		return strconv.FormatInt(points, 10)
	case slices.Contains([]string{"earn", "release", "adjust"}, kind) && points > 0:
		return "+" + strconv.FormatInt(points, 10)
	case points > 0:
		return "−" + strconv.FormatInt(points, 10)
	}
	return "−" + strconv.FormatInt(-points, 10)
}
