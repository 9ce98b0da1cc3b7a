package serveaccounts

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/problem"
)

// room is how many objects of a kind an account has at most.
type room struct {
	most  int
	count string // a statement that counts those of @user_id
	full  string // the detail of the problem
}

var (
	addressRoom = room{
		50, `SELECT count(*) FROM accounts.addresses WHERE user_id = @user_id`,
		"An account has at most 50 addresses. Delete one first.",
	}
	sshKeyRoom = room{
		20, `SELECT count(*) FROM accounts.ssh_keys WHERE user_id = @user_id`,
		"An account has at most 20 SSH keys. Delete one first.",
	}
)

// requireRoom returns a problem if the account of the caller has no room for another object. It locks the account, so that
// requests at the same time are counted.
func requireRoom(ctx context.Context, tx pgx.Tx, r room) error {
	userID := auth.CallerFrom(ctx).ID
	if err := lockUser(ctx, tx, userID); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, r.count, pgx.NamedArgs{"user_id": userID}).Scan(&n); err != nil {
		return fmt.Errorf("count objects of user %s: %w", userID, err)
	}
	if n >= r.most {
		return problem.New(http.StatusConflict, "not-possible-now", r.full)
	}
	return nil
}
