package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/popup-shop/popup/internal/typed"
)

const (
	shortest = 8
	longest  = 128
)

// Weakness returns why a password is rejected, or "" for an acceptable one. mine are public words about its owner, such
// as the e-mail address.
func Weakness(password string, mine ...string) string {
	password = typed.Secret(password)
	switch n := utf8.RuneCountInString(password); {
	case n < shortest || n > longest:
		return "must have 8 to 128 characters"
	case common(password):
		return "is a common password"
	}
	for _, word := range mine {
		if word != "" && strings.EqualFold(strings.TrimSpace(word), password) {
			return "is too easy to guess: it is in your own data"
		}
	}
	return ""
}

// common reports whether a password is on the list, also with digits or signs around it, with the usual substitutions
// of letters, or doubled; or whether it is one repeated letter or a row of keys.
func common(password string) bool {
	plain := exchange.Replace(strings.ToLower(password))
	core := strings.TrimFunc(strings.ToLower(password), func(r rune) bool { return !unicode.IsLetter(r) })
	bare := exchange.Replace(strings.TrimFunc(strings.ToLower(password),
		func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }))
	for _, candidate := range []string{strings.ToLower(password), plain, bare, core, exchange.Replace(core), strings.TrimRight(plain, "0123456789!?.")} {
		half := candidate[:len(candidate)/2]
		if listed[candidate] || len(candidate)%2 == 0 && half+half == candidate && (listed[half] || len(half) < 4) {
			return true
		}
	}
	return few(password) || inARow(strings.ToLower(password))
}

// exchange undoes the usual substitutions of letters.
var exchange = strings.NewReplacer("0", "o", "1", "l", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "!",
	"i")

// few reports whether a password has fewer than three different characters.
func few(password string) bool {
	seen := map[rune]bool{}
	for _, r := range password {
		seen[r] = true
	}
	return len(seen) < 3
}

var keys = []string{"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm", "1qaz2wsx3edc4rfv5tgb", "qazwsxedcrfv"}

// inARow reports whether a password is a part of a row of keys, in either direction.
func inARow(password string) bool {
	backwards := []rune(password)
	for i, j := 0, len(backwards)-1; i < j; i, j = i+1, j-1 {
		backwards[i], backwards[j] = backwards[j], backwards[i]
	}
	for _, row := range keys {
		if strings.Contains(row, password) || strings.Contains(row, string(backwards)) {
			return true
		}
	}
	return false
}

// listed are common passwords from published lists of leaked ones. Those that are shorter
// than a password may be stand here for their variants.
var listed = func() map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(`
		password passwort passwords passw0rd pass passwd motdepasse contrasena contraseña wachtwoord senha parola haslo salasana
		12345678 123456789 1234567890 87654321 987654321 11111111 00000000 12341234 123123123 12344321 11223344 1q2w3e4r 1q2w3e4r5t
		q1w2e3r4 qwerty qwertz qwerty123 qwertyuiop qwertzuiop azerty azertyuiop asdfghjk asdfghjkl asdf zxcvbnm yxcvbnm zaq12wsx
		1qaz2wsx qazwsx qazwsxedc abc abcd abcdef abcdefgh abcd1234 abc12345 a1b2c3d4 iloveyou ilove iloveu loveyou letmein welcome
		willkommen bienvenue bienvenido sunshine princess dragon monkey football baseball basketball superman batman spiderman pokemon
		starwars trustno1 trustno master shadow michael jennifer jordan harley ashley daniel andrew joshua matthew jessica charlie
		thomas nicole hannah george summer winter spring autumn sommer herbst frühling monday friday january october november december
		whatever computer internet server secret geheim admin administrator root toor guest user test testtest tester testing
		changeme change default login access system manager office windows microsoft samsung google facebook linkedin twitter
		instagram youtube amazon apple iphone android hello hallo bonjour hola freedom liberty america london berlin hamburg paris
		tokyo madrid moscow arsenal chelsea liverpool barcelona juventus ferrari mercedes porsche corvette mustang yamaha
		cookie chocolate cheese coffee banana orange ginger pepper butterfly flower blumen rainbow unicorn diamond
		killer hunter ranger soccer hockey tennis golfer fishing music guitar drummer metallica nirvana slipknot
		blink eminem matrix gandalf merlin phoenix tigger buster maggie bailey snoopy hellokitty angel angels
		jesus christ blessed faith heaven maria alexander sophie naruto minecraft fortnite playstation nintendo
		sakura yamato shop popup popupshop store letmeinnow passwordpassword mypassword thepassword newpassword yourpassword
		opensesame sesame trustme nothing something anything nobody someone anonymous
		asdasd asdasdasd qweqwe qweqweqwe qwe123 zxczxc abcabc aaaaaaaa qqqqqqqq fuckyou fuckoff asshole bitch
	`) {
		words[word] = true
		words[exchange.Replace(word)] = true
	}
	return words
}()
