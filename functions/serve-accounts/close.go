package serveaccounts

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/pgbatch"
	"github.com/popup-shop/popup/internal/problem"
)

// closeAccount locks the account, so that no order of it is placed and nothing is added to it meanwhile, and forgets who somebody was. Their orders and sums stay, as those of nobody. While goods are on their way
// somebody has to know where to.
func (a *accounts) closeAccount(ctx context.Context, tx pgx.Tx, _ *struct{}) (*ClearAnswer, []events.Event, error) {
	caller := auth.CallerFrom(ctx)
	if err := lockUser(ctx, tx, caller.ID); err != nil {
		return nil, nil, err
	}
	open, err := hasOpenOrder(ctx, tx, caller.ID)
	if err != nil {
		return nil, nil, err
	}
	if open {
		return nil, nil, problem.New(http.StatusConflict, "not-possible-now", "an order is still open")
	}
	for _, forget := range []func(context.Context, pgx.Tx, string) error{forgetOrders, forgetBelongings, forgetUser} {
		if err := forget(ctx, tx, caller.ID); err != nil {
			return nil, nil, err
		}
	}
	return &ClearAnswer{a.cookies.Delete()}, []events.Event{events.AccountChanged{CustomerID: caller.ID, Change: "closed"}}, nil
}

// lockUser locks an account until the transaction ends. Whoever changes it or adds something to it waits.
func lockUser(ctx context.Context, tx pgx.Tx, userID string) error {
	_, err := tx.Exec(ctx, `
		SELECT FROM accounts.users
		WHERE user_id = @user_id
		FOR UPDATE`, pgx.NamedArgs{"user_id": userID})
	if err != nil {
		return fmt.Errorf("lock user %s: %w", userID, err)
	}
	return nil
}

func hasOpenOrder(ctx context.Context, tx pgx.Tx, userID string) (open bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM orders.orders WHERE customer_id = @user_id AND deadline IS NOT NULL)`,
		pgx.NamedArgs{"user_id": userID}).Scan(&open)
	if err != nil {
		return false, fmt.Errorf("look for open orders of user %s: %w", userID, err)
	}
	return open, nil
}

func forgetOrders(ctx context.Context, tx pgx.Tx, userID string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE orders.addresses SET name = '', email = '', phone = '', country = '', postal_code = '', prefecture = '', region = '',
			city = '', address_line1 = '', address_line2 = ''
		WHERE order_id IN (SELECT order_id FROM orders.orders WHERE customer_id = @user_id)`, pgx.NamedArgs{"user_id": userID})
	if err != nil {
		return fmt.Errorf("forget where orders of user %s went: %w", userID, err)
	}
	return nil
}

func forgetBelongings(ctx context.Context, tx pgx.Tx, userID string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		WITH passwords AS (
			DELETE FROM accounts.passwords WHERE user_id = @user_id
		), addresses AS (
			DELETE FROM accounts.addresses WHERE user_id = @user_id
		), keys AS (
			DELETE FROM accounts.ssh_keys WHERE user_id = @user_id
		)
		DELETE FROM accounts.sessions WHERE user_id = @user_id`, pgx.NamedArgs{"user_id": userID})
	if err != nil {
		return fmt.Errorf("forget what user %s has: %w", userID, err)
	}
	return nil
}

func forgetUser(ctx context.Context, tx pgx.Tx, userID string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now()
		WHERE user_id = @user_id AND closed_at IS NULL`, pgx.NamedArgs{"user_id": userID})
	if breaks(err, "the_last_admin_stays") {
		return lastAdmin()
	}
	if err != nil {
		return fmt.Errorf("close account of user %s: %w", userID, err)
	}
	if tag.RowsAffected() == 0 { // by another call, while this one waited
		return problem.NotSignedIn()
	}
	return nil
}

func lastAdmin() *problem.Problem {
	return problem.New(http.StatusConflict, "not-possible-now", "the last admin stays")
}
