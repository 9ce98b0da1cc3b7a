// Package problem holds the errors that callers of the HTTP API see: problem details as in RFC 9457, in English and
// Japanese.
package problem

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// ContentType is the media type of problem details.
const ContentType = "application/problem+json"

// challenge tells a program how to authenticate (RFC 9110, 11.6.1, and RFC 6750).
const challenge = `Bearer realm="popup"`

// FieldError reports a field of a request that is wrong.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Problem is an error response.
type Problem struct {
	Kind       string // last part of the type URI
	Status     int    // of HTTP
	Detail     string // in English
	RequestID  string
	Errors     []FieldError
	Data       map[string]any // further members
	RetryAfter int            // seconds; 0 leaves the header out
	Cookies    []string       // Set-Cookie headers
	ETag       string         // of the current representation, for a failed precondition
	Location   string         // of what has moved
	language   string
}

// New returns a problem of a kind. 429 and 503 ask the caller to retry after a second.
func New(status int, kind, detail string) *Problem {
	p := &Problem{Status: status, Kind: kind, Detail: detail}
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		p.RetryAfter = 1
	}
	return p
}

// Invalid rejects a request with wrong fields.
func Invalid(errors ...FieldError) *Problem {
	p := New(http.StatusBadRequest, "invalid", "Some fields of the request are wrong.")
	p.Errors = errors
	return p
}

// NotSignedIn rejects a request that needs a token and has none, or one that is not valid.
func NotSignedIn() *Problem {
	return New(http.StatusUnauthorized, "not-signed-in", "This request needs a valid token.")
}

// NotAllowed rejects a request that its caller has no permission for.
func NotAllowed() *Problem {
	return New(http.StatusForbidden, "not-allowed", "You do not have permission to do this.")
}

// Changed rejects a change of an object whose current representation, by its entity tag, is not the one that the caller read.
func Changed(tag string) *Problem {
	p := New(http.StatusPreconditionFailed, "precondition-failed",
		"This has changed since you read it. Read it again, and repeat the change with its new ETag.")
	p.ETag = tag
	return p
}

// NotFound reports an object that does not exist, or that the caller may not see.
func NotFound(noun string) *Problem {
	return New(http.StatusNotFound, "not-found", "This "+noun+" does not exist.")
}

// Moved leads to the address that an object has by now.
func Moved(location string) *Problem {
	p := New(http.StatusMovedPermanently, "moved", "This has another address by now, which is in the header Location.")
	p.Location = location
	return p
}

// TooLarge rejects a body that is larger than its route accepts.
func TooLarge() *Problem {
	return New(http.StatusRequestEntityTooLarge, "too-large",
		"The request is larger than this route accepts: 64 KiB, or the limit in its contract.")
}

// TooLargeToStore rejects a request that needs more space in the database than one request may, and names the field to shorten.
func TooLargeToStore(field string) *Problem {
	p := New(http.StatusUnprocessableEntity, "too-large-to-store",
		"The shop cannot store this much in one request. Send less of the field that is named.")
	p.Errors = []FieldError{{Field: field, Message: "is too large to be stored with what the shop adds to it"}}
	return p
}

// Overloaded rejects a request before anything was done for it.
func Overloaded() *Problem {
	return New(http.StatusTooManyRequests, "overloaded",
		"The shop is overloaded. Try again in a moment, with the same Idempotency-Key.")
}

// Internal reports an error that is the shop's fault.
func Internal() *Problem {
	return New(http.StatusInternalServerError, "internal",
		"The shop made a mistake. The request id identifies it in the shop's log.")
}

// With adds a member to the problem and returns it.
func (p *Problem) With(name string, value any) *Problem {
	if p.Data == nil {
		p.Data = map[string]any{}
	}
	p.Data[name] = value
	return p
}

// Error returns kind and detail.
func (p *Problem) Error() string { return p.Kind + ": " + p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders returns the headers of the response.
func (p *Problem) GetHeaders() http.Header {
	headers := http.Header{"Content-Language": {cmp.Or(p.language, english)}}
	if p.RetryAfter > 0 {
		headers.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	if len(p.Cookies) > 0 {
		headers["Set-Cookie"] = p.Cookies
	}
	if p.ETag != "" {
		headers.Set("ETag", p.ETag)
	}
	if p.Location != "" {
		headers.Set("Location", p.Location)
	}
	if p.Status == http.StatusUnauthorized {
		headers.Set("WWW-Authenticate", challenge)
	}
	return headers
}

// ContentType returns the media type of problem details, whatever the request accepts.
func (p *Problem) ContentType(string) string { return ContentType }

// MarshalJSON writes the standard members and the further ones side by side.
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

// Schema describes problem details in the OpenAPI document.
func (p *Problem) Schema(all huma.Registry) *huma.Schema {
	text := func(description string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: description}
	}
	all.Map()["Problem"] = &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"type", "title", "status", "detail"},
		Properties: map[string]*huma.Schema{
			"type":       text("The kind of the problem, as a path: /problems/{kind}."),
			"title":      text("The kind in words."),
			"status":     {Type: huma.TypeInteger, Description: "The HTTP status."},
			"detail":     text("What is wrong, for people."),
			"request_id": text("Identifies the request in the shop's log."),
			"errors": {Type: huma.TypeArray, Items: &huma.Schema{
				Type: huma.TypeObject, Required: []string{"field", "message"},
				Properties: map[string]*huma.Schema{
					"field":   text("The field that is wrong."),
					"message": text("What is wrong with it."),
				},
			}},
		},
	}
	return &huma.Schema{Ref: "#/components/schemas/Problem"}
}

// For makes p the response to a request: with its id, in its language. header returns the headers of the request.
func (p *Problem) For(header func(name string) string) *Problem {
	p.RequestID = header("X-Request-ID")
	p.language = PreferredLanguage(header("Accept-Language"))
	return p
}

// Write sends p as the response to a request.
func (p *Problem) Write(w http.ResponseWriter, r *http.Request) {
	p.For(r.Header.Get)
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// Respond sends p as the response to a request of the API.
func (p *Problem) Respond(api huma.API, ctx huma.Context) {
	p.For(ctx.Header)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetHeader("Content-Type", ContentType)
	ctx.SetStatus(p.Status)
	_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
}
