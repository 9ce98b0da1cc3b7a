package function

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

// openStored opens what is stored of received events and returns those to handle.
func openStored(batch []*delivery, received []eventstore.Received) (fresh []*delivery, err error) {
	keys := map[string]bool{}
	for i, r := range received {
		d := batch[i]
		switch r.State {
		case eventstore.Unknown:
			d.err = errUnknown
			continue
		case eventstore.Duplicate:
			d.err = errDuplicate
			continue
		}
		if !d.verified { // it was opened as it was received
			d.item = nil
		}
		if err := d.open(r.Message); err != nil {
			return nil, err
		}
		d.verified = true
		if keys[d.key()] { // what came over the wire was about another
			return nil, errBatchFailed
		}
		keys[d.key()] = true
		fresh = append(fresh, d)
	}
	return fresh, nil
}

// sameContent reports whether a received event is the stored one in all that a handler and what it emits depend on.
func sameContent(stored, received cloudevent.Message) bool {
	return bytes.Equal(stored.Data, received.Data) && stored.Subject == received.Subject &&
		stored.OrderID == received.OrderID &&
		(stored.TraceParent == received.TraceParent || stored.TraceParent == "")
}

// inKeyOrder returns a batch ordered by its keys, so that handlers which lock one after the other do it in one order.
func inKeyOrder(batch []*delivery) []*delivery {
	return slices.SortedStableFunc(slices.Values(batch), func(a, b *delivery) int {
		return strings.Compare(a.key(), b.key())
	})
}

// open reads the stored event. One that was prepared before keeps its request and response.
func (d *delivery) open(m cloudevent.Message) (err error) {
	m.Time = d.message.Time
	m.TraceParent = cmp.Or(m.TraceParent, d.message.TraceParent)
	d.message, d.emitted, d.done = m, nil, false
	if d.item != nil {
		d.item.reset()
		return nil
	}
	d.item, err = d.h.open(m.Data)
	if err != nil {
		d.item = nil
	}
	return err
}
