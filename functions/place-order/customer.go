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

// customer is whose an order is. A visitor and a program have no id.
type customer struct {
	ID    string
	guest bool // reached by what the order says, and by its token
}

// readCustomer tells who orders. Whoever has an account need not say again how they are reached.
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
		return c, fmt.Errorf("read how user %s is reached: %w", userID, err)
	}
	return c, nil
}

// readAddress puts the address of the caller's address book that an order names, if it does, into the order. The order
// keeps it as it is now.
func readAddress(ctx context.Context, tx pgx.Tx, userID string, b *Body) error {
	if b.AddressID == "" {
		return nil
	}
	var a address.Address
	err := tx.QueryRow(ctx, `
		SELECT name, phone, country, postal_code, prefecture, region, city, address_line1, address_line2
		FROM accounts.addresses
		WHERE address_id = @address_id AND user_id = nullif(@user_id, '')::uuid`, pgx.NamedArgs{"address_id": b.AddressID, "user_id": userID}).
		Scan(&a.Name, &a.Phone, &a.Country, &a.PostalCode, &a.Prefecture, &a.Region, &a.City, &a.AddressLine1, &a.AddressLine2)
	if errors.Is(err, pgx.ErrNoRows) {
		return problem.Invalid(problem.FieldError{Field: "address_id", Message: "is not one of your addresses"})
	}
	if err != nil {
		return fmt.Errorf("read address %s: %w", b.AddressID, err)
	}
	b.Address = &a
	return nil
}
