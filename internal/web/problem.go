package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/pgbatch"
)

// FieldError is a field of a request that is wrong, and why.
type FieldError struct {
	Field string `json:"field"`
	Message   string `json:"why"`
}

// Problem is an error as callers see it: problem details, RFC 9457.
type Problem struct {
	Kind       string // last part of the type URI
	Status     int
	Detail     string
	RequestID  string
	Errors     []FieldError
	Data       map[string]any // of the case, beside the standard members
	RetryAfter int            // seconds; 0 leaves it out
	Cookies    []string       // Set-Cookie headers
	language   string         // of its texts
}

// New makes a problem of a kind.
func New(status int, kind, detail string) *Problem {
	p := &Problem{Status: status, Kind: kind, Detail: detail}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		p.RetryAfter = 1
	}
	return p
}

// Invalid is a request with wrong fields.
func Invalid(faults ...FieldError) *Problem {
	p := New(http.StatusBadRequest, "invalid", "the request has fields that are wrong")
	p.Errors = faults
	return p
}

// TooLargeToStore refuses a request that would make more than the shop can store of it, and names the field that does.
func TooLargeToStore(field string) *Problem {
	p := New(http.StatusUnprocessableEntity, "too-large-to-store", "The shop cannot store this much in one request. Send less of the field that is named.")
	p.Errors = []FieldError{{Field: field, Message: "is too large to be stored with what the shop adds to it"}}
	return p
}

// overloaded refuses a request early: the function has more to do than it can.
func overloaded() *Problem {
	return New(http.StatusTooManyRequests, "overloaded", "The shop has more to do than it can right now. Try again in a moment, with the same key.")
}

// notStorable refuses a request with a value that the database does not store.
func notStorable() *Problem {
	p := New(http.StatusUnprocessableEntity, "not-storable", "The shop cannot store what the request holds. A value is too large or has a form that is not allowed.")
	p.Errors = []FieldError{{Field: "body", Message: "holds a value that cannot be stored"}}
	return p
}

// NotFound is an object that is not there, or not for this caller.
func NotFound(what string) *Problem {
	return New(http.StatusNotFound, "not-found", "there is no such "+what)
}

// With adds data of the case.
func (p *Problem) With(name string, value any) *Problem {
	if p.Data == nil {
		p.Data = map[string]any{}
	}
	p.Data[name] = value
	return p
}

// Error is the problem in one line.
func (p *Problem) Error() string { return p.Kind + ": " + p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are the headers that go with it.
func (p *Problem) GetHeaders() http.Header {
	headers := http.Header{"Content-Language": {cmp.Or(p.language, english)}}
	if p.RetryAfter > 0 {
		headers.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if len(p.Cookies) > 0 {
		headers["Set-Cookie"] = p.Cookies
	}
	return headers
}

// ProblemType is the media type of problem details.
const ProblemType = "application/problem+json"

// ContentType is that of problem details, whatever was asked for.
func (p *Problem) ContentType(string) string { return ProblemType }

// MarshalJSON writes the standard members and the data of the case side by side.
func (p *Problem) MarshalJSON() ([]byte, error) {
	title, detail := p.texts()
	members := map[string]any{"type": "/problems/" + p.Kind, "title": title, "status": p.Status, "detail": detail}
	if p.RequestID != "" {
		members["request_id"] = p.RequestID
	}
	if len(p.Errors) > 0 {
		members["errors"] = p.Errors
	}
	maps.Copy(members, p.Data)
	return json.Marshal(members)
}

// Schema describes a problem for the contract.
func (p *Problem) Schema(all huma.Registry) *huma.Schema {
	text := func(says string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: says} }
	all.Map()["Problem"] = &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"type", "title", "status", "detail"},
		Properties: map[string]*huma.Schema{
			"type": text("/problems/ and its kind"), "title": text("its kind in words"),
			"status": {Type: huma.TypeInteger}, "detail": text("what is wrong, for people"), "request_id": text("finds it in our logs"),
			"errors": {Type: huma.TypeArray, Items: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"field", "why"},
				Properties: map[string]*huma.Schema{"field": text("which field is wrong"), "why": text("and why")},
			}},
		},
	}
	return &huma.Schema{Ref: "#/components/schemas/Problem"}
}

// For makes it the answer to a call: with its request id, in its language.
func (p *Problem) For(header func(name string) string) *Problem {
	p.RequestID, p.language = header("X-Request-ID"), languageOf(header("Accept-Language"))
	return p
}

// Write answers a call with the problem.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.For(r.Header.Get)
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// noText is what Postgres says to a zero byte, and to bytes that are no UTF-8: only a caller can have sent them.
const noText = "22021"

// ofOpenAccounts are the constraints that refuse what the caller's account can't have any more: it was closed during the call.
var ofOpenAccounts = []string{"closed_accounts_have_nothing", "closed_accounts_order_nothing", "closed_accounts_name_nobody"}

// What Postgres reports of values that it does not store (its appendix A). A constraint that a function did not foresee (class 23) is
// not among them: it may be broken by our own mistake as well.
const (
	dataException  = "22" // a class
	divisionByZero = "22012"
	limitExceeded  = "54" // a class: such as a value that is too large for an index
	eventTooLarge  = "event_data_at_most_64_kib"
)

// FromError is what callers hear of an error that nobody foresaw: that they may come again, or that we are at fault.
func FromError(err error) *Problem {
	var pg *pgconn.PgError
	if errors.Is(err, function.ErrOverloaded) {
		return overloaded()
	}
	if errors.Is(err, function.ErrTooLarge) {
		return TooLargeToStore("body")
	}
	if errors.As(err, &pg) {
		switch {
		case slices.Contains(ofOpenAccounts, pg.ConstraintName):
			return NotSignedIn()
		case pg.Code == noText:
			return New(http.StatusBadRequest, "invalid", "the request holds bytes that are no text")
		case pg.ConstraintName == eventTooLarge:
			return TooLargeToStore("body")
		case pg.Code != divisionByZero && pg.Code[:2] == dataException, pg.Code[:2] == limitExceeded:
			return notStorable()
		}
	}
	if pgbatch.IsUnavailable(err) {
		return New(http.StatusServiceUnavailable, "busy", "the shop cannot do this right now; try again with the same key")
	}
	return internalError()
}
