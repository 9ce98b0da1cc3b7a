package serveweb

import (
	"bytes"
	"io"
	"net/http"
)

// within calls a gateway in the same program, without a connection.
type within struct{ gateway func() http.Handler }

// RoundTrip implements [http.RoundTripper].
func (w within) RoundTrip(call *http.Request) (*http.Response, error) {
	r := call.Clone(call.Context())
	r.RequestURI, r.RemoteAddr, r.Host = r.URL.RequestURI(), "127.0.0.1:0", r.URL.Host
	if r.Body == nil {
		r.Body = http.NoBody
	}
	recorder := &recorder{header: http.Header{}}
	w.gateway().ServeHTTP(recorder, r)
	if recorder.status == 0 {
		recorder.status = http.StatusOK
	}
	return &http.Response{
		Status: http.StatusText(recorder.status), StatusCode: recorder.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: recorder.header, Body: io.NopCloser(&recorder.body), ContentLength: int64(recorder.body.Len()), Request: call,
	}, nil
}

// recorder is a ResponseWriter that keeps the response in memory.
type recorder struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
}
