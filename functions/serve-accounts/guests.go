package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/throttle"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// KnownGuest is a customer without an account.
type KnownGuest struct {
	ID    string `json:"id" format:"uuid"`
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Token string `json:"token,omitempty" doc:"An access token, valid for an hour. POST /v1/customers/{id}/token returns another."`
}

// GuestRequest creates a guest.
type GuestRequest struct {
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"200"`
		Phone string `json:"phone" minLength:"1" maxLength:"40"`
	}
}

// Resolve normalises the telephone number.
func (in *GuestRequest) Resolve(huma.Context) []error {
	return web.BodyErrors(normalisePhone(&in.Body.Phone))
}

// GuestAnswer is a guest.
type GuestAnswer struct{ Body KnownGuest }

func (a *accounts) addGuest(ctx context.Context, tx pgx.Tx, in *GuestRequest) (*GuestAnswer, []events.Event, error) {
	guestID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	claims := token.Claims{ID: guestID.String(), Role: token.Guest}
	if err := auth.SetCaller(ctx, tx, claims); err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO accounts.guests (guest_id, name, phone)
		VALUES (@guest_id, @name, @phone)`, pgx.NamedArgs{"guest_id": claims.ID, "name": in.Body.Name, "phone": in.Body.Phone})
	if err != nil {
		return nil, nil, fmt.Errorf("store guest %s: %w", claims.ID, err)
	}
	answer, err := a.issueGuestToken(KnownGuest{ID: claims.ID, Name: in.Body.Name, Phone: in.Body.Phone})
	return answer, []events.Event{events.AccountCreated{CustomerID: claims.ID, Kind: "guest"}}, err
}

// issueGuestToken returns a guest with a new access token.
func (a *accounts) issueGuestToken(g KnownGuest) (answer *GuestAnswer, err error) {
	g.Token, err = a.signing.Sign(token.Claims{ID: g.ID, Role: token.Guest}, time.Now())
	return &GuestAnswer{g}, err
}

func readGuest(ctx context.Context, db web.Reader, in *Named) (*GuestAnswer, error) {
	caller := auth.CallerFrom(ctx)
	if !id.Valid(in.ID) || !caller.IsStaff() && in.ID != caller.ID {
		return nil, problem.NotFound("customer")
	}
	a := &GuestAnswer{}
	err := db.QueryRow(ctx, `
		SELECT guest_id::text, name, phone
		FROM accounts.guests
		WHERE guest_id = @guest_id`, pgx.NamedArgs{"guest_id": in.ID}).Scan(&a.Body.ID, &a.Body.Name, &a.Body.Phone)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("customer")
	}
	if err != nil {
		return nil, fmt.Errorf("read guest %s: %w", in.ID, err)
	}
	return a, nil
}

// GuestTokenRequest authenticates a guest by id and telephone number.
type GuestTokenRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Phone string `json:"phone" minLength:"1" maxLength:"40"`
	}
}

// guestToken returns a new access token of a guest. A wrong number and an unknown id are the same 404, and failed
// attempts are counted.
func (a *accounts) guestToken(ctx context.Context, tx pgx.Tx, in *GuestTokenRequest) (*GuestAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("customer")
	}
	keys := append(throttle.SourceKeys(ctx), throttle.Key("guest", in.ID, throttle.Network(ctx)))
	if err := throttle.Count(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	var g KnownGuest
	err := tx.QueryRow(ctx, `
		SELECT guest_id::text, name, phone FROM accounts.guest_of_phone(@guest_id, @phone)`,
		pgx.NamedArgs{"guest_id": in.ID, "phone": in.Body.Phone}).Scan(&g.ID, &g.Name, &g.Phone)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, web.CommitRefusal(problem.NotFound("customer"))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read guest %s: %w", in.ID, err)
	}
	if err := throttle.Reset(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	answer, err := a.issueGuestToken(g)
	return answer, nil, err
}

// deleteGuest deletes a guest who gets an account. If another request has created the account meanwhile, it returns a
// problem.
func deleteGuest(ctx context.Context, tx pgx.Tx, guestID string) error {
	tag, err := tx.Exec(ctx, `
		DELETE FROM accounts.guests WHERE guest_id = @guest_id`, pgx.NamedArgs{"guest_id": guestID})
	if err != nil {
		return fmt.Errorf("forget guest %s: %w", guestID, err)
	}
	if tag.RowsAffected() == 0 {
		return problem.New(http.StatusConflict, "not-possible-now", "This guest has an account already.")
	}
	return nil
}
