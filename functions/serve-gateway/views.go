package servegateway

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

const (
	viewsWait   = 2 * time.Second // until they are written, from the first of them on
	viewsIn     = 2 * time.Second // they are written, or lost
	viewsAtMost = 1000            // products that wait to be written; views of others are not counted
)

// views counts how often the pages of products are looked at, and writes the counts down a few at a time. What was not
// written yet is lost when the program ends: nobody is told these figures, they only say what to have ready.
type views struct {
	add func(ctx context.Context, counts map[string]int64) error
	log *slog.Logger

	mu     sync.Mutex
	counts map[string]int64
}

// note counts a view. A product has one id, however it was written.
func (v *views) note(productID string) {
	productID = strings.ToLower(productID)
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.counts) == 0 {
		v.counts = map[string]int64{}
		time.AfterFunc(viewsWait, v.write)
	}
	if v.counts[productID] > 0 || len(v.counts) < viewsAtMost {
		v.counts[productID]++
	}
}

// write writes down what was counted; what cannot be written is forgotten.
func (v *views) write() {
	v.mu.Lock()
	counts := v.counts
	v.counts = nil
	v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), viewsIn)
	defer cancel()
	if err := v.add(ctx, counts); err != nil {
		v.log.Warn("views are not counted", "function", name, "error", err)
	}
}
