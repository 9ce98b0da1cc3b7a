package editcatalogue

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/problem"
)

// emptyLimit is how many products of a store one request deletes, so that it stays within its time.
const emptyLimit = 1000

// ConfirmRequest names a store for a deletion that must be confirmed.
type ConfirmRequest struct {
	ID      string `path:"id" format:"uuid"`
	Confirm bool   `query:"confirm" doc:"Confirms the deletion; without it the response is 409 with the number of products."`
}

// EmptyAnswer has the numbers of deleted and remaining products of a store.
type EmptyAnswer struct {
	Body struct {
		Deleted int64 `json:"deleted"`
		Left    int64 `json:"left" doc:"Left for the next request, which deletes up to a thousand."`
	}
}

// openStore is called by staff. It puts the store's products on sale again.
func openStore(ctx context.Context, tx pgx.Tx, in *Request) (*catalogue.StoreAnswer, []events.Event, error) {
	return participate(ctx, tx, in.ID, true)
}

// closeStore is called by staff. It takes the store's products off sale until it is opened. A second time changes
// nothing.
func closeStore(ctx context.Context, tx pgx.Tx, in *Request) (*catalogue.StoreAnswer, []events.Event, error) {
	return participate(ctx, tx, in.ID, false)
}

func participate(
	ctx context.Context, tx pgx.Tx, storeID string, open bool,
) (*catalogue.StoreAnswer, []events.Event, error) {
	was, err := lockStore(ctx, tx, storeID)
	if err != nil {
		return nil, nil, err
	}
	if was.Body.Participating == open {
		if open {
			return nil, nil, problem.New(http.StatusConflict, "already-participating", "The store is already open.")
		}
		return was, nil, nil
	}
	out, err := catalogue.OneStore(ctx, tx, storeID, `
		UPDATE catalogue.stores SET participating = @open
		WHERE store_id = @store_id
		RETURNING `+catalogue.StoreColumns, pgx.NamedArgs{"open": open})
	change := events.ChangeClosed
	if open {
		change = events.ChangeOpened
	}
	return out, []events.Event{events.StoreChanged{StoreID: storeID, Change: change}}, err
}

// lockStore locks a store until the transaction ends.
func lockStore(ctx context.Context, tx pgx.Tx, storeID string) (*catalogue.StoreAnswer, error) {
	return catalogue.OneStore(ctx, tx, storeID, `
		SELECT `+catalogue.StoreColumns+`
		FROM catalogue.stores
		WHERE store_id = @store_id AND deleted_at IS NULL
		FOR NO KEY UPDATE`, pgx.NamedArgs{})
}

// deleteStore is called by staff. It hides the store and with it all its products; orders of it stay as they are.
func deleteStore(ctx context.Context, tx pgx.Tx, in *ConfirmRequest) (*struct{}, []events.Event, error) {
	if _, err := in.confirmed(ctx, tx); err != nil {
		return nil, nil, err
	}
	_, err := tx.Exec(ctx, `
		UPDATE catalogue.stores SET deleted_at = now(), participating = false
		WHERE store_id = @store_id`, pgx.NamedArgs{"store_id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("delete store %s: %w", in.ID, err)
	}
	return &struct{}{}, []events.Event{events.StoreChanged{StoreID: in.ID, Change: events.ChangeDeleted}}, nil
}

// confirmed returns how many products a store has. Without confirmation it returns a problem with the number.
func (in *ConfirmRequest) confirmed(ctx context.Context, tx pgx.Tx) (products int64, err error) {
	if _, err = lockStore(ctx, tx, in.ID); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, `
		SELECT count(*)
		FROM catalogue.products
		WHERE store_id = @store_id AND deleted_at IS NULL`, pgx.NamedArgs{"store_id": in.ID}).Scan(&products)
	if err != nil {
		return 0, fmt.Errorf("count products of store %s: %w", in.ID, err)
	}
	if !in.Confirm {
		return 0, problem.New(http.StatusConflict, "in-use",
			"The products of the store would be deleted with it. Confirm with confirm=true.").With("products", products)
	}
	return products, nil
}

// emptyStore is called by staff.
func emptyStore(ctx context.Context, tx pgx.Tx, in *ConfirmRequest) (*EmptyAnswer, []events.Event, error) {
	products, err := in.confirmed(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	ids, err := firstProducts(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	gone, err := hide(ctx, tx, ids)
	out := &EmptyAnswer{}
	out.Body.Deleted, out.Body.Left = int64(len(gone)), products-int64(len(gone))
	return out, gone, err
}

// firstProducts are those of a store that go first.
func firstProducts(ctx context.Context, tx pgx.Tx, storeID string) ([]string, error) {
	rows, err := tx.Query(ctx, `
		SELECT product_id::text
		FROM catalogue.products
		WHERE store_id = @store_id AND deleted_at IS NULL
		ORDER BY product_id
		LIMIT @most`, pgx.NamedArgs{"store_id": storeID, "most": emptyLimit})
	if err != nil {
		return nil, fmt.Errorf("find products of store %s: %w", storeID, err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find products of store %s: %w", storeID, err)
	}
	return ids, nil
}
