package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// KnownGuest is a customer without an account.
type KnownGuest struct {
	ID    string `json:"id" format:"uuid"`
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Token string `json:"token,omitempty" doc:"an access token, for an hour; id and telephone number give another"`
}

// GuestRequest makes a guest known.
type GuestRequest struct {
	Body struct {
		Name  string `json:"name" minLength:"1" maxLength:"200"`
		Phone string `json:"phone" minLength:"1" maxLength:"40"`
	}
}

// GuestAnswer is a guest.
type GuestAnswer struct{ Body KnownGuest }

func (a *accounts) addGuest(ctx context.Context, tx pgx.Tx, in *GuestRequest) (*GuestAnswer, []events.Event, error) {
	if faults := nameAndPhone(in.Body.Name, in.Body.Phone); faults != nil {
		return nil, nil, problem.Invalid(faults...)
	}
	guestID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	who := token.Claims{ID: guestID.String(), Role: token.Guest}
	if err := auth.SetCaller(ctx, tx, who); err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO accounts.guests (guest_id, name, phone)
		VALUES (@guest_id, @name, @phone)`, pgx.NamedArgs{"guest_id": who.ID, "name": in.Body.Name, "phone": in.Body.Phone})
	if err != nil {
		return nil, nil, fmt.Errorf("store guest %s: %w", who.ID, err)
	}
	answer, err := a.greet(KnownGuest{ID: who.ID, Name: in.Body.Name, Phone: in.Body.Phone})
	return answer, []events.Event{events.AccountCreated{CustomerID: who.ID, Kind: "guest"}}, err
}

// greet gives a guest a token.
func (a *accounts) greet(g KnownGuest) (answer *GuestAnswer, err error) {
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

// GuestTokenRequest shows that a caller is a guest: the number belongs to the id.
type GuestTokenRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body struct {
		Phone string `json:"phone" minLength:"1" maxLength:"40"`
	}
}

// guestToken gives a guest another token. A number that is wrong and an id that nobody has are the same 404, and tries
// that fail are counted.
func (a *accounts) guestToken(ctx context.Context, tx pgx.Tx, in *GuestTokenRequest) (*GuestAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("customer")
	}
	keys := append(sourceKeys(ctx), throttleKey("guest", in.ID))
	if err := count(ctx, tx, keys); err != nil {
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
	if err := calm(ctx, tx, keys); err != nil {
		return nil, nil, err
	}
	answer, err := a.greet(g)
	return answer, nil, err
}

// deleteGuest forgets a guest who gets an account. A guest who has got one in the meantime is refused.
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
