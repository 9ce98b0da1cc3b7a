package placeorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/points"
	"github.com/popup-shop/popup/internal/pointstore"
	"github.com/popup-shop/popup/internal/pricing"
	"github.com/popup-shop/popup/internal/problem"
)

// QuoteRequest asks what an order would cost.
type QuoteRequest struct {
	BasketToken string `header:"Popup-Basket-Token" maxLength:"100" doc:"For visitors: gives access to the basket."`
	Body        struct {
		Wish
		PaymentMethod string `json:"payment_method,omitempty" maxLength:"40" example:"simulated"`
	}
}

// QuoteAnswer is what an order would cost now.
type QuoteAnswer struct{ Body Quote }

// Quote is the totals that an order would have now, and what is wrong with it.
type Quote struct {
	pricing.Prices
	ToPay    money.Amount   `json:"to_pay" doc:"What is left to pay with the payment method."`
	Problems []QuoteProblem `json:"problems" nullable:"false" doc:"Why the order would be rejected now. Lines with a problem do not add to the totals, unless only the stock is short."`
}

// QuoteProblem is a reason why an order would be rejected.
type QuoteProblem struct {
	Type      string `json:"type" doc:"The kind of the problem, as a path: /problems/{kind}." example:"/problems/out-of-stock"`
	Field     string `json:"field,omitempty" doc:"The field that is wrong." example:"lines[0]"`
	Detail    string `json:"detail" doc:"What is wrong, for people."`
	SKU       string `json:"sku,omitempty"`
	Requested int64  `json:"requested,omitempty"`
	Available *int64 `json:"available,omitempty"`
}

// quote returns the totals that the order would have, and stores nothing.
func (p *handler) quote(ctx context.Context, tx pgx.Tx, in *QuoteRequest) (*QuoteAnswer, []events.Event, error) {
	body := Body{Wish: in.Body.Wish, PaymentMethod: in.Body.PaymentMethod}
	if body.BasketID == "" && len(body.Lines) == 0 {
		return nil, nil, problem.Invalid(problem.FieldError{Field: "lines", Message: "must have at least one"})
	}
	answer := &QuoteAnswer{}
	q := &answer.Body
	q.Problems = []QuoteProblem{}
	q.checkFields(body, p.shop.PaymentMethods)
	for _, check := range []func() error{
		func() error { return readQuotedBasket(ctx, tx, &body) },
		func() error { return readAddress(ctx, tx, auth.CallerFrom(ctx).ID, &body) },
		func() error { return checkPickupStore(ctx, tx, body.Pickup) },
	} {
		if err := q.note(check()); err != nil {
			return nil, nil, err
		}
	}
	o, err := q.price(ctx, tx, body, p.shop.TaxJPY)
	if err != nil {
		return nil, nil, err
	}
	return answer, nil, q.checkStock(ctx, tx, o.Lines)
}

// note adds an error that is a problem of the order, and returns any other.
func (q *Quote) note(err error) error {
	var found *problem.Problem
	if errors.As(err, &found) {
		q.add(found)
		return nil
	}
	return err
}

// price sets the totals of the lines that are in the catalogue.
func (q *Quote) price(ctx context.Context, tx pgx.Tx, body Body, taxJPY int64) (o priced, err error) {
	products, err := readProducts(ctx, tx, body.Lines)
	if err != nil {
		return o, err
	}
	for i, line := range body.Lines {
		if err := o.add(i, line, products); err != nil {
			q.add(err)
		}
	}
	totals := o.sum(taxJPY)
	if err := q.checkPoints(ctx, tx, body.Points, totals); err != nil {
		return o, err
	}
	if o.usePoints(body.Points, totals) == nil { // what is wrong with them was added by checkPoints
		totals = totals.WithPoints(body.Points)
	}
	o.Currency, o.PaymentMethod = cmp.Or(o.Currency, "EUR"), body.PaymentMethod
	q.Prices = totals.In(o.Currency)
	q.ToPay = q.Total
	return o, q.note(o.checkMethod())
}

