package function

import (
	"net/http"
	"time"
)

// What a caller may take of a server before anything is known about them.
const (
	headerIn = 10 * time.Second // for the head of a call, and for the first one of a connection to begin
	readIn   = 12 * time.Second // for a whole request, from its first byte; a route has its own limit for the body
	idleFor  = 2 * time.Minute  // between two calls of a connection
	headMost = 32 << 10         // bytes of a head; more is 431
)

// NewServer is a server that bounds what a caller can hold of it: a connection on which nothing comes, or too slowly, is
// ended. How long a function takes to respond is not bounded. Bound limits the writing of the response.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: rejectAmbiguousLength(handler), ConnContext: withConn, ConnState: forgetHead,
		ReadHeaderTimeout: headerIn, ReadTimeout: readIn, IdleTimeout: idleFor, MaxHeaderBytes: headMost,
	}
}
