// Package servebaskets serves the basket of the caller. The basket of an account or a guest is found by the caller's
// id, that of a visitor by a basket token. Prices and stock in a basket are for information; place-order checks them
// again.
package servebaskets

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/pricing"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-baskets"

// Settings configures the function.
type Settings struct {
	config.Shop
	config.Access
}

// Check returns an error that names the first invalid setting.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New returns the function.
func New(settings Settings) function.Function {
	b := baskets{life: settings.BasketLife, taxJPY: settings.TaxJPY, cookies: auth.Cookies{Secure: settings.Secure()}}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.GetTx("/v1/basket", access.All, b.show),
			web.Delete("/v1/basket", access.All, b.clear),
			web.Post("/v1/basket/items", access.All, http.StatusCreated, b.add),
			web.PartOf("/v1/basket", web.Put("/v1/basket/items/{id}", access.All, b.change)),
			web.PartOf("/v1/basket", web.Delete("/v1/basket/items/{id}", access.All, b.remove)),
		),
		Writes: []string{"orders.baskets", "orders.basket_lines"},
	}
}

type baskets struct {
	life    time.Duration
	taxJPY  int64
	cookies auth.Cookies
}

// Shown has the basket token of a visitor.
type Shown struct {
	BasketToken string `header:"Popup-Basket-Token" maxLength:"100" doc:"For visitors: gives access to their basket."`
}

// Basket is the basket of a caller.
type Basket struct {
	ID    string `json:"id,omitempty" format:"uuid" doc:"Absent while there is no basket."`
	Lines []Line `json:"lines" nullable:"false"`
	Count int64  `json:"count"`
	pricing.Prices
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	LeftOut   []LeftOut  `json:"left_out,omitempty" doc:"The lines of a visitor's basket that could not be moved to the account's basket."`
	Token     string     `json:"basket_token,omitempty" doc:"For visitors: gives access to this basket. It is returned only once."`
}

// Line is a quantity of a product or a variant, at its current price.
type Line struct {
	ID        string        `json:"id" format:"uuid"`
	ProductID string        `json:"product_id" format:"uuid"`
	VariantID string        `json:"variant_id,omitempty" format:"uuid"`
	SKU       string        `json:"sku"`
	Name      string        `json:"name"`
	Quantity  int64         `json:"quantity"`
	UnitPrice money.Amount  `json:"unit_price"`
	OldPrice  *money.Amount `json:"old_price,omitempty" doc:"The price when the line was last changed, if it was another one."`
	Available int64         `json:"available"`
	OnSale    bool          `json:"on_sale"`
}

// LeftOut is a product that is no longer on sale, or has another currency.
type LeftOut struct {
	SKU  string `json:"sku"`
	Name string `json:"name"`
}

// Answer is a basket. SetCookie sets or deletes the cookie with its token.
type Answer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Basket
}

// ShowRequest returns or empties the basket.
type ShowRequest struct{ Shown }

func (b baskets) show(ctx context.Context, tx pgx.Tx, _ *ShowRequest) (*Answer, []events.Event, error) {
	answer, err := b.mergeVisitorBasket(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	return b.answer(ctx, tx, answer)
}

// clear deletes all lines. The basket itself stays.
func (b baskets) clear(ctx context.Context, tx pgx.Tx, _ *ShowRequest) (*struct{}, []events.Event, error) {
	if _, err := b.mergeVisitorBasket(ctx, tx); err != nil {
		return nil, nil, err
	}
	basketID, err := lockOpen(ctx, tx)
	if err != nil || basketID == "" {
		return &struct{}{}, nil, err
	}
	return &struct{}{}, nil, emptyBasket(ctx, tx, basketID)
}

// AddRequest adds a product to the basket.
type AddRequest struct {
	Shown
	Body struct {
		ProductID string `json:"product_id,omitempty" format:"uuid"`
		VariantID string `json:"variant_id,omitempty" format:"uuid"`
		SKU       string `json:"sku,omitempty" maxLength:"64"`
		Quantity  int64  `json:"quantity" minimum:"1" maximum:"99"`
	}
}

// add adds a line to the basket, or raises the quantity of an existing line.
func (b baskets) add(ctx context.Context, tx pgx.Tx, in *AddRequest) (*Answer, []events.Event, error) {
	chosen, err := in.lookup(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	answer, err := b.mergeVisitorBasket(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	basketID, err := b.lockOrCreate(ctx, tx, answer)
	if err != nil {
		return nil, nil, err
	}
	lines, err := readLines(ctx, tx, basketID)
	if err != nil {
		return nil, nil, err
	}
	if err := chosen.checkAddable(lines, in.Body.Quantity); err != nil {
		return nil, nil, err
	}
	if err := putLine(ctx, tx, basketID, chosen, in.Body.Quantity); err != nil {
		return nil, nil, err
	}
	if err := b.extend(ctx, tx, basketID); err != nil {
		return nil, nil, err
	}
	return b.answer(ctx, tx, answer)
}

// ChangeRequest changes the quantity of a line.
type ChangeRequest struct {
	Shown
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Quantity int64 `json:"quantity" minimum:"1" maximum:"99"`
	}
}

// change changes the quantity of a line. It checks the stock only if the quantity rises.
func (b baskets) change(ctx context.Context, tx pgx.Tx, in *ChangeRequest) (*Answer, []events.Event, error) {
	return b.edit(ctx, tx, in.ID, func(basketID string, line Line) error {
		if in.Body.Quantity > line.Quantity {
			if err := line.checkOrderable(in.Body.Quantity); err != nil {
				return err
			}
		}
		return setLine(ctx, tx, basketID, line, in.Body.Quantity)
	})
}

// RemoveRequest deletes a line.
type RemoveRequest struct {
	Shown
	ID string `path:"id" format:"uuid"`
}

func (b baskets) remove(ctx context.Context, tx pgx.Tx, in *RemoveRequest) (*Answer, []events.Event, error) {
	return b.edit(ctx, tx, in.ID, func(basketID string, _ Line) error { return deleteLine(ctx, tx, basketID, in.ID) })
}

// edit locks the caller's basket and calls do with one of its lines.
func (b baskets) edit(
	ctx context.Context, tx pgx.Tx, lineID string, do func(basketID string, line Line) error,
) (*Answer, []events.Event, error) {
	answer, err := b.mergeVisitorBasket(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	basketID, err := lockOpen(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	lines, err := readLines(ctx, tx, basketID)
	if err != nil {
		return nil, nil, err
	}
	for _, line := range lines {
		if line.ID != lineID || !id.Valid(lineID) {
			continue
		}
		if err := do(basketID, line); err != nil {
			return nil, nil, err
		}
		if err := b.extend(ctx, tx, basketID); err != nil {
			return nil, nil, err
		}
		return b.answer(ctx, tx, answer)
	}
	return nil, nil, problem.NotFound("line in your basket")
}
