package serveorders

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/web"
)

// SessionRequest gives a browser access to a guest's order.
type SessionRequest struct {
	ID   string `path:"id" maxLength:"100" doc:"Id or number of the order."`
	Body struct {
		OrderToken string `json:"order_token" minLength:"1" maxLength:"100" doc:"The token of the order, such as the one in the link of a mail."`
	}
}

// SessionAnswer is the order, with the cookies that give access to it.
type SessionAnswer struct {
	Cookies []string `header:"Set-Cookie"`
	Body    *orderview.Order
}

// openSession stores the token of a guest's order in the caller's browser, where scripts cannot read it. A wrong token is counted, and its
// response is that of an order that does not exist.
func (s *handler) openSession(ctx context.Context, tx pgx.Tx, in *SessionRequest) (*SessionAnswer, []events.Event, error) {
	keys := append(throttle.SourceKeys(ctx), throttle.Key("order token", in.ID, throttle.Network(ctx)))
	if err := throttle.Count(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	if err := auth.GrantOrderToken(ctx, tx, in.Body.OrderToken); err != nil {
		return nil, nil, err
	}
	o, err := orderview.Find(ctx, tx, in.ID)
	var refusal *problem.Problem
	if errors.As(err, &refusal) {
		return nil, nil, web.CommitRefusal(refusal)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := throttle.Reset(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	return &SessionAnswer{s.cookies.SetOrder(in.Body.OrderToken, o.ID, o.Number), o}, nil, nil
}
