package servegateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// passLife is how long a page may take to make its calls.
const passLife = time.Minute

// passes let the function of the pages call the API in the name of a visitor's address. The calls of a page then count
// as what the visitor did, once, and not as a hundred calls of one function.
type passes struct{ key []byte }

// newPasses returns passes that all copies of the gateway with the same secret accept. Without one only this copy does.
func newPasses(secret string) passes {
	if secret == "" {
		secret = rand.Text()
	}
	return passes{[]byte(secret)}
}

// issue returns a pass for the calls of a page that an address requests.
func (p passes) issue(source string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(source)) + "." + strconv.FormatInt(time.Now().Add(passLife).Unix(), 10)
	return text + "." + p.sign(text)
}

// read returns the address that a pass was issued for; ok is false for one that is forged or has expired.
func (p passes) read(pass string) (source string, ok bool) {
	at := strings.LastIndexByte(pass, '.')
	if at < 0 || !hmac.Equal([]byte(pass[at+1:]), []byte(p.sign(pass[:at]))) {
		return "", false
	}
	encoded, expires, _ := strings.Cut(pass[:at], ".")
	seconds, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || time.Now().Unix() > seconds {
		return "", false
	}
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	return string(text), err == nil
}

func (p passes) sign(text string) string {
	mac := hmac.New(sha256.New, p.key)
	_, _ = mac.Write([]byte(text)) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
