package cloudevent

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// rejectionLimit is how many bytes a rejection may have: in base64, it is less than the 1,024 bytes that Knative's
// brokers carry along.
const rejectionLimit = 760

// DeadLetter is an event that could not be delivered, and what is known about why.
type DeadLetter struct {
	Message
	Consumer  string // the function that it was meant for
	Code      int    // the last HTTP status; 0 if the function could not be reached
	Responded bool   // the function itself responded, and not something before it
	Reason    string // the function's reason; "" if it had none against the event
}

// Rejection is the body with which a function refuses an event. Brokers carry it along to the dead-letter function. An
// empty reason means that the event is not at fault.
type Rejection struct {
	Reason string `json:"reason"`
}

// NewRejection returns the rejection for a reason, shortened if need be.
func NewRejection(reason string) Rejection {
	whole := Rejection{strings.ToValidUTF8(reason, "\uFFFD")}
	if whole.size() <= rejectionLimit {
		return whole
	}
	short := whole
	for cut := min(len(whole.Reason), rejectionLimit); short.size() > rejectionLimit; cut = cut * 7 / 8 {
		short.Reason = strings.ToValidUTF8(whole.Reason[:cut], "") + "…"
	}
	return short
}

// size returns the length of the rejection as JSON.
func (r Rejection) size() int {
	body, _ := json.Marshal(r) // a text can always be written
	return len(body)
}

// ParseRejection returns the reason in the body of a response. ok is false when the body is no rejection: the response
// then comes from something between the broker and the function. A broker may have encoded the body in base64.
func ParseRejection(body []byte) (reason string, ok bool) {
	if reason, ok := parseRejection(body); ok {
		return reason, true
	}
	decoded, err := base64.StdEncoding.DecodeString(string(body))
	if err != nil {
		return "", false
	}
	return parseRejection(decoded)
}

func parseRejection(body []byte) (reason string, ok bool) {
	var rejection struct {
		Reason *string `json:"reason"`
	}
	if err := json.Unmarshal(body, &rejection); err != nil || rejection.Reason == nil {
		return "", false
	}
	return *rejection.Reason, true
}

// FromDeadAttributes returns the dead letter with these attributes and data: those of the event, and what Knative's
// brokers add about its delivery.
func FromDeadAttributes(attributes map[string]string, data []byte) (DeadLetter, error) {
	m, err := FromAttributes(attributes, data)
	return newDeadLetter(m, func(name string) string { return attributes[name] }), err
}

func deadLetter(m Message, header http.Header, e cloudevents.Event) DeadLetter {
	return newDeadLetter(m, func(name string) string {
		if value, ok := e.Extensions()[name]; ok {
			return fmt.Sprint(value)
		}
		return header.Get(name)
	})
}

func newDeadLetter(m Message, text func(name string) string) DeadLetter {
	code, _ := strconv.Atoi(text("knativeerrorcode"))
	reason, ok := ParseRejection([]byte(text("knativeerrordata")))
	m.ID, m.Type, m.Source, m.Data = Storable(m.ID), Storable(m.Type), Storable(m.Source), []byte(Storable(string(m.Data)))
	return DeadLetter{
		Message: m, Consumer: Storable(consumerOf(text("knativeerrordest"))), Code: code, Responded: ok,
		Reason: Storable(reason),
	}
}

// Storable returns a text as Postgres can store it: valid UTF-8 without zero bytes.
func Storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// consumerOf returns the name of the function in the address that an event was meant for: its first host label.
func consumerOf(address string) string {
	_, host, ok := strings.Cut(address, "://")
	if !ok {
		host = address
	}
	name, _, _ := strings.Cut(host, ".")
	name, _, _ = strings.Cut(name, "/")
	return name
}
