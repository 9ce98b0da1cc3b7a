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

// mine is the condition that a basket is the caller's and not ordered: that of their account, or else of the token they show.
const mine = `(owner_id = @owner::uuid OR token_hash = @token::bytea) AND order_id IS NULL`

// whose are the arguments of mine: one of the two.
func whose(caller auth.Caller) pgx.NamedArgs {
	args := pgx.NamedArgs{"owner": nil, "token": nil}
	switch {
	case caller.ID != "":
		args["owner"] = caller.ID
	case caller.BasketToken != "":
		args["token"] = auth.HashToken(caller.BasketToken)
	}
	return args
}

// lockOpen locks the caller's basket, or finds that there is none: "".
func lockOpen(ctx context.Context, tx pgx.Tx) (basketID string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE `+mine+` AND expires_at > now()
		FOR NO KEY UPDATE`, whose(auth.CallerFrom(ctx))).Scan(&basketID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("lock basket: %w", err)
	}
	return basketID, nil
}

// open locks the caller's basket, and makes one when there is none. A visitor whose token was never ours gets a new one.
func (b baskets) open(ctx context.Context, tx pgx.Tx, answer *Answer) (basketID string, err error) {
	caller := auth.CallerFrom(ctx)
	if caller.ID == "" {
		known, err := knowsToken(ctx, tx, caller.BasketToken)
		if err != nil {
			return "", err
		}
		if !known {
			caller.BasketToken = rand.Text()
			answer.Body.Token = caller.BasketToken
			if err := auth.GrantBasketToken(ctx, tx, caller.BasketToken); err != nil {
				return "", err
			}
		}
		answer.SetCookie = b.cookies.SetBasket(caller.BasketToken, b.life)
	}
	args := whose(caller)
	for basketID == "" && err == nil {
		basketID, err = b.lockOrInsert(ctx, tx, args)
	}
	return basketID, err
}

// lockOrInsert locks the basket, and makes one where there is none. It returns "" for a basket that was ordered while this
// waited for it: there is room for a new one then.
func (b baskets) lockOrInsert(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) (basketID string, err error) {
	if err := deleteExpired(ctx, tx, args); err != nil {
		return "", err
	}
	if err := b.insert(ctx, tx, args); err != nil {
		return "", err
	}
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE `+mine+`
		FOR NO KEY UPDATE`, args).Scan(&basketID)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("lock basket: %w", err)
	}
	return basketID, nil
}

// knowsToken says whether there is or was a basket of a token.
func knowsToken(ctx context.Context, tx pgx.Tx, shown string) (known bool, err error) {
	if shown == "" {
		return false, nil
	}
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders.baskets WHERE token_hash = @token)`, pgx.NamedArgs{"token": auth.HashToken(shown)}).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look for basket: %w", err)
	}
	return known, nil
}

// deleteExpired makes room for a new basket.
func deleteExpired(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	_, err := tx.Exec(ctx, `
		DELETE FROM orders.baskets
		WHERE `+mine+` AND expires_at <= now()`, args)
	if err != nil {
		return fmt.Errorf("delete old basket: %w", err)
	}
	return nil
}

// insert makes an empty basket where there is none.
func (b baskets) insert(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	made, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO orders.baskets (basket_id, owner_id, token_hash, expires_at)
		VALUES (@basket_id, @owner::uuid, @token::bytea, now() + @life::interval)
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"basket_id": made.String(), "owner": args["owner"], "token": args["token"], "life": b.life})
	if err != nil {
		return fmt.Errorf("make basket: %w", err)
	}
	return nil
}

// touch puts off the end of a basket.
func (b baskets) touch(ctx context.Context, tx pgx.Tx, basketID string) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.baskets SET expires_at = now() + @life::interval
		WHERE basket_id = @basket_id`, pgx.NamedArgs{"basket_id": basketID, "life": b.life})
	if err != nil {
		return fmt.Errorf("touch basket %s: %w", basketID, err)
	}
	return nil
}

// settle brings what somebody chose as a visitor into the basket of their account, once: the visitor's basket is gone then.
func (b baskets) settle(ctx context.Context, tx pgx.Tx) (*Answer, error) {
	answer := &Answer{}
	caller := auth.CallerFrom(ctx)
	if caller.ID == "" || caller.BasketToken == "" {
		return answer, nil
	}
	answer.SetCookie = b.cookies.DeleteBasket()
	if err := takeOrdered(ctx, tx, caller); err != nil {
		return nil, err
	}
	theirs, err := lockOfToken(ctx, tx, caller.BasketToken)
	if err != nil || theirs == "" {
		return answer, err
	}
	own, err := b.open(ctx, tx, answer)
	if err != nil {
		return nil, err
	}
	chosen, err := readLines(ctx, tx, theirs)
	if err != nil {
		return nil, err
	}
	kept, err := readLines(ctx, tx, own)
	if err != nil {
		return nil, err
	}
	for _, line := range chosen {
		if !line.OnSale || line.UnitPrice.Currency != currencyOf(kept, chosen) {
			answer.Body.LeftOut = append(answer.Body.LeftOut, LeftOut{line.SKU, line.Name})
			continue
		}
		if err := putLine(ctx, tx, own, line, line.Quantity); err != nil {
			return nil, err
		}
	}
	if err := deleteBasket(ctx, tx, theirs); err != nil {
		return nil, err
	}
	return answer, b.touch(ctx, tx, own)
}

// takeOrdered makes the baskets that a visitor has ordered those of their account: one that its order gives back goes there.
func takeOrdered(ctx context.Context, tx pgx.Tx, caller auth.Caller) error {
	_, err := tx.Exec(ctx, `
		UPDATE orders.baskets SET owner_id = @owner, token_hash = NULL
		WHERE token_hash = @token AND order_id IS NOT NULL`,
		pgx.NamedArgs{"owner": caller.ID, "token": auth.HashToken(caller.BasketToken)})
	if err != nil {
		return fmt.Errorf("take over ordered baskets: %w", err)
	}
	return nil
}

// currencyOf is that of the first line of all.
func currencyOf(all ...[]Line) string {
	for _, lines := range all {
		for _, line := range lines {
			return line.UnitPrice.Currency
		}
	}
	return ""
}

// lockOfToken locks a visitor's basket until it is gone.
func lockOfToken(ctx context.Context, tx pgx.Tx, shown string) (basketID string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT basket_id::text FROM orders.baskets
		WHERE token_hash = @token AND order_id IS NULL AND expires_at > now()
		FOR UPDATE`, pgx.NamedArgs{"token": auth.HashToken(shown)}).Scan(&basketID)
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

// answer shows the caller's basket as it stands.
func (b baskets) answer(ctx context.Context, tx pgx.Tx, answer *Answer) (*Answer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if answer.Body.Token != "" {
		caller.BasketToken = answer.Body.Token
	}
	body := &answer.Body
	err := tx.QueryRow(ctx, `
		SELECT basket_id::text, expires_at FROM orders.baskets
		WHERE `+mine+` AND expires_at > now()`, whose(caller)).Scan(&body.ID, &body.ExpiresAt)
	if errors.Is(err, pgx.ErrNoRows) {
		body.Lines, body.Subtotal.Currency = []Line{}, "EUR"
		return answer, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read basket: %w", err)
	}
	if body.Lines, err = readLines(ctx, tx, body.ID); err != nil {
		return nil, nil, err
	}
	body.sum()
	return answer, nil, nil
}
