package servegateway

import (
	"compress/gzip"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressFrom is the size in bytes from which a response is compressed.
const compressFrom = 1 << 10

// compressible are the media types that are compressed. Streams of events are not: each is sent at once.
var compressible = []string{
	"application/json", "application/problem+json", "application/schema+json", "text/csv", "text/css", "text/html", "text/javascript", "text/plain",
	"application/xml", "image/svg+xml",
}

// newCompressor returns a middleware that compresses responses with gzip for callers that accept it. A response keeps its
// ETag, so that a caller can use it in If-Match.
func newCompressor() func(http.Handler) http.HandlerFunc {
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.ContentTypes(compressible), gzhttp.SetContentType(false), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // of these constants
	}
	return compress
}
