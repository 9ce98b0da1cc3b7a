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

// ClaimRequest makes a guest's order that of the caller's account.
type ClaimRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		OrderToken string `json:"order_token" minLength:"1" maxLength:"100"`
	}
}

// claim gives an order to an account that shows its token. To the account that has it already it is shown again.
func claim(ctx context.Context, tx pgx.Tx, in *ClaimRequest) (*Answer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("order")
	}
	if _, err := take(ctx, tx, in.ID, in.Body.OrderToken, auth.CallerFrom(ctx).ID); err != nil {
		return nil, nil, err
	}
	o, err := orderview.Read(ctx, tx, in.ID)
	return &Answer{Status: http.StatusOK, Body: o}, nil, err
}
