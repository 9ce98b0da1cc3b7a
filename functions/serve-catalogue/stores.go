package servecatalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
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

// StoreBody is the input for a store.
type StoreBody struct {
	Name        string `json:"name" maxLength:"200"`
	Location    string `json:"location" maxLength:"200"`
	CheckDelay  int64  `json:"check_delay_s,omitempty" minimum:"0" maximum:"86400" doc:"Seconds by which the stock check of its orders is delayed."`
	WarehouseID string `json:"warehouse_id,omitempty" format:"uuid" doc:"By default a new store gets a warehouse of its own, and an existing store keeps its warehouse."`
}

// StoresRequest asks for a page of stores.
type StoresRequest struct{ web.Paging }

// StoreAnswer is a store.
type StoreAnswer struct{ Body Store }

// AddStoreRequest adds a store.
type AddStoreRequest struct{ Body StoreBody }

// ChangeStoreRequest replaces a store's fields.
type ChangeStoreRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body StoreBody
}

const storeColumns = `store_id::text, name, location, participating, extract(epoch FROM check_delay)::bigint, warehouse_id::text, created_at, updated_at`

func scanStore(row pgx.CollectableRow) (s Store, err error) {
	err = row.Scan(&s.ID, &s.Name, &s.Location, &s.Participating, &s.CheckDelay, &s.WarehouseID, &s.CreatedAt, &s.UpdatedAt)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	return s, err
}

// listStores is called by visitors.
func listStores(ctx context.Context, db web.Reader, in *StoresRequest) ([]Store, int64, error) {
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	return web.QueryPage(ctx, db, scanStore, `FROM catalogue.stores WHERE deleted_at IS NULL`,
		`SELECT `+storeColumns, `ORDER BY name, store_id LIMIT @limit OFFSET @offset`, pgx.NamedArgs{"limit": in.Limit, "offset": in.Offset()})
}

// readStore is called by visitors.
func readStore(ctx context.Context, db web.Reader, in *Request) (*StoreAnswer, error) {
	out, err := oneStore(ctx, db, in.ID, `SELECT `+storeColumns+` FROM catalogue.stores WHERE store_id = @store_id AND deleted_at IS NULL`, pgx.NamedArgs{})
	if err == nil {
		web.SurrogateKeys(ctx, events.ShownStore(in.ID))
	}
	return out, err
}

// oneStore runs a statement that returns a store, or none.
func oneStore(ctx context.Context, db web.Reader, storeID, sql string, args pgx.NamedArgs) (*StoreAnswer, error) {
	if !id.Valid(storeID) {
		return nil, problem.NotFound("store")
	}
	args["store_id"] = storeID
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", storeID, err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanStore)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("store")
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", storeID, err)
	}
	return &StoreAnswer{s}, nil
}

func (b *StoreBody) check() error {
	var faults faults
	faults.text("name", b.Name)
	faults.text("location", b.Location)
	if b.WarehouseID != "" {
		faults.uuid("warehouse_id", b.WarehouseID)
	}
	return faults.problem()
}

// addStore is called by staff, and by programs that keep the catalogue.
func addStore(ctx context.Context, tx pgx.Tx, in *AddStoreRequest) (*StoreAnswer, []events.Event, error) {
	if err := in.Body.check(); err != nil {
		return nil, nil, err
	}
	storeID, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	if in.Body.WarehouseID == "" {
		in.Body.WarehouseID, err = openWarehouse(ctx, tx, in.Body)
	} else {
		err = mustBeWarehouse(ctx, tx, in.Body.WarehouseID)
	}
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, events.StoreChanged{StoreID: storeID.String(), Change: events.ChangeCreated}, `
		INSERT INTO catalogue.stores (store_id, name, location, check_delay, warehouse_id)
		VALUES (@store_id, @name, @location, @check_delay::bigint * interval '1 second', @warehouse_id::text::uuid)
		RETURNING `+storeColumns)
}

// changeStore is called by staff, and by programs that keep the catalogue.
func changeStore(ctx context.Context, tx pgx.Tx, in *ChangeStoreRequest) (*StoreAnswer, []events.Event, error) {
	err := in.Body.check()
	if err == nil && in.Body.WarehouseID != "" {
		err = mustBeWarehouse(ctx, tx, in.Body.WarehouseID)
	}
	if err != nil {
		return nil, nil, err
	}
	return in.Body.store(ctx, tx, events.StoreChanged{StoreID: in.ID, Change: events.ChangeUpdated}, `
		UPDATE catalogue.stores SET name = @name, location = @location, check_delay = @check_delay::bigint * interval '1 second',
			warehouse_id = coalesce(nullif(@warehouse_id::text, '')::uuid, warehouse_id)
		WHERE store_id = @store_id AND deleted_at IS NULL
		RETURNING `+storeColumns)
}

// store puts a store into the catalogue, and shows it.
func (b *StoreBody) store(ctx context.Context, tx pgx.Tx, said events.StoreChanged, sql string) (*StoreAnswer, []events.Event, error) {
	out, err := oneStore(ctx, tx, said.StoreID, sql, pgx.NamedArgs{
		"name": b.Name, "location": b.Location, "check_delay": b.CheckDelay, "warehouse_id": b.WarehouseID,
	})
	return out, []events.Event{said}, err
}

// openWarehouse makes the warehouse of a new store, with its name.
func openWarehouse(ctx context.Context, tx pgx.Tx, b StoreBody) (string, error) {
	warehouseID, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO stock.warehouses (warehouse_id, name, location)
		VALUES (@warehouse_id, @name, @location)`, pgx.NamedArgs{"warehouse_id": warehouseID.String(), "name": b.Name, "location": b.Location})
	if err != nil {
		return "", fmt.Errorf("open warehouse of store %s: %w", b.Name, err)
	}
	return warehouseID.String(), nil
}

// mustBeWarehouse refuses what is no warehouse, and locks one against being deleted until the transaction ends.
func mustBeWarehouse(ctx context.Context, tx pgx.Tx, warehouseID string) error {
	tag, err := tx.Exec(ctx, `
		SELECT FROM stock.warehouses
		WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL
		FOR SHARE`, pgx.NamedArgs{"warehouse_id": warehouseID})
	if err != nil {
		return fmt.Errorf("find warehouse %s: %w", warehouseID, err)
	}
	if tag.RowsAffected() == 0 {
		return problem.Invalid(problem.FieldError{Field: "warehouse_id", Message: "is not one of our warehouses"})
	}
	return nil
}
