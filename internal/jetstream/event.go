// Package jetstream delivers CloudEvents over NATS JetStream as a Broker of Knative does: one stream for a Broker, one
// durable consumer for each Trigger, retries with backoff, dead letters. The laptop and the cluster's broker use it; it
// knows neither Kubernetes nor the shop.
//
// An event is published once it is stored. It is delivered to the subscriber of each Trigger whose filters it passes,
// and acknowledged once the subscriber responds with success or the dead-letter sink has it:
//
//	b, err := jetstream.Open(ctx, conn, jetstream.Stream{Name: "shop"})
//	d := &jetstream.Dispatcher{Broker: b, Trigger: trigger, Subscriber: subscriber, Log: log}
//	go d.Run(ctx)
//	errs := b.Publish(ctx, []jetstream.Event{e})
package jetstream

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"
	"github.com/nats-io/nats.go"
)

// Event is a CloudEvent as it is stored: its attributes by their names on the wire, and its data.
type Event struct {
	Attributes map[string]string
	Data       []byte
}

// Type returns the type of the event.
func (e Event) Type() string { return e.Attributes["type"] }

// With returns the event with more attributes; empty ones are left out.
func (e Event) With(more map[string]string) Event {
	all := make(map[string]string, len(e.Attributes)+len(more))
	for name, value := range e.Attributes {
		all[name] = value
	}
	for name, value := range more {
		if value != "" {
			all[name] = value
		}
	}
	return Event{all, e.Data}
}

// FromCloudEvent returns an event of the CloudEvents SDK.
func FromCloudEvent(c cloudevents.Event) Event {
	attributes := map[string]string{
		"specversion": c.SpecVersion(), "id": c.ID(), "type": c.Type(), "source": c.Source(), "subject": c.Subject(),
		"dataschema": c.DataSchema(), "datacontenttype": c.DataContentType(),
	}
	if !c.Time().IsZero() {
		attributes["time"] = c.Time().UTC().Format(time.RFC3339Nano)
	}
	for name, value := range c.Extensions() {
		if text, err := types.Format(value); err == nil {
			attributes[name] = text
		}
	}
	return Event{Data: c.Data()}.With(attributes)
}

// CloudEvent returns the event as the CloudEvents SDK knows it, and an error when it is not a valid one.
func (e Event) CloudEvent() (cloudevents.Event, error) {
	c := cloudevents.New(e.Attributes["specversion"])
	for name, value := range e.Attributes {
		switch name {
		case "specversion":
		case "id":
			c.SetID(value)
		case "type":
			c.SetType(value)
		case "source":
			c.SetSource(value)
		case "subject":
			c.SetSubject(value)
		case "dataschema":
			c.SetDataSchema(value)
		case "datacontenttype":
			c.SetDataContentType(value)
		case "time":
			at, err := types.ParseTime(value)
			if err != nil {
				return c, fmt.Errorf("attribute time: %w", err)
			}
			c.SetTime(at)
		default:
			c.SetExtension(name, value)
		}
	}
	c.DataEncoded = e.Data
	if err := c.Validate(); err != nil {
		return c, err
	}
	return c, nil
}

const headerPrefix = "ce-"

// message returns the event as a message of NATS, as the CloudEvents binding for NATS has it: attributes are headers.
func (e Event) message(subject string) *nats.Msg {
	msg := &nats.Msg{Subject: subject, Data: e.Data, Header: make(nats.Header, len(e.Attributes))}
	for name, value := range e.Attributes {
		msg.Header[headerPrefix+name] = []string{escape(value)}
	}
	return msg
}

// eventOf returns the event in a message of NATS.
func eventOf(header nats.Header, data []byte) Event {
	e := Event{make(map[string]string, len(header)), data}
	for name, values := range header {
		if attribute, ok := strings.CutPrefix(name, headerPrefix); ok && len(values) > 0 {
			e.Attributes[attribute] = unescape(values[0])
		}
	}
	return e
}

// escape returns a text that a header can hold: everything but printable ASCII, and %, is escaped as in a URL.
func escape(text string) string {
	return escapeIf(text, func(b byte) bool { return b <= ' ' || b > '~' || b == '%' })
}

func escapeIf(text string, must func(byte) bool) string {
	var escaped strings.Builder
	for i := range len(text) {
		if must(text[i]) {
			fmt.Fprintf(&escaped, "%%%02X", text[i])
		} else {
			escaped.WriteByte(text[i])
		}
	}
	return escaped.String()
}

func unescape(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// subjectOf returns the subject of a type of event below a prefix. Two types never have the same subject.
func subjectOf(prefix, eventType string) string {
	subject := escapeIf(eventType, func(b byte) bool { return b <= ' ' || b > '~' || strings.IndexByte("%*>", b) >= 0 })
	if strings.HasPrefix(subject, ".") || strings.HasSuffix(subject, ".") || strings.Contains(subject, "..") {
		subject = strings.ReplaceAll(subject, ".", "%2E") // NATS knows no empty token
	}
	return prefix + "." + subject
}
