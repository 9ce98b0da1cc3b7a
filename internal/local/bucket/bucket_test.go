package bucket_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/internal/local/bucket"
)

func open(t testing.TB) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(t.TempDir(), "pictures")
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// send sends a request after a change, signed with a key and secret unless there is none.
func send(t testing.TB, b *bucket.Bucket, method, path, body, key, secret string, change func(r *http.Request)) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if key != "" {
		sum := sha256.Sum256([]byte(body))
		hash := hex.EncodeToString(sum[:])
		r.Header.Set("X-Amz-Content-Sha256", hash)
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		credentials := aws.Credentials{AccessKeyID: key, SecretAccessKey: secret}
		require.NoError(t, signer.SignHTTP(t.Context(), credentials, r, hash, "s3", "local", time.Now()))
	}
	if change != nil {
		change(r)
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

// What is not signed with the store's own secret, or was changed after that, changes and shows nothing.
func TestOnlySignedRequestsAreServed(t *testing.T) {
	t.Parallel()
	b := open(t)
	require.Equal(t, http.StatusOK, send(t, b, "PUT", "/pictures/a.png", "first", b.Key, b.Secret, nil))
	for _, what := range [][2]string{
		{"PUT", "/pictures/a.png"},
		{"DELETE", "/pictures/a.png"},
		{"GET", "/pictures"},
		{"GET", "/pictures?list-type=2"},
		{"GET", "/"},
		{"POST", "/pictures?delete"},
		{"PUT", "/others"},
		{"DELETE", "/pictures"},
		{"GET", "/pictures/a.png"},
		{"HEAD", "/pictures/a.png"},
	} {
		for how, c := range map[string]struct {
			key, secret string
			change      func(r *http.Request)
		}{
			"unsigned":     {"", "", nil},
			"a guess":      {"popup", "popup", nil},
			"wrong secret": {b.Key, "popup", nil},
			"another key":  {"other", b.Secret, nil},
			"another body": {b.Key, b.Secret, func(r *http.Request) {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader("other")), 5
			}},
			"another path":     {b.Key, b.Secret, func(r *http.Request) { r.URL.Path += "x" }},
			"another query":    {b.Key, b.Secret, func(r *http.Request) { r.URL.RawQuery += "&acl" }},
			"another time":     {b.Key, b.Secret, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20200101T000000Z") }},
			"another method":   {b.Key, b.Secret, func(r *http.Request) { r.Method = "OPTIONS" }},
			"no time":          {b.Key, b.Secret, func(r *http.Request) { r.Header.Del("X-Amz-Date") }},
			"unsigned payload": {b.Key, b.Secret, func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }},
			"only a scheme":    {"", "", func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 ") }},
		} {
			require.Equal(t, http.StatusForbidden, send(t, b, what[0], what[1], "second", c.key, c.secret, c.change), "%s: %s", what, how)
		}
	}
	require.Equal(t, "first", read(t, b))
}

// A browser that is led here by a foreign name finds nothing, signed or not.
func TestAForeignHostIsRefused(t *testing.T) {
	t.Parallel()
	b := open(t)
	require.Equal(t, http.StatusForbidden, send(t, b, "GET", "/pictures", "", b.Key, b.Secret, func(r *http.Request) { r.Host = "evil.example" }))
}

// The SDK's own requests pass, whatever the names of objects.
func TestTheSDKIsServed(t *testing.T) {
	t.Parallel()
	b := open(t)
	client := sdk(b)
	name := "a b/ü+%.png"
	_, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("pictures"), Key: &name, Body: bytes.NewReader([]byte("x"))})
	require.NoError(t, err)
	_, err = client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("pictures"), Prefix: aws.String("a b/")})
	require.NoError(t, err)
	_, err = client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("pictures"), Key: &name})
	require.NoError(t, err)
}

func sdk(b *bucket.Bucket) *s3.Client {
	key := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: b.Key, SecretAccessKey: b.Secret}, nil
	})
	return s3.New(s3.Options{
		BaseEndpoint: &b.URL, Region: "local", Credentials: key, UsePathStyle: true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
}

func read(t testing.TB, b *bucket.Bucket) string {
	t.Helper()
	found, err := sdk(b).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("pictures"), Key: aws.String("a.png")})
	require.NoError(t, err)
	defer found.Body.Close()
	content, err := io.ReadAll(found.Body)
	require.NoError(t, err)
	return string(content)
}
