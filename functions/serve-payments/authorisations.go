package servepayments

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/order"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// AuthorisationRequest authorises an amount.
type AuthorisationRequest struct {
	web.Key
	Body money.Amount
}

// Authorisation is an amount that a customer agreed to beforehand. Orders with payment_method pre_authorised use parts of it.
type Authorisation struct {
	ID        string       `json:"id" format:"uuid"`
	Amount    money.Amount `json:"amount"`
	Used      money.Amount `json:"used" doc:"What orders have set aside or paid."`
	Free      money.Amount `json:"free"`
	CreatedAt time.Time    `json:"created_at"`
}

// AuthorisationAnswer is an authorisation.
type AuthorisationAnswer struct {
	Status int
	Body   Authorisation
}

// maxAuthorised is the highest amount that can be authorised, in minor units.
const maxAuthorised = 100_000_000

const authorisationColumns = `authorisation_id::text, amount_minor, used_minor, amount_minor - used_minor, currency, created_at`

func scanAuthorisation(row pgx.CollectableRow) (a Authorisation, err error) {
	err = row.Scan(&a.ID, &a.Amount.Minor, &a.Used.Minor, &a.Free.Minor, &a.Amount.Currency, &a.CreatedAt)
	a.Used.Currency, a.Free.Currency, a.CreatedAt = a.Amount.Currency, a.Amount.Currency, a.CreatedAt.UTC()
	return a, err
}

// authorise stores an amount, if the shop offers the method.
func (h handler) authorise(ctx context.Context, tx pgx.Tx, in *AuthorisationRequest) (string, []events.Event, error) {
	var errs []problem.FieldError
	if in.Body.Minor <= 0 || in.Body.Minor > maxAuthorised {
		errs = append(errs, problem.FieldError{Field: "amount_minor", Message: fmt.Sprintf("must be between 1 and %d", maxAuthorised)})
	}
	if _, ok := money.Exponent(in.Body.Currency); !ok {
		errs = append(errs, problem.FieldError{Field: "currency", Message: "is not a currency"})
	}
	if errs != nil {
		return "", nil, problem.Invalid(errs...)
	}
	if !h.offers(payment.PreAuthorised) {
		return "", nil, problem.New(http.StatusConflict, "not-possible-now", "The shop does not offer pre-authorised amounts.")
	}
	authorisationID, err := uuid.NewV7()
	if err != nil {
		return "", nil, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO payments.authorisations (authorisation_id, owner_id, amount_minor, currency) VALUES (@id, @owner, @amount, @currency)`,
		pgx.NamedArgs{"id": authorisationID, "owner": auth.CallerFrom(ctx).ID, "amount": in.Body.Minor, "currency": in.Body.Currency})
	if err != nil {
		return "", nil, fmt.Errorf("store authorisation: %w", err)
	}
	return authorisationID.String(), nil, nil
}

// offers reports whether customers can choose a method.
func (h handler) offers(code string) bool {
	for _, m := range h.methods {
		if m.Code == code {
			return true
		}
	}
	return false
}

func showAuthorisation(ctx context.Context, db web.Reader, _ *AuthorisationRequest, authorisationID string) (*AuthorisationAnswer, error) {
	a, err := findAuthorisation(ctx, db, authorisationID)
	return &AuthorisationAnswer{http.StatusCreated, a}, err
}

func findAuthorisation(ctx context.Context, db web.Reader, authorisationID string) (Authorisation, error) {
	return find(ctx, db, "authorisation", `SELECT `+authorisationColumns+` FROM payments.authorisations WHERE authorisation_id = @id`,
		pgx.NamedArgs{"id": authorisationID}, scanAuthorisation)
}

// ReadAuthorisationRequest names an authorisation.
type ReadAuthorisationRequest struct {
	ID string `path:"id" format:"uuid"`
}

func readAuthorisation(ctx context.Context, db web.Reader, in *ReadAuthorisationRequest) (*AuthorisationAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("authorisation")
	}
	a, err := findAuthorisation(ctx, db, in.ID)
	return &AuthorisationAnswer{http.StatusOK, a}, err
}

// AuthorisationsRequest selects a page of the caller's authorisations, newest first.
type AuthorisationsRequest struct {
	web.Paging
}

func listAuthorisations(ctx context.Context, db web.Reader, in *AuthorisationsRequest) (items []Authorisation, total int64, err error) {
	return web.QueryPage(ctx, db, scanAuthorisation, `FROM payments.authorisations WHERE owner_id = @owner`, `SELECT `+authorisationColumns,
		`ORDER BY created_at DESC, authorisation_id LIMIT @limit OFFSET @offset`,
		pgx.NamedArgs{"owner": auth.CallerFrom(ctx).ID, "limit": in.Limit, "offset": in.Offset()})
}

// CaptureRequest names a payment whose money is set aside.
type CaptureRequest struct {
	ID         string `path:"id" format:"uuid"`
	OrderToken string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
}

// capturePayment pays an order that is confirmed from the amount that is set aside for it. One that is paid stays as it is.
func capturePayment(ctx context.Context, tx pgx.Tx, in *CaptureRequest) (*PaymentAnswer, []events.Event, error) {
	locked, err := lockPaid(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	before, err := readPayment(ctx, tx, &PaymentRequest{ID: in.ID})
	if err != nil || before.Body.Status == "paid" {
		return before, nil, err
	}
	if locked.Status != order.Confirmed || before.Body.Status != "authorised" {
		return nil, nil, problem.New(http.StatusConflict, "not-possible-now", "An order is paid once it is confirmed, from an amount that is set aside for it.").
			With("order_id", locked.OrderID).With("order_status", locked.Status).With("payment_status", before.Body.Status)
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO payments.entries (payment_id, kind, amount_minor, currency, provider, provider_ref)
		SELECT payment_id, 'captured', amount_minor, currency, provider, provider_ref FROM payments.payments WHERE payment_id = @id`,
		pgx.NamedArgs{"id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("capture payment %s: %w", in.ID, err)
	}
	after, err := readPayment(ctx, tx, &PaymentRequest{ID: in.ID})
	if err != nil {
		return nil, nil, err
	}
	return after, []events.Event{events.PaymentPaid{
		PaymentID: in.ID, OrderID: locked.OrderID, Method: after.Body.Method, AmountMinor: after.Body.Amount.Minor,
		Currency: after.Body.Amount.Currency, ProviderRef: after.Body.ProviderRef, At: time.Now().UTC(),
	}}, nil
}
