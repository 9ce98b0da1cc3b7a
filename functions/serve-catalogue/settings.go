package servecatalogue

import (
	"context"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// TextRequest names a text of the shop.
type TextRequest struct {
	Kind string `path:"kind" enum:"terms,privacy,returns,imprint,delivery,about"`
}

// readSettings is called by visitors.
func readSettings(ctx context.Context, db web.Reader, _ *struct{}) (*catalogue.SettingsAnswer, error) {
	out, err := catalogue.ReadSettings(ctx, db)
	if err == nil {
		web.SurrogateKeys(ctx, events.ShownSettings)
	}
	return out, err
}

// readText is called by visitors.
func readText(ctx context.Context, db web.Reader, in *TextRequest) (*catalogue.TextAnswer, error) {
	out, err := catalogue.ReadText(ctx, db, in.Kind)
	if err == nil {
		web.SurrogateKeys(ctx, events.ShownSettings)
	}
	return out, err
}
