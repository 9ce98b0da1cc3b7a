package jetstream

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go/jetstream"
)

// probeStream is a stream of one message. The stream of events keeps nothing that no consumer waits for.
const probeStream = "probe"

var errProbeLost = errors.New("the broker returns another message than it has acknowledged")

// Probe stores a message on the broker's disk and reads it back.
func (b *Broker) Probe(ctx context.Context) error {
	stream, err := b.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: probeStream, Subjects: []string{probeStream}, Storage: jetstream.FileStorage, MaxMsgs: 1,
	})
	if err != nil {
		return fmt.Errorf("make probe stream: %w", err)
	}
	text := uuid.NewString()
	if _, err := b.js.Publish(ctx, probeStream, []byte(text)); err != nil {
		return fmt.Errorf("publish probe: %w", err)
	}
	read, err := stream.GetLastMsgForSubject(ctx, probeStream)
	if err != nil {
		return fmt.Errorf("read probe: %w", err)
	}
	if string(read.Data) != text {
		return errProbeLost
	}
	return nil
}
