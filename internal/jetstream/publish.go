package jetstream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Publish stores events, all at once, and blocks until each is stored or ctx ends. It returns an error for each, nil
// once it is stored. What is not a valid CloudEvent is rejected.
func (b *Broker) Publish(ctx context.Context, events []Event) []error {
	return b.publish(ctx, events, func(Event) string { return "" })
}

// Once is Publish for one event whose sender may repeat it: an event with the same source and id that was stored within
// half a minute is not stored again.
func (b *Broker) Once(ctx context.Context, e Event) error {
	return b.publish(ctx, []Event{e}, Event.identity)[0]
}

// identity returns what two copies of an event have in common, and no two events have.
func (e Event) identity() string {
	hash := sha256.Sum256([]byte(e.Attributes["source"] + "\x00" + e.Attributes["id"]))
	return hex.EncodeToString(hash[:])
}

func (b *Broker) publish(ctx context.Context, events []Event, identity func(Event) string) []error {
	errs := make([]error, len(events))
	messages := make([]*nats.Msg, len(events))
	for i, e := range events {
		if errs[i] = e.check(); errs[i] != nil {
			continue
		}
		messages[i] = e.message(subjectOf(b.stream.Name, e.Type()))
		if id := identity(e); id != "" {
			messages[i].Header.Set(jetstream.MsgIDHeader, id)
		}
	}
	b.store(ctx, messages, errs)
	if !slices.ContainsFunc(errs, lost) {
		return errs
	}
	if err := b.Restore(ctx); err != nil {
		return errs
	}
	for i, err := range errs {
		if !lost(err) {
			messages[i] = nil
		}
	}
	b.store(ctx, messages, errs)
	return errs
}

// errNoAck reports that the server did not acknowledge an event: it may have lost the stream meanwhile.
var errNoAck = errors.New("no acknowledgement")

// ackTimeout is how long the server has to acknowledge an event before it is published again, and then once more.
const ackTimeout = 5 * time.Second

// lost reports whether an event was not stored because the stream is not there any more.
func lost(err error) bool {
	return errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, errNoAck)
}

// store stores messages; a nil one is left out, and its error stays as it is.
func (b *Broker) store(ctx context.Context, messages []*nats.Msg, errs []error) {
	b.restoring.RLock()
	defer b.restoring.RUnlock()
	acks := make([]jetstream.PubAckFuture, len(messages))
	for i, msg := range messages {
		if msg != nil {
			acks[i], errs[i] = b.js.PublishMsgAsync(msg, jetstream.WithRetryAttempts(0))
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, ackTimeout, errNoAck)
	defer cancel()
	for i, ack := range acks {
		if ack != nil {
			errs[i] = stored(ctx, ack)
		}
	}
}

func stored(ctx context.Context, ack jetstream.PubAckFuture) error {
	select {
	case <-ack.Ok():
		return nil
	case err := <-ack.Err():
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// MaxEvent is how many bytes the data of an event may have.
const MaxEvent = 256 << 10

// InvalidError rejects what is not a CloudEvent, or is too large.
type InvalidError struct{ Reason string }

func (e InvalidError) Error() string { return e.Reason }

// check returns an InvalidError when the event is not a valid CloudEvent.
func (e Event) check() error {
	if len(e.Data) > MaxEvent {
		return InvalidError{fmt.Sprintf("the event's data is larger than %d bytes", MaxEvent)}
	}
	if _, err := e.CloudEvent(); err != nil {
		return InvalidError{fmt.Sprintf("not a CloudEvent: %v", err)}
	}
	return nil
}
