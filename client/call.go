package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const patience = 30 * time.Second

// call is one call of a route.
type call struct {
	method, path string
	query, body  any
	keyed        bool
}

// again reports whether a second one does no harm.
func (c call) again() bool { return c.keyed || c.method == http.MethodGet }

// send makes a call until it is answered, or as often as it may be made.
func send[A any](ctx context.Context, c *Client, options []Option, made call) (answer A, err error) {
	s := settings{http: http.DefaultClient, header: http.Header{"Accept": {"application/json"}}, patience: patience}
	for _, option := range append(c.options[:len(c.options):len(c.options)], options...) {
		option(&s)
	}
	sent, err := s.prepare(ctx, made)
	if err != nil {
		return answer, err
	}
	address := c.url + made.path
	if query := values(made.query).Encode(); query != "" {
		address += "?" + query
	}
	attempt := s.attempt
	if made.again() && s.patience > 0 {
		attempt = s.retry
	}
	body, err := attempt(ctx, made.method, address, sent)
	if err != nil || len(body) == 0 {
		return answer, err
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return answer, fmt.Errorf("read the answer to %s %s: %w", made.method, made.path, err)
	}
	return answer, nil
}

// prepare sets the headers that all attempts share, and returns the body that they do.
func (s *settings) prepare(ctx context.Context, made call) (sent []byte, err error) {
	if made.keyed && s.header.Get("Idempotency-Key") == "" {
		s.header.Set("Idempotency-Key", rand.Text())
	}
	if s.token != nil {
		access, err := s.token(ctx)
		if err != nil {
			return nil, err
		}
		s.header.Set("Authorization", "Bearer "+access)
	}
	if made.body == nil {
		return nil, nil
	}
	if picture, is := made.body.([]byte); is {
		s.header.Set("Content-Type", http.DetectContentType(picture))
		return picture, nil
	}
	s.header.Set("Content-Type", "application/json")
	if sent, err = json.Marshal(made.body); err != nil {
		return nil, fmt.Errorf("write %s %s: %w", made.method, made.path, err)
	}
	return sent, nil
}

// retry repeats a request until its response is final or the patience ends. It waits as long as Retry-After asks.
func (s *settings) retry(ctx context.Context, method, address string, sent []byte) ([]byte, error) {
	var last error
	body, err := backoff.Retry(ctx, func() (body []byte, err error) {
		body, err = s.attempt(ctx, method, address, sent)
		last = err
		var p *Problem
		switch {
		case errors.As(err, &p) && !p.passes():
			return nil, backoff.Permanent(err)
		case p != nil && p.RetryAfter > 0:
			return nil, &backoff.RetryAfterError{Duration: p.RetryAfter}
		}
		return body, err
	}, backoff.WithMaxElapsedTime(s.patience))
	if err != nil && last != nil {
		err = last
	}
	return body, err
}

// attempt makes the call once.
func (s *settings) attempt(ctx context.Context, method, address string, sent []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	request.Header = s.header.Clone()
	answer, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reach the shop: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read the shop's answer: %w", err)
	}
	if s.answered != nil {
		*s.answered = *answer
	}
	if answer.StatusCode/100 != 2 {
		return nil, problemOf(answer, body)
	}
	return body, nil
}

// values are the fields of a query that are set.
func values(query any) url.Values {
	set := url.Values{}
	if query == nil {
		return set
	}
	of := reflect.ValueOf(query)
	for _, f := range reflect.VisibleFields(of.Type()) {
		name, value := f.Tag.Get("query"), of.FieldByIndex(f.Index)
		if name == "" || value.IsZero() {
			continue
		}
		text := fmt.Sprint(value)
		if at, is := value.Interface().(time.Time); is {
			text = at.Format(time.RFC3339Nano)
		}
		set.Set(name, text)
	}
	return set
}
