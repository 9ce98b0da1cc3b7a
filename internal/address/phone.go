package address

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/popup-shop/popup/internal/typed"
)

var (
	phone     = regexp.MustCompile(`^((?:\(?\+)?[0-9()/. -]*[0-9][0-9()/. -]*)(?:[ ,;]*(?:ext(?:ension|n)?\.?|x\.?|#|内線|;ext=)[ :.=]*([0-9]{1,7}))?$`)
	brackets  = regexp.MustCompile(`^[^()]*(\([^()]*\)[^()]*)*$`)
	blanks    = regexp.MustCompile(`\s+`)
	phoneDash = strings.NewReplacer("‐", "-", "‑", "-", "‒", "-", "–", "-", "—", "-", "−", "-", "ー", "-", "·", ".", "•", ".", "∙", ".")
)

// Phone returns a telephone number in ASCII, and whether it can be one: 4 to 17 digits, with a plus before them, blanks, hyphens, full
// stops, slashes and brackets among them, and an extension after them, in the digits of any script.
func Phone(text string) (number string, ok bool) {
	number = strings.Map(asciiDigit, phoneDash.Replace(typed.Code(text)))
	number = blanks.ReplaceAllString(strings.TrimSpace(number), " ")
	parts := phone.FindStringSubmatch(strings.TrimPrefix(strings.ToLower(number), "tel:"))
	if parts == nil || !brackets.MatchString(parts[1]) {
		return number, false
	}
	digits := strings.Count(strings.Map(keepDigit, parts[1]), "0")
	return number, digits >= 4 && digits <= 17
}

// asciiDigit returns 7 for a seven of any script.
func asciiDigit(r rune) rune {
	if r <= unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	zero := r
	for unicode.Is(unicode.Nd, zero-1) && r-zero < 9 {
		zero--
	}
	return '0' + r - zero
}

// keepDigit returns 0 for a digit and leaves anything else out.
func keepDigit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return '0'
}
