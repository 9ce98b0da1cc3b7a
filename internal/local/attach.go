package local

import (
	"context"
	"fmt"
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
	shop   *Shop
}

// Deliver posts an event to the process of its function. While that can't be reached, the event is retried.
func (a *attached) Deliver(ctx context.Context, name string, e jetstream.Event) jetstream.Response {
	url, ok := a.urls[name]
	if !ok {
		return a.Subscriber.Deliver(ctx, name, e)
	}
	response, err := jetstream.Post(ctx, &a.client, url, e)
	if err != nil {
		a.shop.options.Log.WarnContext(ctx, "attached process cannot be reached", "function", name, "url", url, "error", err)
		return jetstream.Response{}
	}
	return response
}

// attach replaces functions by processes at the given addresses, and writes the settings of each into the shop's folder.
func (s *Shop) attach() error {
	for name := range s.options.Attach {
		if err := os.WriteFile(s.AttachFile(name), []byte(strings.Join(s.Processes.Env(name), "\n")+"\n"), 0o600); err != nil {
			return fmt.Errorf("write settings of %s: %w", name, err)
		}
	}
	s.Engine.Tell = &attached{Subscriber: s.Engine.Tell, urls: s.options.Attach, shop: s}
	return nil
}

// AttachFile returns the file with the settings that an attached process of a function needs.
func (s *Shop) AttachFile(name string) string {
	return filepath.Join(s.options.Dir, "attach-"+name+".env")
}
