// Package client calls the HTTP API of a popup shop, with a method for each route. Requests that move stock or money have an
// idempotency key; these, and requests that only read, are retried while the shop is busy. Error responses are a *Problem. Methods
// and types are generated from the OpenAPI document.
package client

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Client calls one shop. Many may use it at once.
type Client struct {
	url     string
	options []Option
}

// New makes a client of the shop at an address such as http://127.0.0.1:8080. The options hold for all its calls.
func New(url string, options ...Option) *Client {
	return &Client{strings.TrimRight(url, "/"), options}
}

// With is the same client with more options.
func (c *Client) With(options ...Option) *Client {
	return &Client{c.url, append(c.options[:len(c.options):len(c.options)], options...)}
}

// Option changes how a request is made.
type Option func(*settings)

type settings struct {
	http     *http.Client
	header   http.Header
	token    func(context.Context) (string, error)
	patience time.Duration
	answered *http.Response
}

// HTTP makes calls with another client than http.DefaultClient.
func HTTP(h *http.Client) Option { return func(s *settings) { s.http = h } }

// Header sets a header, such as X-Request-ID.
func Header(name, value string) Option { return func(s *settings) { s.header.Set(name, value) } }

// Token shows an access token.
func Token(access string) Option {
	return TokenFrom(func(context.Context) (string, error) { return access, nil })
}

// TokenFrom shows the access token that it is given before each call, so that one that ends can be replaced.
func TokenFrom(source func(ctx context.Context) (access string, err error)) Option {
	return func(s *settings) { s.token = source }
}

// OrderToken shows the token of a guest's order.
func OrderToken(token string) Option { return Header("Popup-Order-Token", token) }

// BasketToken shows the token of a visitor's basket.
func BasketToken(token string) Option { return Header("Popup-Basket-Token", token) }

// Language asks for answers in one, such as ja.
func Language(tag string) Option { return Header("Accept-Language", tag) }

// Key is the same on every attempt at one thing, over restarts of the caller too: the shop does it once. Without it each
// call has a new one, which its own attempts share.
func Key(key string) Option { return Header("Idempotency-Key", key) }

// Wait is how long the shop may wait for the outcome before it answers that it is not known yet, in whole seconds.
func Wait(d time.Duration) Option {
	return Header("Prefer", fmt.Sprintf("wait=%d", int(d/time.Second)))
}

// Patience is how long a request is retried, 30 s by default. With 0 it is sent once.
func Patience(d time.Duration) Option { return func(s *settings) { s.patience = d } }

// Answered shows the status and the headers of the answer. Its body is read.
func Answered(into *http.Response) Option { return func(s *settings) { s.answered = into } }

// Paging chooses a page of a list. What is zero is left out: then it is the first page, and 20 items.
type Paging struct {
	Page  int64 `query:"page"`
	Limit int64 `query:"limit"` // at most 100 are answered
}

// Page is a page of a list.
type Page[T any] struct {
	Items      []T   `json:"items"`
	Page       int64 `json:"page"`
	Limit      int64 `json:"limit"`
	Total      int64 `json:"total"` // items on all pages
	TotalPages int64 `json:"total_pages"`

	// Next is the parameter After of the next page, in lists that have it; "" if there is none.
	Next string `json:"next"`
}
