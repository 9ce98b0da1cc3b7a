package serveaccounts

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/address"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// KeptAddress is an address of a user's address book.
type KeptAddress struct {
	ID     string `json:"id" format:"uuid"`
	UserID string `json:"user_id" format:"uuid"`
	address.StoredAddress
	IsDefault bool      `json:"is_default"`
	CreatedAt time.Time `json:"created_at"`
}

// AddressBody is an address in a request.
type AddressBody struct {
	address.Address
	IsDefault bool `json:"is_default,omitempty" doc:"Whether to offer this address first. At most one address is the default."`
}

// AddressRequest adds an address.
type AddressRequest struct{ Body AddressBody }

// AddressChange changes an address.
type AddressChange struct {
	ID   string `path:"id" format:"uuid"`
	Body AddressBody
}

// AddressAnswer is an address.
type AddressAnswer struct{ Body KeptAddress }

// ListRequest selects a page of a list.
type ListRequest struct{ web.Paging }

// Named has the id of an object in the path.
type Named struct {
	ID string `path:"id" format:"uuid"`
}

// Resolve normalises an address and returns its errors.
func (b *AddressBody) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	b.Address = b.Normalised()
	var errs []problem.FieldError
	for _, fieldError := range b.Faults() {
		errs = append(errs, problem.FieldError(fieldError))
	}
	return web.FieldErrors(at, errs)
}

const addressColumns = `address_id::text, user_id::text, name, phone, country, postal_code, prefecture, region, city, address_line1, address_line2,
	is_default, created_at`

func scanAddress(row pgx.CollectableRow) (a KeptAddress, err error) {
	err = row.Scan(&a.ID, &a.UserID, &a.Name, &a.Phone, &a.Country, &a.PostalCode, &a.Prefecture, &a.Region, &a.City, &a.AddressLine1, &a.AddressLine2,
		&a.IsDefault, &a.CreatedAt)
	a.CreatedAt = a.CreatedAt.UTC()
	return a, err
}

func (b AddressBody) args(addressID, userID string) pgx.NamedArgs {
	return pgx.NamedArgs{
		"address_id": addressID, "user_id": userID, "name": b.Name, "phone": b.Phone,
		"country": b.Country, "postal_code": b.PostalCode, "prefecture": b.Prefecture, "region": b.Region,
		"city": b.City, "line1": b.AddressLine1, "line2": b.AddressLine2, "is_default": b.IsDefault,
	}
}

func listAddresses(ctx context.Context, db web.Reader, in *ListRequest) (items []KeptAddress, total int64, err error) {
	args := pgx.NamedArgs{"user_id": auth.CallerFrom(ctx).ID, "limit": in.Limit, "offset": in.Offset()}
	return web.QueryPage(ctx, db, scanAddress, `FROM accounts.addresses WHERE user_id = @user_id`,
		`SELECT `+addressColumns, `ORDER BY is_default DESC, created_at, address_id LIMIT @limit OFFSET @offset`, args)
}

func addAddress(ctx context.Context, tx pgx.Tx, in *AddressRequest) (*AddressAnswer, []events.Event, error) {
	if err := requireRoom(ctx, tx, addressRoom); err != nil {
		return nil, nil, err
	}
	addressID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	return saveAddress(ctx, tx, `
		INSERT INTO accounts.addresses (address_id, user_id, name, phone, country, postal_code, prefecture, region, city, address_line1, address_line2, is_default)
		VALUES (@address_id, @user_id, @name, @phone, @country, @postal_code, @prefecture, @region, @city, @line1, @line2, @is_default)
		RETURNING `+addressColumns, in.Body.args(addressID.String(), auth.CallerFrom(ctx).ID))
}

func changeAddress(ctx context.Context, tx pgx.Tx, in *AddressChange) (*AddressAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("address")
	}
	return saveAddress(ctx, tx, `
		UPDATE accounts.addresses SET name = @name, phone = @phone, country = @country, postal_code = @postal_code, prefecture = @prefecture,
			region = @region, city = @city, address_line1 = @line1, address_line2 = @line2, is_default = @is_default
		WHERE address_id = @address_id AND user_id = @user_id
		RETURNING `+addressColumns, in.Body.args(in.ID, auth.CallerFrom(ctx).ID))
}

// saveAddress runs a statement that stores an address and returns it.
func saveAddress(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) (*AddressAnswer, []events.Event, error) {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return nil, nil, fmt.Errorf("store address %s: %w", args["address_id"], err)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scanAddress)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, problem.NotFound("address")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("store address %s: %w", args["address_id"], err)
	}
	return &AddressAnswer{stored}, nil, nil
}

func deleteAddress(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	return deleteOwned(ctx, tx, "address", in.ID, `
		DELETE FROM accounts.addresses
		WHERE address_id = @id AND user_id = @caller`)
}

// deleteOwned runs a statement that deletes one object of the caller. If it deletes none, the response is 404.
func deleteOwned(ctx context.Context, tx pgx.Tx, noun, objectID, sql string) (*struct{}, []events.Event, error) {
	if !id.Valid(objectID) {
		return nil, nil, problem.NotFound(noun)
	}
	tag, err := tx.Exec(ctx, sql, pgx.NamedArgs{"id": objectID, "caller": auth.CallerFrom(ctx).ID})
	if err != nil {
		return nil, nil, fmt.Errorf("delete %s %s: %w", noun, objectID, err)
	}
	if tag.RowsAffected() == 0 {
		return nil, nil, problem.NotFound(noun)
	}
	return &struct{}{}, nil, nil
}
