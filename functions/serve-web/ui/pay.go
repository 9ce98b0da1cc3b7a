package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/boombuler/barcode/qr"

	"github.com/popup-shop/popup/internal/payment"
)

// Drawing is the outline of a picture and the box that it is in, as SVG has them.
type Drawing struct{ Box, Path string }

// quiet is the width of the empty border that a QR code needs, in modules.
const quiet = 4

// QR draws a text as a QR code, one row of dark modules after the other. It is empty for a text that is too long for one.
func QR(text string) Drawing {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return Drawing{}
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := range size {
			if r, _, _, _ := code.At(x, y).RGBA(); r == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quiet, y+quiet)
			}
		}
	}
	return Drawing{fmt.Sprintf("0 0 %[1]d %[1]d", size+2*quiet), path.String()}
}

// PayLink is the address at which a payment is made, if it leads to a page or a wallet.
func PayLink(uri string) templ.SafeURL {
	for _, scheme := range []string{"https://", "http://", "taler://", "taler+http://"} {
		if strings.HasPrefix(uri, scheme) {
			return templ.SafeURL(uri)
		}
	}
	return "#"
}

// InTokyo is a time as clocks in Japan show it.
func InTokyo(t time.Time) string { return t.In(payment.Tokyo()).Format("2006-01-02 15:04") }
