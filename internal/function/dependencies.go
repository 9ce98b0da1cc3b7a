package function

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// Dependencies are what a program needs beside its database, by name, each with a check that returns an error while it
// is not available.
type Dependencies map[string]func(ctx context.Context) error

// DialCheck returns a check that connects to an address, host:port.
func DialCheck(address string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// probeEvery is how long the result of a probe stands: everyone may ask for it.
const probeEvery = 2 * time.Second

// ProbeType is the type of the event that ProbeCheck publishes; no function consumes it.
const ProbeType = "broker.probed"

// ProbeCheck returns a check that publishes an event which nothing consumes. It finds out what a connection alone does
// not: whether the broker stores what it is given.
func ProbeCheck(sink cloudevent.Publisher, name string) func(ctx context.Context) error {
	var mu sync.Mutex
	var at time.Time
	var result error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(at) < probeEvery {
			return result
		}
		probe := cloudevent.Message{
			ID: uuid.NewString(), Type: ProbeType, Source: cloudevent.SourceOf(name), Time: time.Now(), Data: []byte("{}"),
		}
		result = sink.Publish(ctx, []cloudevent.Message{probe})[0]
		at = time.Now()
		return result
	}
}
