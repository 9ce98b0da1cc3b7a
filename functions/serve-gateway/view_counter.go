package servegateway

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/popup-shop/popup/events"
)

const (
	viewBatchDelay   = 2 * time.Second // from the first view to the write of a batch
	viewWriteTimeout = 2 * time.Second // a write that takes longer is lost
	maxViewBatch     = 1000            // products of a batch; views of further ones are not counted
)

// viewCounter counts the views of product pages and writes the counts in batches. A batch that has not been written
// when the program ends is lost: the counts only decide which pages to load at the next start.
type viewCounter struct {
	add func(ctx context.Context, counts map[string]int64) error
	log *slog.Logger

	mu     sync.Mutex
	counts map[string]int64
}

// count counts a view.
func (v *viewCounter) count(productID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.counts) == 0 {
		v.counts = map[string]int64{}
		time.AfterFunc(viewBatchDelay, v.write)
	}
	if v.counts[productID] > 0 || len(v.counts) < maxViewBatch {
		v.counts[productID]++
	}
}

// write stores the batch; if that fails, its counts are lost.
func (v *viewCounter) write() {
	v.mu.Lock()
	counts := v.counts
	v.counts = nil
	v.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), viewWriteTimeout)
	defer cancel()
	if err := v.add(ctx, counts); err != nil {
		v.log.Warn("cannot store product views", "function", name, "error", err)
	}
}

// product returns the id of the product that the response shows.
func (a *cachedResponse) product() (productID string, ok bool) {
	if a == nil {
		return "", false
	}
	for _, key := range a.surrogateKeys {
		if productID, ok = strings.CutPrefix(key, events.ShownProduct("")); ok {
			return productID, true
		}
	}
	return "", false
}
