package servebaskets

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
)

// ownedByCaller is the SQL condition for the caller's basket that has not been ordered, by the caller's id or else by
// the basket token.
const ownedByCaller = `(owner_id = @owner::uuid OR token_hash = @token::bytea) AND order_id IS NULL`

// ownerArgs returns the arguments of ownedByCaller; one of them is nil.
func ownerArgs(caller auth.Caller) pgx.NamedArgs {
	args := pgx.NamedArgs{"owner": nil, "token": nil}
	switch {
	case caller.ID != "":
		args["owner"] = caller.ID
	case caller.BasketToken != "":
		args["token"] = auth.HashToken(caller.BasketToken)
	}
	return args
}

// lockOpen locks the caller's basket. It returns "" if there is none.
func lockOpen(ctx context.Context, tx pgx.Tx) (basketID string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE `+ownedByCaller+` AND expires_at > now()
		FOR NO KEY UPDATE`, ownerArgs(auth.CallerFrom(ctx))).Scan(&basketID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("lock basket: %w", err)
	}
	return basketID, nil
}

// lockOrCreate locks the caller's basket, and creates it if there is none. A visitor without a valid token gets a new
// one.
func (b baskets) lockOrCreate(ctx context.Context, tx pgx.Tx, answer *Answer) (basketID string, err error) {
	caller := auth.CallerFrom(ctx)
	if caller.ID == "" {
		ok, err := isKnownToken(ctx, tx, caller.BasketToken)
		if err != nil {
			return "", err
		}
		if !ok {
			caller.BasketToken = rand.Text()
			answer.Body.Token = caller.BasketToken
			if err := auth.GrantBasketToken(ctx, tx, caller.BasketToken); err != nil {
				return "", err
			}
		}
		answer.SetCookie = b.cookies.SetBasket(caller.BasketToken, b.life)
	}
	args := ownerArgs(caller)
	for basketID == "" && err == nil {
		basketID, err = b.lockOrInsert(ctx, tx, args)
	}
	return basketID, err
}

// lockOrInsert locks the basket, and creates it if there is none. It returns "" if the basket was ordered while this
// waited for the lock; then the next call creates a new one.
func (b baskets) lockOrInsert(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) (basketID string, err error) {
	if err := deleteExpired(ctx, tx, args); err != nil {
		return "", err
	}
	if err := b.insert(ctx, tx, args); err != nil {
		return "", err
	}
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE `+ownedByCaller+`
		FOR NO KEY UPDATE`, args).Scan(&basketID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("lock basket: %w", err)
	}
	return basketID, nil
}

// isKnownToken reports whether a basket with this token exists, ordered or not.
func isKnownToken(ctx context.Context, tx pgx.Tx, basketToken string) (ok bool, err error) {
	if basketToken == "" {
		return false, nil
	}
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders.baskets WHERE token_hash = @token)`, pgx.NamedArgs{"token": auth.HashToken(basketToken)}).Scan(&ok)
	if err != nil {
		return false, fmt.Errorf("look for basket: %w", err)
	}
	return ok, nil
}

// deleteExpired deletes the caller's basket if it has expired, so that a new one can be created.
func deleteExpired(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM orders.baskets
		WHERE `+ownedByCaller+` AND expires_at <= now()`, args)
	if err != nil {
		return fmt.Errorf("delete old basket: %w", err)
	}
	return nil
}

// insert creates an empty basket if there is none.
func (b baskets) insert(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	basketUUID, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO orders.baskets (basket_id, owner_id, token_hash, expires_at)
		VALUES (@basket_id, @owner::uuid, @token::bytea, now() + @life::interval)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"basket_id": basketUUID.String(), "owner": args["owner"], "token": args["token"], "life": b.life})
	if err != nil {
		return fmt.Errorf("create basket: %w", err)
	}
	return nil
}

