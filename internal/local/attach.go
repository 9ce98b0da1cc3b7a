package local

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/popup-shop/popup/internal/jetstream"
)

// attached delivers the events of some functions to processes that people started, such as under a debugger, and all others as
// before.
type attached struct {
	jetstream.Subscriber
	urls   map[string]string // by function
	client http.Client
	log    *slog.Logger
}

// Deliver posts an event to the process of its function. While that can't be reached, the event is retried.
func (a *attached) Deliver(ctx context.Context, name string, e jetstream.Event) jetstream.Response {
	url, ok := a.urls[name]
	if !ok {
		return a.Subscriber.Deliver(ctx, name, e)
	}
	response, err := jetstream.Post(ctx, &a.client, url, e)
	if err != nil {
		a.log.WarnContext(ctx, "attached process cannot be reached", "function", name, "url", url, "error", err)
		return jetstream.Response{}
	}
	return response
}

// newAttached replaces functions by processes at the given addresses, and writes the settings of each into the shop's folder.
func newAttached(to jetstream.Subscriber, o Options, settings func(function string) []string) (*attached, error) {
	for name := range o.Attach {
		text := strings.Join(settings(name), "\n") + "\n"
		if err := os.WriteFile(AttachFile(o.Dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("write settings of %s: %w", name, err)
		}
	}
	return &attached{Subscriber: to, urls: o.Attach, log: o.Log}, nil
}

// AttachFile returns the file in a shop's folder with the settings that an attached process of a function needs.
func AttachFile(dir, name string) string { return filepath.Join(dir, "attach-"+name+".env") }
