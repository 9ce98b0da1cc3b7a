package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cli"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/printer"
)

type sendCommand struct {
	database
	File string `arg:"" help:"The event: a CloudEvent as JSON. - reads it from a pipe."`
}

// eventFile is a CloudEvent in structured mode, as far as it is used: the event store knows the rest.
type eventFile struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	TraceParent string          `json:"traceparent"`
	Data        json.RawMessage `json:"data"`
}

// sent is what became of an event.
type sent struct {
	ID         string `json:"id"`
	Type       string `json:"type"`
	Deliveries int64  `json:"deliveries"`
}

// Run stores the event and has it delivered to all its consumers.
func (c *sendCommand) Run(ctx context.Context, out *printer.Printer) error {
	m, err := c.read()
	if err != nil {
		return err
	}
	pool, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer pool.Close()
	done := sent{ID: m.ID, Type: m.Type}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
		done.Deliveries, err = eventstore.Send(ctx, tx, []cloudevent.Message{m})
		return err
	})
	if err != nil {
		return fmt.Errorf("send %s: %w", m.Type, err)
	}
	return out.Done(done, "%s %s will be delivered to %d functions", done.Type, done.ID, done.Deliveries)
}

// read returns the event in the file, which must be one that a function could emit.
func (c *sendCommand) read() (m cloudevent.Message, err error) {
	text, err := c.text()
	if err != nil {
		return m, fmt.Errorf("read event: %w", err)
	}
	var file eventFile
	if err := json.Unmarshal(text, &file); err != nil {
		return m, fmt.Errorf("%s is not a CloudEvent as JSON: %w", c.File, err)
	}
	if file.SpecVersion != "1.0" {
		return m, errors.New("specversion must be 1.0")
	}
	name := strings.TrimPrefix(file.Type, events.Prefix)
	if err := cli.OneOf("type of event", cmp.Or(name, "(none)"), eventTypes()); err != nil {
		return m, err
	}
	e, err := parse(name, file.Data)
	if err != nil {
		return m, fmt.Errorf("data of %s: %w", name, err)
	}
	fresh, err := uuid.NewV7()
	if err != nil {
		return m, err
	}
	if file.ID != "" && !id.Valid(file.ID) {
		return m, fmt.Errorf("id %q must be a UUID", file.ID)
	}
	trace := cmp.Or(file.TraceParent, cloudevent.NewTrace())
	return eventstore.NewMessage(cmp.Or(file.ID, fresh.String()), "popup", fresh.String(), trace, e)
}

func (c *sendCommand) text() ([]byte, error) {
	if c.File == "-" {
		return io.ReadAll(os.Stdin)
	}
	return os.ReadFile(c.File)
}

// parse returns an event of a type. Its data may have no other fields than the type.
func parse(name string, data []byte) (events.Event, error) {
	zero, _ := events.ByType(name)
	value := reflect.New(reflect.TypeOf(zero))
	strict := json.NewDecoder(bytes.NewReader(data))
	strict.DisallowUnknownFields()
	if err := strict.Decode(value.Interface()); err != nil {
		return nil, err
	}
	return value.Elem().Interface().(events.Event), nil
}