// extend extends the life of a basket.
func (b baskets) extend(ctx context.Context, tx pgx.Tx, basketID string) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.baskets SET expires_at = now() + @life::interval
		WHERE basket_id = @basket_id`, pgx.NamedArgs{"basket_id": basketID, "life": b.life})
	if err != nil {
		return fmt.Errorf("touch basket %s: %w", basketID, err)
	}
	return nil
}

// mergeVisitorBasket moves the lines of a visitor's basket to the basket of the account that the visitor has signed in
// to, and deletes the visitor's basket. It does nothing for requests without both.
func (b baskets) mergeVisitorBasket(ctx context.Context, tx pgx.Tx) (*Answer, error) {
	answer := &Answer{}
	caller := auth.CallerFrom(ctx)
	if caller.ID == "" || caller.BasketToken == "" {
		return answer, nil
	}
	answer.SetCookie = b.cookies.DeleteBasket()
	if err := claimOrdered(ctx, tx, caller); err != nil {
		return nil, err
	}
	visitorBasket, err := lockVisitorBasket(ctx, tx, caller.BasketToken)
	if err != nil || visitorBasket == "" {
		return answer, err
	}
	ownBasket, err := b.lockOrCreate(ctx, tx, answer)
	if err != nil {
		return nil, err
	}
	chosen, err := readLines(ctx, tx, visitorBasket)
	if err != nil {
		return nil, err
	}
	existing, err := readLines(ctx, tx, ownBasket)
	if err != nil {
		return nil, err
	}
	for _, line := range chosen {
		if !line.OnSale || line.UnitPrice.Currency != currencyOf(existing, chosen) {
			answer.Body.LeftOut = append(answer.Body.LeftOut, LeftOut{line.SKU, line.Name})
			continue
		}
		if err := putLine(ctx, tx, ownBasket, line, line.Quantity); err != nil {
			return nil, err
		}
	}
	if err := deleteBasket(ctx, tx, visitorBasket); err != nil {
		return nil, err
	}
	return answer, b.extend(ctx, tx, ownBasket)
}

// claimOrdered transfers the ordered baskets of a visitor to the account. If such an order fails, its basket is
// restored there.
func claimOrdered(ctx context.Context, tx pgx.Tx, caller auth.Caller) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.baskets SET owner_id = @owner, token_hash = NULL
		WHERE token_hash = @token AND order_id IS NOT NULL`,
		pgx.NamedArgs{"owner": caller.ID, "token": auth.HashToken(caller.BasketToken)})
	if err != nil {
		return fmt.Errorf("take over ordered baskets: %w", err)
	}
	return nil
}

// currencyOf returns the currency of the first line, or "" without lines.
func currencyOf(all ...[]Line) string {
	for _, lines := range all {
		for _, line := range lines {
			return line.UnitPrice.Currency
		}
	}
	return ""
}

// lockVisitorBasket locks the open basket of a visitor. It returns "" if there is none.
func lockVisitorBasket(ctx context.Context, tx pgx.Tx, basketToken string) (basketID string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE token_hash = @token AND order_id IS NULL AND expires_at > now()
		FOR UPDATE`, pgx.NamedArgs{"token": auth.HashToken(basketToken)}).Scan(&basketID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("lock visitor's basket: %w", err)
	}
	return basketID, nil
}

func deleteBasket(ctx context.Context, tx pgx.Tx, basketID string) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM orders.baskets
		WHERE basket_id = @basket_id`, pgx.NamedArgs{"basket_id": basketID})
	if err != nil {
		return fmt.Errorf("delete basket %s: %w", basketID, err)
	}
	return nil
}

// answer responds with the current state of the caller's basket.
func (b baskets) answer(ctx context.Context, tx pgx.Tx, answer *Answer) (*Answer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if answer.Body.Token != "" {
		caller.BasketToken = answer.Body.Token
	}
	body := &answer.Body
	err := tx.QueryRow(ctx, `
		SELECT basket_id::text, expires_at FROM orders.baskets
		WHERE `+ownedByCaller+` AND expires_at > now()`, ownerArgs(caller)).Scan(&body.ID, &body.ExpiresAt)
	if errors.Is(err, pgx.ErrNoRows) {
		body.Lines = []Line{}
		body.sum(b.taxJPY)
		return answer, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read basket: %w", err)
	}
	if body.Lines, err = readLines(ctx, tx, body.ID); err != nil {
		return nil, nil, err
	}
	body.sum(b.taxJPY)
	return answer, nil, nil
}
