package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Store sells products, from its own warehouse first.
type Store struct {
	ID            string    `json:"id" format:"uuid"`
	Name          string    `json:"name"`
	Location      string    `json:"location"`
	Participating bool      `json:"participating" doc:"Whether its products are on sale."`
	CheckDelay    int64     `json:"check_delay_s" doc:"Seconds by which the stock check of its orders is delayed."`
	WarehouseID   string    `json:"warehouse_id" format:"uuid"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// StoreColumns are the columns that ScanStore scans.
const StoreColumns = `
	store_id::text, name, location, participating, extract(epoch FROM check_delay)::bigint, warehouse_id::text, created_at, updated_at`

// ScanStore scans a row of StoreColumns.
func ScanStore(row pgx.CollectableRow) (s Store, err error) {
	err = row.Scan(&s.ID, &s.Name, &s.Location, &s.Participating, &s.CheckDelay, &s.WarehouseID, &s.CreatedAt,
		&s.UpdatedAt)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	return s, err
}

// StoreAnswer is a store.
type StoreAnswer struct{ Body Store }

// ReadStore returns a store that is not deleted, or a problem if there is none.
func ReadStore(ctx context.Context, db web.Reader, storeID string) (*StoreAnswer, error) {
	return OneStore(ctx, db, storeID, `
		SELECT `+StoreColumns+`
		FROM catalogue.stores
		WHERE store_id = @store_id AND deleted_at IS NULL`, pgx.NamedArgs{})
}

// OneStore runs a statement that returns the StoreColumns of the store @store_id. It returns a problem if there is no
// such store.
func OneStore(ctx context.Context, db web.Reader, storeID, sql string, args pgx.NamedArgs) (*StoreAnswer, error) {
	if !id.Valid(storeID) {
		return nil, problem.NotFound("store")
	}
	args["store_id"] = storeID
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", storeID, err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, ScanStore)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("store")
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", storeID, err)
	}
	return &StoreAnswer{s}, nil
}
