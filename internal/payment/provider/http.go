package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxAnswer is the most bytes of an answer that are read.
const maxAnswer = 1 << 20

// callTime is how long a provider may take for one call.
const callTime = 10 * time.Second

// caller calls the API of a provider. Its errors contain neither the request nor the response.
type caller struct {
	name   string
	url    string
	client *http.Client
	header http.Header
}

func newCaller(name, url string, header http.Header) caller {
	return caller{name, url, &http.Client{
		Timeout:       callTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, header}
}

// do sends a request and decodes the JSON response of any status below 500. An error means that the outcome is unknown.
func (c caller) do(ctx context.Context, method, path, contentType string, body []byte, header http.Header, answer any) (status int, err error) {
	if c.url == "" {
		return 0, fmt.Errorf("%s has no address", c.name)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("call %s: %w", c.name, errAddress)
	}
	for _, h := range []http.Header{c.header, header} {
		for name, values := range h {
			r.Header[name] = values
		}
	}
	r.Header.Set("Accept", "application/json")
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := c.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("call %s: %w", c.name, withoutAddress(err))
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return 0, fmt.Errorf("read answer of %s: %w", c.name, err)
	}
	if len(text) > maxAnswer {
		return 0, fmt.Errorf("%s answered more than %d bytes", c.name, maxAnswer)
	}
	if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests || isRedirect(response.StatusCode) {
		return 0, fmt.Errorf("%s answered %d", c.name, response.StatusCode)
	}
	if response.StatusCode == http.StatusNoContent {
		return response.StatusCode, nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return 0, fmt.Errorf("%s answered %d with something that is not the JSON expected", c.name, response.StatusCode)
	}
	return response.StatusCode, nil
}

// json sends a request with a body in JSON.
func (c caller) json(ctx context.Context, method, path string, body, answer any) (status int, err error) {
	var encoded []byte
	contentType := ""
	if body != nil {
		if encoded, err = json.Marshal(body); err != nil {
			return 0, err
		}
		contentType = "application/json"
	}
	return c.do(ctx, method, path, contentType, encoded, nil, answer)
}

func isRedirect(status int) bool { return status >= 300 && status < 400 }

var errAddress = errors.New("its address is not valid")

// withoutAddress returns the cause of a failed call: the address in the error may contain a secret.
func withoutAddress(err error) error {
	for {
		cause := errors.Unwrap(err)
		if cause == nil {
			return err
		}
		err = cause
	}
}
