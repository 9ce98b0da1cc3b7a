package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	bodyMost = 16 << 20
	skewMost = 15 * time.Minute // of clocks, as S3 has it
	scheme   = "AWS4-HMAC-SHA256 "
)

// signed serves requests with a right signature (AWS Signature Version 4, in the header), and answers all others with 403.
func (b *Bucket) signed(to http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyMost))
		if err != nil {
			http.Error(w, "The body is too large or breaks off.", http.StatusBadRequest)
			return
		}
		if err := b.verify(r, content, time.Now()); err != nil {
			refuse(w, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(content))
		to.ServeHTTP(w, r)
	})
}

// refuse answers as S3 does.
func refuse(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusForbidden)
	_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>The request is not signed as it must be: "+err.Error()+".</Message></Error>")
}

// verify signs the request once more, with the same headers and time, and compares.
func (b *Bucket) verify(r *http.Request, content []byte, now time.Time) error {
	shown, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme)
	if !ok {
		return errors.New("there is no signature of version 4")
	}
	fields := map[string]string{}
	for field := range strings.SplitSeq(shown, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		fields[name] = value
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(at).Abs() > skewMost {
		return errors.New("its time is not now")
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])
	if r.Header.Get("X-Amz-Content-Sha256") != hash {
		return errors.New("its body is not the one that was signed")
	}
	scope := strings.Split(fields["Credential"], "/") // key, day, region, service, aws4_request
	if len(scope) != 5 || scope[0] != b.Key {
		return errors.New("the access key is unknown")
	}
	again, err := b.sign(r, strings.Split(fields["SignedHeaders"], ";"), hash, scope[2], at)
	if err != nil {
		return errors.New("it cannot be compared")
	}
	if subtle.ConstantTimeCompare([]byte(again), []byte(r.Header.Get("Authorization"))) != 1 {
		return errors.New("the signature is wrong")
	}
	return nil
}

// sign returns the Authorization header of a request of which some headers are signed. What is not signed can't be changed
// to any effect but these: the host, the time, the hash of the body are among them, or the signatures differ.
func (b *Bucket) sign(r *http.Request, signed []string, hash, region string, at time.Time) (string, error) {
	again, err := http.NewRequestWithContext(context.Background(), r.Method, "http://"+r.Host+r.URL.RequestURI(), nil)
	if err != nil {
		return "", err
	}
	for name, values := range r.Header {
		if name != "Authorization" && slices.Contains(signed, strings.ToLower(name)) {
			again.Header[name] = values
		}
	}
	if slices.Contains(signed, "content-length") {
		again.ContentLength = r.ContentLength
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }) // as for S3
	credentials := aws.Credentials{AccessKeyID: b.Key, SecretAccessKey: b.Secret}
	err = signer.SignHTTP(context.Background(), credentials, again, hash, "s3", region, at)
	return again.Header.Get("Authorization"), err
}
