// Package cloudevent is the shop's events on the wire: CloudEvents 1.0 over HTTP and in a broker, with the W3C trace
// context.
package cloudevent

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/popup-shop/popup/events"
)

// Message is an event with the attributes that the runtime gives it.
type Message struct {
	ID          string
	Type        string // without the prefix
	Source      string // path of the function that emitted it, such as /functions/place-order
	Subject     string
	OrderID     string
	CausationID string
	N           int // its number among the events of one cause
	Version     int64
	Delayed     bool
	TraceParent string
	Time        time.Time
	Data        []byte
}

// SourceOf returns the source of the events that a function emits.
func SourceOf(function string) string { return "/functions/" + function }

// Emitter returns the function that emitted the event.
func (m Message) Emitter() string { return m.Source[strings.LastIndex(m.Source, "/")+1:] }

// Key returns what the event is about: events of one order have the same key.
func (m Message) Key() string { return cmp.Or(m.OrderID, m.Subject) }

// Attributes returns the CloudEvents attributes of the message by their names on the wire; empty ones are left out.
// Source and dataschema are absolute URIs below the address of the shop.
func (m Message) Attributes(shop string) map[string]string {
	shop = strings.TrimRight(shop, "/")
	all := map[string]string{
		"specversion": "1.0", "id": m.ID, "type": events.Prefix +
			m.Type, "source": absolute(shop, m.Source), "subject": m.Subject,
		"time": m.Time.UTC().Format(time.RFC3339Nano), "datacontenttype": "application/json",
		"dataschema":   shop + "/schemas/events/" + m.Type + ".json",
		"partitionkey": m.OrderID, "correlationid": m.OrderID, "causationid": m.CausationID,
		// The NATS broker of Knative 1.22 blanks traceparent, so it travels twice.
		"traceparent": m.TraceParent, "popuptrace": m.TraceParent,
	}
	if m.OrderID == "" {
		all["partitionkey"] = m.Subject
	}
	if m.Version > 0 {
		all["sequence"] = fmt.Sprintf("%010d", m.Version) // orders as text, too
	}
	if m.Delayed {
		all["delayed"] = "true"
	}
	for name, value := range all {
		if value == "" {
			delete(all, name)
		}
	}
	return all
}

// absolute returns a source as a URI; that of another shop is one already.
func absolute(shop, source string) string {
	if strings.HasPrefix(source, "/") {
		return shop + source
	}
	return source
}

// FromAttributes returns the message with these attributes and data. An error names the attribute that is missing.
func FromAttributes(attributes map[string]string, data []byte) (Message, error) {
	m := Message{
		ID: attributes["id"], Type: strings.TrimPrefix(attributes["type"], events.Prefix), Source: attributes["source"],
		Subject: attributes["subject"], OrderID: attributes["correlationid"], CausationID: attributes["causationid"],
		TraceParent: cmp.Or(attributes["popuptrace"],
			attributes["traceparent"]), Delayed: attributes["delayed"] == "true", Data: data,
	}
	for _, required := range []string{"id", "type", "source"} {
		if attributes[required] == "" {
			return m, fmt.Errorf("read event: no %s", required)
		}
	}
	m.Time, _ = time.Parse(time.RFC3339Nano, attributes["time"])
	m.Version, _ = strconv.ParseInt(attributes["sequence"], 10, 64)
	return m, nil
}

// CloudEvent returns the message as the CloudEvents SDK knows it.
func (m Message) CloudEvent(shop string) cloudevents.Event {
	e := cloudevents.New()
	for name, value := range m.Attributes(shop) {
		switch name {
		case "specversion":
		case "id":
			e.SetID(value)
		case "type":
			e.SetType(value)
		case "source":
			e.SetSource(value)
		case "subject":
			e.SetSubject(value)
		case "time":
			e.SetTime(m.Time)
		case "dataschema":
			e.SetDataSchema(value)
		case "datacontenttype":
			e.SetDataContentType(value)
		default:
			e.SetExtension(name, value)
		}
	}
	e.DataEncoded = m.Data
	return e
}

// fromCloudEvent returns the message in a CloudEvent of either form.
func fromCloudEvent(e cloudevents.Event) (Message, error) {
	attributes := map[string]string{"id": e.ID(), "type": e.Type(), "source": e.Source(), "subject": e.Subject()}
	for name, value := range e.Extensions() {
		attributes[name] = fmt.Sprint(value)
	}
	if !e.Time().IsZero() {
		attributes["time"] = e.Time().Format(time.RFC3339Nano)
	}
	return FromAttributes(attributes, e.Data())
}
