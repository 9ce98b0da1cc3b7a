// Package picture keeps pictures in an S3-compatible store, each under a name that is made from its content. It knows
// nothing of what they show.
package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // so that the size of one can be read
	_ "image/png"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/popup-shop/popup/config"
)

// AtMost is how many bytes a picture may have that is uploaded.
const AtMost = 20 << 20

const (
	answerIn = 10 * time.Second
	sideMost = 10_000 // pixels
)

// ErrNoStore reports that no store is configured.
var ErrNoStore = errors.New("S3_URL is not set: there is nowhere to put pictures")

// kinds are the endings of the media types that are kept.
var kinds = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}

var nameForm = regexp.MustCompile(`^[0-9a-f]{64}(-320|-640)?\.(png|jpg|webp)$`)

// Valid reports whether a text is the name of a picture.
func Valid(name string) bool { return nameForm.MatchString(name) }

// Name is the name of a picture: the SHA-256 of its content, and what kind of picture it is by its content. ok is false
// for what is none.
func Name(content []byte) (name string, ok bool) {
	kind := http.DetectContentType(content)
	ending, known := kinds[kind]
	if !known || kind != "image/webp" && !drawn(content) {
		return "", false
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:]) + ending, true
}

// drawn reports whether the head of a picture can be read, and is that of one of sensible size.
func drawn(content []byte) bool {
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	return err == nil && size.Width <= sideMost && size.Height <= sideMost
}

// Store keeps pictures.
type Store struct {
	client   *s3.Client
	settings config.Pictures
}

// Open makes a store. It connects when it is asked for something.
func Open(settings config.Pictures) *Store {
	key := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: settings.S3Key, SecretAccessKey: settings.S3Secret}, nil
	})
	return &Store{settings: settings, client: s3.New(s3.Options{
		BaseEndpoint: aws.String(settings.S3URL), Region: settings.S3Region, Credentials: key, UsePathStyle: true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})}
}

// Put keeps a picture under its name. A second time it does no harm: the content is the same.
func (s *Store) Put(ctx context.Context, name string, content []byte) error {
	if s.settings.S3URL == "" {
		return ErrNoStore
	}
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &s.settings.S3Bucket, Key: &name, Body: bytes.NewReader(content), ContentLength: aws.Int64(int64(len(content))),
		ContentType: aws.String(http.DetectContentType(content)), CacheControl: aws.String(Forever),
	})
	if err != nil {
		return fmt.Errorf("keep picture %s: %w", name, err)
	}
	return nil
}

// Get reads a picture.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	found, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.settings.S3Bucket, Key: &name})
	if err != nil {
		return nil, fmt.Errorf("read picture %s: %w", name, err)
	}
	defer found.Body.Close()
	content, err := io.ReadAll(io.LimitReader(found.Body, AtMost))
	if err != nil {
		return nil, fmt.Errorf("read picture %s: %w", name, err)
	}
	return content, nil
}

// BaseURL is what the addresses of pictures begin with; their names follow.
func (s *Store) BaseURL() string { return s.settings.PicturesURL }
