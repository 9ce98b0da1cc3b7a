package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is an error response: problem details, RFC 9457.
type Problem struct {
	Type      string       `json:"type"` // /problems/ and its kind
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	RequestID string       `json:"request_id"` // finds it in the shop's logs
	Errors    []FieldError `json:"errors"`     // the fields that are wrong

	OrderID string  `json:"order_id"` // of an order that was refused
	Reason  string  `json:"reason"`   // why it was
	Lines   []Short `json:"lines"`    // that there is not enough for
	Total   *Amount `json:"total"`    // that it would have now

	FailedItems []FailedItem `json:"failed_items"` // that there is not enough of to be held
	InUseBy     []string     `json:"in_use_by"`    // what stands against the end of something

	RetryAfter time.Duration `json:"-"` // how long to wait before a retry; 0: unknown
}

// FieldError reports a field of a request that is wrong.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Short is what there is not enough of.
type Short struct {
	SKU       string `json:"sku"`
	StoreID   string `json:"store_id"`
	Requested int64  `json:"requested"`
	Available int64  `json:"available"`
}

// Kind is the last part of the type, such as out-of-stock.
func (p *Problem) Kind() string { return p.Type[strings.LastIndex(p.Type, "/")+1:] }

// Error is the problem in one line, for people.
func (p *Problem) Error() string {
	text := p.Detail
	for _, fault := range p.Errors {
		text += "; " + fault.Field + " " + fault.Message
	}
	if p.RetryAfter > 0 {
		text += fmt.Sprintf("; try again in %.0f s", p.RetryAfter.Seconds())
	}
	return text
}

// problemOf reads the problem in an answer. What stands between us and the shop may answer in a form of its own.
func problemOf(answer *http.Response, body []byte) *Problem {
	p := &Problem{}
	if json.Unmarshal(body, p) != nil || p.Detail == "" {
		p = &Problem{Title: http.StatusText(answer.StatusCode), Detail: "the shop answered " + answer.Status}
	}
	p.Status = answer.StatusCode
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}

// passes reports whether it may be gone at the next try.
func (p *Problem) passes() bool {
	return p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests || p.Kind() == "twin-in-flight"
}
