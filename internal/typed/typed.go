// Package typed brings what people type into one form before it is compared or stored, so that two spellings that look the same are
// the same: "é" as one character or as two, full-width digits, a blank at the end, an e-mail domain in its own script or in ASCII.
//
//	typed.Line("  Zürich ")        // "Zürich", composed
//	typed.Code("ＡＢＣ－１")           // "ABC-1"
//	typed.Email("ada@BÜCHER.example ") // "ada@xn--bcher-kva.example"
package typed

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/runes"
	"golang.org/x/text/unicode/norm"
)

// Line returns text of one line, such as a name, composed (NFC) and without white space around it.
func Line(text string) string { return strings.TrimSpace(norm.NFC.String(text)) }

// Prose returns text that may have several lines as Line does, with "\n" at the end of each.
func Prose(text string) string {
	return Line(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text))
}

// Code returns a code, a number or a word to search for in its compatible form (NFKC), where full-width letters and digits are
// ordinary ones, without white space around it.
func Code(text string) string { return strings.TrimSpace(norm.NFKC.String(text)) }

// Unmarked returns words to search for in their compatible form, with letters instead of those with marks: "Zürich" as "Zurich".
// The marks of kana stay: they make other letters.
func Unmarked(text string) string {
	without := runes.Remove(runes.Predicate(func(r rune) bool { return '\u0300' <= r && r <= '\u036f' }))
	return strings.TrimSpace(norm.NFC.String(without.String(norm.NFKD.String(text))))
}

// Secret returns a password in its compatible form. It keeps the white space.
func Secret(text string) string { return norm.NFKC.String(text) }

// Email returns an e-mail address in its compatible form with the domain in ASCII and lower case, as mail servers know it. It returns
// text whose domain is not valid in its compatible form alone; IsEmail rejects it.
func Email(text string) string {
	text = Code(text)
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return text
	}
	domain, err := idna.Lookup.ToASCII(text[at+1:])
	if err != nil {
		return text
	}
	return text[:at+1] + domain
}

// IsEmail reports whether a result of Email is an e-mail address.
func IsEmail(text string) bool {
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text {
		return false
	}
	_, err = idna.Lookup.ToASCII(text[strings.LastIndexByte(text, '@')+1:])
	return err == nil
}

// IsLine reports whether text has neither line breaks nor characters that are not visible, which could make two texts look alike or
// turn the text around them. Joiners between letters or symbols are part of them.
func IsLine(text string) bool { return check(text, hidden) }

// IsProse reports whether text has no control characters but line breaks and tabs, and nothing that turns the direction of the text
// that follows it.
func IsProse(text string) bool {
	return check(text, func(r rune) bool {
		return r != '\n' && r != '\t' && unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) && !unicode.Is(marks, r)
	})
}

// marks are the marks of direction that have no effect on what follows them.
var marks = &unicode.RangeTable{R16: []unicode.Range16{{0x061c, 0x061c, 1}, {0x200e, 0x200f, 1}}}

const (
	nonJoiner = '\u200c'
	joiner    = '\u200d'
)

func hidden(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// check reports whether text is UTF-8 without characters that are refused, apart from joiners between visible ones. U+FFFD stands
// for what a decoder could not read.
func check(text string, refused func(rune) bool) bool {
	previous := rune(0)
	for i, r := range text {
		if r == utf8.RuneError {
			return false
		}
		next, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		switch {
		case (r == joiner || r == nonJoiner) && joinable(previous) && joinable(next):
		case refused(r):
			return false
		}
		previous = r
	}
	return true
}

func joinable(r rune) bool {
	return r != utf8.RuneError && unicode.In(r, unicode.L, unicode.M, unicode.So, unicode.Sk)
}
