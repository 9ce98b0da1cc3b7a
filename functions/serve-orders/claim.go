package serveorders

import (
	"context"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/problem"
)

// ClaimRequest transfers a guest's order to the caller's account.
type ClaimRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		OrderToken string `json:"order_token" minLength:"1" maxLength:"100"`
	}
}

// claim transfers the order of an order token to the caller's account. If the account owns the order already, it only
// returns it.
func claim(ctx context.Context, tx pgx.Tx, in *ClaimRequest) (*Answer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("order")
	}
	if _, err := claimOrder(ctx, tx, in.ID, in.Body.OrderToken, auth.CallerFrom(ctx).ID); err != nil {
		return nil, nil, err
	}
	o, err := orderview.Read(ctx, tx, in.ID)
	return &Answer{Status: http.StatusOK, Body: o}, nil, err
}
