// Package bucket is an S3-compatible store on disk, for a shop on one machine.
package bucket

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"

	"github.com/popup-shop/popup/internal/local/loopback"
)

// Bucket is a store with one bucket, on loopback. It serves requests that are signed with its key and secret, which are new each
// time it is opened.
type Bucket struct {
	URL    string
	Key    string
	Secret string

	server *http.Server
}

// Open opens the store on a folder.
func Open(dir, name string) (*Bucket, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make folder of pictures: %w", err)
	}
	files, err := s3afero.FsPath(dir, 0)
	if err != nil {
		return nil, fmt.Errorf("open folder of pictures: %w", err)
	}
	backend, err := s3afero.MultiBucket(files)
	if err != nil {
		return nil, fmt.Errorf("open folder of pictures: %w", err)
	}
	if there, err := backend.BucketExists(name); err != nil || !there {
		if err := backend.CreateBucket(name); err != nil {
			return nil, fmt.Errorf("make bucket %s: %w", name, err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open store of pictures: %w", err)
	}
	b := &Bucket{URL: "http://" + l.Addr().String(), Key: rand.Text(), Secret: rand.Text()}
	b.server = &http.Server{Handler: loopback.Only(b.signed(gofakes3.New(backend).Server())), ReadHeaderTimeout: headIn}
	go func() { _ = b.server.Serve(l) }()
	return b, nil
}

// headIn is how long the head of a request may take.
const headIn = 10 * time.Second

// Close ends it. What it keeps stays.
func (b *Bucket) Close() error { return b.server.Close() }
