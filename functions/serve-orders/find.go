package serveorders

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/web"
)

// FindRequest names the order of a guest by what is in the mail about it.
type FindRequest struct {
	Body struct {
		Number string `json:"order_number" minLength:"1" maxLength:"40" example:"ORD-20260131-7K3QX9"`
		Email  string `json:"email" minLength:"1" maxLength:"254"`
	}
}

// FindAnswer is the order that was found.
type FindAnswer struct{ Body *orderview.Order }

// find returns the order of a guest by its number and e-mail address. A wrong pair is counted, and its response does not tell which of
// both is wrong.
func find(ctx context.Context, tx pgx.Tx, in *FindRequest) (*FindAnswer, []events.Event, error) {
	in.Body.Number = strings.ToUpper(in.Body.Number)
	keys := append(throttle.SourceKeys(ctx), throttle.Key("order", in.Body.Number, throttle.Network(ctx)),
		throttle.Key("orders of", in.Body.Email, throttle.Network(ctx)))
	if err := throttle.Count(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	var orderID *string
	err := tx.QueryRow(ctx, `
		SELECT orders.find_by_number(@number, @email)::text`, pgx.NamedArgs{"number": in.Body.Number, "email": in.Body.Email}).Scan(&orderID)
	if err != nil {
		return nil, nil, fmt.Errorf("find order: %w", err)
	}
	if orderID == nil {
		return nil, nil, web.CommitRefusal(problem.NotFound("pair of order number and e-mail address"))
	}
	if err := throttle.Reset(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	o, err := orderview.Read(ctx, tx, *orderID)
	return &FindAnswer{o}, nil, err
}
