package page

import (
	"context"
	"sync"
	"time"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// settingsLife is how long the settings of the shop are kept. Every page needs them, and they hardly ever change.
const settingsLife = 5 * time.Second

// Settings are the settings of the shop, as the API last returned them.
type Settings struct {
	mu      sync.Mutex
	current client.Settings
	readAt  time.Time
}

// NewSettings returns those of a shop that has none yet.
func NewSettings() *Settings {
	return &Settings{current: client.Settings{Name: "popup", Accent: "#0b6b75", Currency: "EUR"}}
}

// read returns the current settings. While the API does not respond they are those of before.
func (s *Settings) read(ctx context.Context, api *client.Client) client.Settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.readAt) < settingsLife {
		return s.current
	}
	s.readAt = time.Now()
	if found, err := api.GetSettings(ctx, client.Patience(0)); err == nil {
		s.current = found
	}
	return s.current
}

// shopOf returns what the frame shows of the settings.
func shopOf(s client.Settings, language, url string) ui.Shop {
	tagline := s.Tagline.En
	if language == "ja" {
		tagline = s.Tagline.Ja
	}
	return ui.Shop{Name: s.Name, Tagline: tagline, Contact: s.ContactEmail, URL: url}
}
