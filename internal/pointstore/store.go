// Package pointstore holds points of an account for an order. Package points has the rules.
package pointstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/problem"
)

// Hold takes points from the balance of a customer for a version of an order, and returns a problem if there are too few. The database
// decides under the lock of the balance, so of many orders at once as many succeed as there are points for.
func Hold(ctx context.Context, tx pgx.Tx, customerID, orderID string, version, points int64, by string) error {
	if points == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO points.entries (customer_id, kind, points, order_id, ref, by)
		VALUES (@customer_id, 'hold', @points, @order_id, @ref, @by)`, args(customerID, orderID, version, points, by))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "points_cover_what_is_held" {
		return NotEnough()
	}
	if err != nil {
		return fmt.Errorf("hold points for order %s: %w", orderID, err)
	}
	return nil
}

// NotEnough is the problem of an account with too few points.
func NotEnough() *problem.Problem {
	return problem.New(http.StatusConflict, "not-enough-points", "The account has fewer points than that.")
}

func args(customerID, orderID string, version, points int64, by string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"customer_id": customerID, "order_id": orderID, "points": points, "ref": strconv.FormatInt(version, 10), "by": by,
	}
}

// Usable returns how many points of a customer an order can use now.
func Usable(ctx context.Context, tx pgx.Tx, customerID string) (points int64, err error) {
	err = tx.QueryRow(ctx, `
		SELECT least(available, points.unexpired(customer_id)) FROM points.balances WHERE customer_id = @customer_id`,
		pgx.NamedArgs{"customer_id": customerID}).Scan(&points)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("read points of customer %s: %w", customerID, err)
	}
	return points, nil
}