// readQuotedBasket reads the lines of a basket without a lock.
func readQuotedBasket(ctx context.Context, tx pgx.Tx, b *Body) (err error) {
	if b.BasketID == "" {
		return nil
	}
	if len(b.Lines) > 0 {
		return problem.Invalid(problem.FieldError{Field: "basket_id", Message: "must be given without lines"})
	}
	var open bool
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders.baskets WHERE basket_id = @basket_id AND order_id IS NULL AND expires_at > now())`,
		pgx.NamedArgs{"basket_id": b.BasketID}).Scan(&open)
	if err != nil {
		return fmt.Errorf("read basket %s: %w", b.BasketID, err)
	}
	if !open {
		return problem.Invalid(problem.FieldError{Field: "basket_id", Message: "is not your basket, or has expired"})
	}
	return readBasketLines(ctx, tx, b)
}

// checkFields adds what is wrong with the fields that are given.
func (q *Quote) checkFields(b Body, methods []string) {
	var errs []problem.FieldError
	if b.Address != nil {
		for _, fault := range b.Address.Faults() {
			errs = append(errs, problem.FieldError{Field: "address." + fault.Field, Message: fault.Message})
		}
	}
	if b.Contact != nil {
		errs = append(errs, b.Contact.fieldErrors()...)
	}
	if b.PaymentMethod != "" && b.PaymentMethod != points.Method && !slices.Contains(methods, b.PaymentMethod) {
		errs = append(errs, problem.FieldError{Field: "payment_method", Message: "is not offered"})
	}
	if errs != nil {
		q.add(problem.Invalid(errs...))
	}
}

// checkPoints adds what is wrong with using points.
func (q *Quote) checkPoints(ctx context.Context, tx pgx.Tx, n int64, t pricing.Totals) error {
	if n == 0 {
		return nil
	}
	caller := auth.CallerFrom(ctx)
	if caller.HasNoAccount() {
		q.add(problem.Invalid(pointsOfGuests()))
		return nil
	}
	if wrong := points.Wrong(n, t.TotalMinor); wrong != "" {
		q.add(problem.Invalid(problem.FieldError{Field: "points", Message: wrong}))
	}
	usable, err := pointstore.Usable(ctx, tx, caller.ID)
	if err == nil && usable < n {
		q.add(pointstore.NotEnough())
	}
	return err
}

// add adds a problem, or each of the fields that it names.
func (q *Quote) add(p *problem.Problem) {
	for _, e := range p.Errors {
		q.Problems = append(q.Problems, QuoteProblem{Type: "/problems/" + p.Kind, Field: e.Field, Detail: e.Field + " " + e.Message})
	}
	if len(p.Errors) == 0 {
		q.Problems = append(q.Problems, QuoteProblem{Type: "/problems/" + p.Kind, Detail: p.Detail})
	}
}

// checkStock adds the lines that there is not enough stock for.
func (q *Quote) checkStock(ctx context.Context, tx pgx.Tx, lines []events.PlacedLine) error {
	wanted := map[string]int64{}
	for _, line := range lines {
		wanted[line.SKU] += line.Quantity
	}
	available, err := readAvailable(ctx, tx, slices.Sorted(maps.Keys(wanted)))
	if err != nil {
		return err
	}
	for _, line := range lines {
		n := available[line.SKU]
		if wanted[line.SKU] <= n {
			continue
		}
		q.Problems = append(q.Problems, QuoteProblem{
			Type: "/problems/out-of-stock", Field: fmt.Sprintf("lines[%d]", line.Line-1), Detail: "There is not enough stock of " + line.SKU + ".",
			SKU: line.SKU, Requested: wanted[line.SKU], Available: &n,
		})
	}
	return nil
}

// readAvailable returns how many of each SKU can be sold.
func readAvailable(ctx context.Context, tx pgx.Tx, skus []string) (map[string]int64, error) {
	rows, err := tx.Query(ctx, `
		SELECT sku, sum(on_hand - reserved)::bigint FROM stock.levels WHERE sku = ANY (@skus) GROUP BY sku`, pgx.NamedArgs{"skus": skus})
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	available := map[string]int64{}
	var sku string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&sku, &n}, func() error {
		available[sku] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read stock: %w", err)
	}
	return available, nil
}
