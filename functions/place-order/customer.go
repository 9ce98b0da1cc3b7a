package placeorder

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/token"
)

// customer is the owner of an order. Visitors and machine clients have no id.
type customer struct {
	ID    string
	guest bool // has access to the order by its token, and the contact of the order
}

// readCustomer returns the customer who places the order. It fills in the contact from the account if the request has
// none.
func readCustomer(ctx context.Context, tx pgx.Tx, b *Body) (customer, error) {
	switch caller := auth.CallerFrom(ctx); caller.Role {
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
		SELECT name, email, phone FROM accounts.users WHERE user_id = @user_id AND closed_at IS NULL`,
		pgx.NamedArgs{"user_id": userID}).Scan(&c.Name, &c.Email, &c.Phone)
	if errors.Is(err, pgx.ErrNoRows) {
		return c, problem.NotSignedIn()
	}
	if err != nil {
		return c, fmt.Errorf("read contact of user %s: %w", userID, err)
	}
	return c, nil
}

// readAddress copies the address with AddressID from the caller's address book into the order. Later changes of the
// address book do not change the order.
func readAddress(ctx context.Context, tx pgx.Tx, userID string, b *Body) error {
	if b.AddressID == "" {
		return nil
	}
	var a address.Address
	err := tx.QueryRow(ctx, `
		SELECT name, phone, country, postal_code, prefecture, region, city, address_line1, address_line2
		FROM accounts.addresses
		WHERE address_id = @address_id AND user_id = nullif(@user_id, '')::uuid`, pgx.NamedArgs{"address_id": b.AddressID, "user_id": userID}).
		Scan(&a.Name, &a.Phone, &a.Country, &a.PostalCode, &a.Prefecture, &a.Region, &a.City, &a.AddressLine1,
			&a.AddressLine2)
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.Invalid(problem.FieldError{Field: "address_id", Message: "is not one of your addresses"})
	}
	if err != nil {
		return fmt.Errorf("read address %s: %w", b.AddressID, err)
	}
	b.Address = &a
	return nil
}
