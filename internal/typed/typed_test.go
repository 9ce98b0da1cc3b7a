package typed_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/typed"
)

// ACC-39.
func TestFormsOfOneText(t *testing.T) {
	for name, c := range map[string]struct {
		form        func(string) string
		typed, want string
	}{
		"composed name":            {typed.Line, "Zu\u0308rich", "Zürich"},
		"blanks around a name":     {typed.Line, "\u3000 Ada\u00a0", "Ada"},
		"wide letters in a name":   {typed.Line, "Ａda", "Ａda"},
		"wide code":                {typed.Code, "ＡＢＣ－１２３ ", "ABC-123"},
		"half-width kana":          {typed.Code, "ﾏｸﾞ", "マグ"},
		"lines of a description":   {typed.Prose, "a\r\nb\rc\n", "a\nb\nc"},
		"blanks in a password":     {typed.Secret, " e\u0301 ", " é "},
		"domain in its script":     {typed.Email, "ada@bücher.example", "ada@xn--bcher-kva.example"},
		"decomposed domain":        {typed.Email, "ada@bu\u0308cher.example", "ada@xn--bcher-kva.example"},
		"domain in capitals":       {typed.Email, "Ada@Example.ORG", "Ada@example.org"},
		"wide address":             {typed.Email, "ａｄａ＠ｅｘａｍｐｌｅ．ｏｒｇ", "ada@example.org"},
		"ideographic full stop":    {typed.Email, "ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"},
		"what is no address":       {typed.Email, " ada ", "ada"},
		"domain that is no domain": {typed.Email, "ada@exa mple.org", "ada@exa mple.org"},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, c.form(c.typed)) })
	}
}

// ACC-39: what is stored is what is compared.
func TestFormsAreStable(t *testing.T) {
	forms := []func(string) string{typed.Line, typed.Code, typed.Prose, typed.Secret, typed.Email}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zä]{1,5}@[a-zäöß]{1,9}\.[a-z]{2,5}`)).Draw(t, "text")
		for _, form := range forms {
			once := form(text)
			require.Equal(t, once, form(once))
			require.Equal(t, once, form(norm.NFD.String(text)))
		}
	})
}

func TestEmailAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"ada@example.org": true, "ada+shop@example.org": true, "ada@xn--bcher-kva.example": true, "あだ@example.org": true,
		"ada": false, "ada@": false, "@example.org": false, "Ada <ada@example.org>": false, "ada@exa_mple.org": false, "a b@example.org": false,
		"ada@example.org, eve@example.org": false, "ada@-example.org": false, "": false,
	} {
		t.Run(text, func(t *testing.T) { require.Equal(t, want, typed.IsEmail(typed.Email(text))) })
	}
}

func TestCharactersThatAreNotVisible(t *testing.T) {
	for name, c := range map[string]struct {
		text        string
		line, prose bool
	}{
		"letters of all kinds":    {"Ångström 例え мир שלום", true, true},
		"Persian with a joiner":   {"می\u200cخواهم", true, true},
		"Sinhala with a joiner":   {"ක\u0dca\u200dෂ", true, true},
		"joined symbols":          {"👩\u200d💻", true, true},
		"joiner at the end":       {"ada\u200d", false, true},
		"joiner at the beginning": {"\u200cada", false, true},
		"line break":              {"a\nb", false, true},
		"carriage return":         {"a\rb", false, false},
		"line separator":          {"a\u2028b", false, true},
		"zero-width space":        {"a\u200bda", false, true},
		"override":                {"a\u202eda", false, false},
		"mark of direction":       {"a\u200fda", false, true},
		"escape":                  {"a\x1b[31m", false, false},
		"C1 control":              {"a\u009bda", false, false},
		"not readable":            {"a\ufffd", false, false},
		"not UTF-8":               {"Caf\xe9", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.line, typed.IsLine(c.text))
			require.Equal(t, c.prose, typed.IsProse(c.text))
		})
	}
}
