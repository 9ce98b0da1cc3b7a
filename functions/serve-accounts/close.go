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

// closeAccount deletes the personal data of the caller. Orders stay, without name and address. It locks the account, so
// that no concurrent request places an order or adds data, and returns a problem while an order is open: its shipment
// needs the address.
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
		return nil, nil, problem.New(http.StatusConflict, "not-possible-now",
			"The account cannot be closed while an order is open.")
	}
	for _, forget := range []func(context.Context, pgx.Tx, string) error{anonymizeOrders, deletePersonalData, anonymizeUser} {
		if err := forget(ctx, tx, caller.ID); err != nil {
			return nil, nil, err
		}
	}
	return &ClearAnswer{a.cookies.Delete()}, []events.Event{events.AccountChanged{CustomerID: caller.ID, Change: "closed"}}, nil
}

// lockUser locks an account until the transaction ends. Transactions that change it or add data to it wait.
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

func anonymizeOrders(ctx context.Context, tx pgx.Tx, userID string) error {
	err := pgbatch.Enqueue(ctx, tx, -1, `
		UPDATE orders.addresses SET name = '', email = '', phone = '', country = '', postal_code = '', prefecture = '', region = '',
			city = '', address_line1 = '', address_line2 = ''
		WHERE order_id IN (SELECT order_id FROM orders.orders WHERE customer_id = @user_id)`, pgx.NamedArgs{"user_id": userID})
	if err != nil {
		return fmt.Errorf("anonymize orders of user %s: %w", userID, err)
	}
	return nil
}

func deletePersonalData(ctx context.Context, tx pgx.Tx, userID string) error {
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
		return fmt.Errorf("delete data of user %s: %w", userID, err)
	}
	return nil
}

func anonymizeUser(ctx context.Context, tx pgx.Tx, userID string) error {
	tag, err := tx.Exec(ctx, `
		UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now()
		WHERE user_id = @user_id AND closed_at IS NULL`, pgx.NamedArgs{"user_id": userID})
	if violates(err, "the_last_admin_stays") {
		return lastAdmin()
	}
	if err != nil {
		return fmt.Errorf("close account of user %s: %w", userID, err)
	}
	if tag.RowsAffected() == 0 { // closed by another request while this one waited
		return problem.NotSignedIn()
	}
	return nil
}

func lastAdmin() *problem.Problem {
	return problem.New(http.StatusConflict, "not-possible-now",
		"The last administrator cannot be closed, disabled or given another role.")
}
