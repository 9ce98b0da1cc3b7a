package placeorder

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/token"
	"github.com/popup-shop/popup/internal/web"
)

// customer is whose an order is. A visitor and a program have no id.
type customer struct {
	ID    string
	guest bool // reached by what the order says, and by its token
}

// readCustomer tells who orders. Whoever has an account need not say again how they are reached.
func readCustomer(ctx context.Context, tx pgx.Tx, b *Body) (customer, error) {
	switch caller := web.CallerOf(ctx); caller.Role {
	case "", token.Client:
		return customer{guest: true}, nil
	case token.Guest:
		return customer{ID: caller.ID, guest: true}, nil
	default:
		if b.Contact != nil {
			return customer{ID: caller.ID}, nil
		}
		contact, err := readContact(ctx, tx, caller.ID)
		b.Contact = &contact
		return customer{ID: caller.ID}, err
	}
}

func readContact(ctx context.Context, tx pgx.Tx, userID string) (c Contact, err error) {
	err = tx.QueryRow(ctx, `
		SELECT name, email, phone FROM accounts.users WHERE user_id = @user_id`,
		pgx.NamedArgs{"user_id": userID}).Scan(&c.Name, &c.Email, &c.Phone)
	if err != nil {
		return c, fmt.Errorf("read how user %s is reached: %w", userID, err)
	}
	return c, nil
}
