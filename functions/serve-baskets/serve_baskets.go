// Package servebaskets keeps the basket of whoever calls: of an account or a known guest by their id, of everybody else by a
// token. What it shows of prices and stock are hints; the order decides.
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
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-baskets"

// Settings are those that the function needs.
type Settings struct {
	config.Shop
	config.Access
}

// Check refuses settings that make no sense, by name.
func (s Settings) Check() error { return cmp.Or(s.Shop.Check(), s.Access.Check()) }

// New declares the function.
func New(settings Settings) function.Function {
	b := baskets{life: settings.BasketLife, cookies: auth.Cookies{Secure: settings.Secure()}}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings.Access,
			web.GetTx("/v1/basket", access.All, b.show),
			web.Delete("/v1/basket", access.All, b.clear),
			web.Post("/v1/basket/items", access.All, http.StatusCreated, b.add),
			web.Put("/v1/basket/items/{id}", access.All, b.change),
			web.Delete("/v1/basket/items/{id}", access.All, b.remove),
		),
		Writes: []string{"orders.baskets", "orders.basket_lines"},
	}
}

type baskets struct {
	life    time.Duration
	cookies auth.Cookies
}

// Shown is what a visitor shows.
type Shown struct {
	BasketToken string `header:"Popup-Basket-Token" maxLength:"100" doc:"for visitors: opens their basket"`
}

// Basket is what somebody has chosen.
type Basket struct {
	ID        string       `json:"id,omitempty" format:"uuid" doc:"there is none while there is no basket"`
	Lines     []Line       `json:"lines" nullable:"false"`
	Count     int64        `json:"count"`
	Subtotal  money.Amount `json:"subtotal" doc:"of what is still sold"`
	ExpiresAt *time.Time   `json:"expires_at,omitempty"`
	LeftOut   []LeftOut    `json:"left_out,omitempty" doc:"what a visitor had chosen and did not come into the account's basket"`
	Token     string       `json:"basket_token,omitempty" doc:"opens this basket, for visitors; shown here only"`
}

// Line is so many of a product or of one of its variants, at the price of now.
type Line struct {
	ID        string        `json:"id" format:"uuid"`
	ProductID string        `json:"product_id" format:"uuid"`
	VariantID string        `json:"variant_id,omitempty" format:"uuid"`
	SKU       string        `json:"sku"`
	Name      string        `json:"name"`
	Quantity  int64         `json:"quantity"`
	UnitPrice money.Amount  `json:"unit_price"`
	OldPrice  *money.Amount `json:"old_price,omitempty" doc:"that it had when the line was last changed, if it is another"`
	Available int64         `json:"available"`
	OnSale    bool          `json:"on_sale"`
}

// LeftOut is something that is not sold any more, or in another currency.
type LeftOut struct {
	SKU  string `json:"sku"`
	Name string `json:"name"`
}

// Answer is a basket, with the cookie that keeps its token when it has a new one.
type Answer struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      Basket
}

// ShowRequest asks for the basket.
type ShowRequest struct{ Shown }

func (b baskets) show(ctx context.Context, tx pgx.Tx, _ *ShowRequest) (*Answer, []events.Event, error) {
	answer, err := b.settle(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	return b.answer(ctx, tx, answer)
}

// clear takes everything out. The basket stays whose it is.
func (b baskets) clear(ctx context.Context, tx pgx.Tx, _ *ShowRequest) (*struct{}, []events.Event, error) {
	if _, err := b.settle(ctx, tx); err != nil {
		return nil, nil, err
	}
	basketID, err := lockOpen(ctx, tx)
	if err != nil || basketID == "" {
		return &struct{}{}, nil, err
	}
	return &struct{}{}, nil, emptyBasket(ctx, tx, basketID)
}

// AddRequest puts something into the basket.
type AddRequest struct {
	Shown
	Body struct {
		ProductID string `json:"product_id,omitempty" format:"uuid"`
		VariantID string `json:"variant_id,omitempty" format:"uuid"`
		SKU       string `json:"sku,omitempty" maxLength:"64"`
		Quantity  int64  `json:"quantity" minimum:"1" maximum:"99"`
	}
}

// add raises the quantity of the line when there is one.
func (b baskets) add(ctx context.Context, tx pgx.Tx, in *AddRequest) (*Answer, []events.Event, error) {
	chosen, err := in.find(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	answer, err := b.settle(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	basketID, err := b.open(ctx, tx, answer)
	if err != nil {
		return nil, nil, err
	}
	lines, err := readLines(ctx, tx, basketID)
	if err != nil {
		return nil, nil, err
	}
	if err := chosen.fits(lines, in.Body.Quantity); err != nil {
		return nil, nil, err
	}
	if err := putLine(ctx, tx, basketID, chosen, in.Body.Quantity); err != nil {
		return nil, nil, err
	}
	if err := b.touch(ctx, tx, basketID); err != nil {
		return nil, nil, err
	}
	return b.answer(ctx, tx, answer)
}

// ChangeRequest says how many there shall be.
type ChangeRequest struct {
	Shown
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Quantity int64 `json:"quantity" minimum:"1" maximum:"99"`
	}
}

// change asks the stock only when there shall be more.
func (b baskets) change(ctx context.Context, tx pgx.Tx, in *ChangeRequest) (*Answer, []events.Event, error) {
	return b.edit(ctx, tx, in.ID, func(basketID string, line Line) error {
		if in.Body.Quantity > line.Quantity {
			if err := line.orderable(in.Body.Quantity); err != nil {
				return err
			}
		}
		return setLine(ctx, tx, basketID, line, in.Body.Quantity)
	})
}

// RemoveRequest takes a line out.
type RemoveRequest struct {
	Shown
	ID string `path:"id" format:"uuid"`
}

func (b baskets) remove(ctx context.Context, tx pgx.Tx, in *RemoveRequest) (*Answer, []events.Event, error) {
	return b.edit(ctx, tx, in.ID, func(basketID string, _ Line) error { return deleteLine(ctx, tx, basketID, in.ID) })
}

// edit changes a line of the caller's basket, which is locked.
func (b baskets) edit(ctx context.Context, tx pgx.Tx, lineID string, do func(basketID string, line Line) error) (*Answer, []events.Event, error) {
	answer, err := b.settle(ctx, tx)
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
		if err := b.touch(ctx, tx, basketID); err != nil {
			return nil, nil, err
		}
		return b.answer(ctx, tx, answer)
	}
	return nil, nil, problem.NotFound("line in your basket")
}
