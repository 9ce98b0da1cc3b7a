package function

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// What a caller may take of a server before anything is known about them.
const (
	headerIn = 10 * time.Second // for the head of a call, and for the first one of a connection to begin
	readIn   = 12 * time.Second // for a whole call, from its first byte; a door says for itself how long a body may take
	idleFor  = 2 * time.Minute  // between two calls of a connection
	headMost = 32 << 10         // bytes of a head; more is 431
)

// NewServer is a server that bounds what a caller can hold of it: a connection on which nothing comes, or too slowly, is
// ended. How long an answer takes is not bounded.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: unhurried(handler), ReadHeaderTimeout: headerIn, ReadTimeout: readIn, IdleTimeout: idleFor, MaxHeaderBytes: headMost,
	}
}

// unhurried lifts the time limit of a call once it is read. The standard library reads ahead, and would take a limit that is
// over meanwhile for a caller who left.
func unhurried(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lift := func() { _ = http.NewResponseController(w).SetReadDeadline(time.Time{}) } // where there is none, none is to be lifted
		if r.Body == nil || r.Body == http.NoBody {
			lift()
		} else {
			r = r.WithContext(r.Context()) // a copy: of the call itself the server asks whether all of the body was read
			r.Body = &untilRead{r.Body, lift}
		}
		handler.ServeHTTP(w, r)
	})
}

// untilRead is a body that tells when it has been read.
type untilRead struct {
	io.ReadCloser
	read func()
}

func (b *untilRead) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.read()
	}
	return n, err
}
