package function

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
)

// Message is an event on its way: its data and the attributes that the shell gave it.
type Message struct {
	ID          string
	Type        string // without the prefix
	Source      string
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

// DeadLetter is an event that could not be delivered, and what is known about why.
type DeadLetter struct {
	Message
	Consumer string // who could not be reached or would not take it
	Code     int    // the last HTTP status, 0 when there was no answer
	Reason   string // what the consumer said, "" when it said nothing
}

// source is the CloudEvents source of a function.
func source(function string) string { return "/functions/" + function }

// messages makes what a function says for a cause into messages, numbered from 0.
func messages(speaker, cause, traceparent string, said []events.Event) ([]Message, error) {
	made := make([]Message, 0, len(said))
	for n, e := range said {
		eventID, err := id.Derive(speaker, cause, strconv.Itoa(n))
		if err != nil {
			return nil, err
		}
		m, err := message(eventID, speaker, cause, traceparent, e)
		if err != nil {
			return nil, err
		}
		m.N = n
		made = append(made, m)
	}
	return made, nil
}

func message(eventID, speaker, cause, traceparent string, e events.Event) (Message, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return Message{}, fmt.Errorf("write %s: %w", e.EventType(), err)
	}
	about := e.About()
	return Message{
		ID: eventID, Type: e.EventType(), Source: source(speaker), Subject: about.Subject, OrderID: about.OrderID,
		CausationID: cause, Version: about.Version, Delayed: about.Delayed, TraceParent: traceparent,
		Time: time.Now().UTC(), Data: data,
	}, nil
}

// key is what a message is about: those of one order have the same.
func (m Message) key() string { return cmp.Or(m.OrderID, m.Subject) }

// Attributes are the CloudEvents attributes of a message, by their names on the wire; empty ones are left out.
func (m Message) Attributes() map[string]string {
	all := map[string]string{
		"specversion": "1.0", "id": m.ID, "type": events.Prefix + m.Type, "source": m.Source, "subject": m.Subject,
		"time": m.Time.UTC().Format(time.RFC3339Nano), "datacontenttype": "application/json",
		"dataschema":   "/schemas/events/" + m.Type + ".json",
		"partitionkey": m.OrderID, "correlationid": m.OrderID, "causationid": m.CausationID,
		// The broker of one Knative release blanks traceparent, so it travels twice.
		"traceparent": m.TraceParent, "popuptrace": m.TraceParent,
	}
	if m.OrderID == "" {
		all["partitionkey"] = m.Subject
	}
	if m.Version > 0 {
		all["sequence"] = strconv.FormatInt(m.Version, 10)
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

// FromAttributes is the message with these attributes and data. An error names what is missing.
func FromAttributes(attributes map[string]string, data []byte) (Message, error) {
	m := Message{
		ID: attributes["id"], Type: strings.TrimPrefix(attributes["type"], events.Prefix), Source: attributes["source"],
		Subject: attributes["subject"], OrderID: attributes["correlationid"], CausationID: attributes["causationid"],
		TraceParent: cmp.Or(attributes["popuptrace"], attributes["traceparent"]), Delayed: attributes["delayed"] == "true", Data: data,
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

// CloudEvent is the message in the form that brokers take.
func (m Message) CloudEvent() cloudevents.Event {
	e := cloudevents.New()
	for name, value := range m.Attributes() {
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

// fromCloudEvent reads an event that came over HTTP, whatever its form.
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

func deadLetter(m Message, header http.Header, e cloudevents.Event) DeadLetter {
	text := func(name string) string {
		if value, ok := e.Extensions()[name]; ok {
			return fmt.Sprint(value)
		}
		return header.Get(name)
	}
	code, _ := strconv.Atoi(text("knativeerrorcode"))
	m.ID, m.Type, m.Source, m.Data = keepable(m.ID), keepable(m.Type), keepable(m.Source), []byte(keepable(string(m.Data)))
	return DeadLetter{
		Message: m, Consumer: keepable(consumerOf(text("knativeerrordest"))), Code: code, Reason: keepable(text("knativeerrordata")),
	}
}

// keepable is a text as the database can keep it, whatever was sent: UTF-8 and without zero bytes.
func keepable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// consumerOf is the function's name in the address that an event was meant for: its first host label.
func consumerOf(address string) string {
	_, host, found := strings.Cut(address, "://")
	if !found {
		host = address
	}
	name, _, _ := strings.Cut(host, ".")
	name, _, _ = strings.Cut(name, "/")
	return name
}
