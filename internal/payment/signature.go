package payment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// SignatureHeaders are the headers that the signature of a notice may be in.
var SignatureHeaders = []string{"Stripe-Signature", "Popup-Signature"}

// noticeAge is how far the time in a signature may be from now.
const noticeAge = 5 * time.Minute

// ErrSignature is returned for a notice whose signature is missing, wrong or too old. It does not tell which.
var ErrSignature = errors.New("the signature is not valid")

// Sign returns the signature of a notice in the form t=1700000000,v1=hex: an HMAC-SHA256 over the time, a dot and the
// body.
func Sign(secret string, at time.Time, body []byte) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac(secret, stamp, body))
}

// Verify returns an error unless one of the secrets made the signature, at most five minutes before or after now.
func Verify(secrets []string, signature string, body []byte, now time.Time) error {
	stamp, given := parse(signature)
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > noticeAge {
		return ErrSignature
	}
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		expected := mac(secret, stamp, body)
		for _, each := range given {
			if hmac.Equal(expected, each) {
				return nil
			}
		}
	}
	return ErrSignature
}

// maxSignatures is how many signatures of one notice are looked at.
const maxSignatures = 4

// parse returns the time and the v1 signatures of a header.
func parse(header string) (stamp string, given [][]byte) {
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			if decoded, err := hex.DecodeString(value); err == nil && len(given) < maxSignatures {
				given = append(given, decoded)
			}
		}
	}
	return stamp, given
}

func mac(secret, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}
