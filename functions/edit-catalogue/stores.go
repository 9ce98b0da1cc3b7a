package editcatalogue

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// StoreBody is the input for a store.
type StoreBody struct {
	Name        string `json:"name" maxLength:"200"`
	Location    string `json:"location" maxLength:"200"`
	CheckDelay  int64  `json:"check_delay_s,omitempty" minimum:"0" maximum:"86400" doc:"Seconds by which the stock check of its orders is delayed."`
	WarehouseID string `json:"warehouse_id,omitempty" format:"uuid" doc:"By default a new store gets a warehouse of its own, and an existing store keeps its warehouse."`
}

// AddStoreRequest adds a store.
type AddStoreRequest struct{ Body StoreBody }

// ChangeStoreRequest replaces a store's fields.
type ChangeStoreRequest struct {
	ID   string `path:"id" format:"uuid"`
	Body StoreBody
}

// Resolve returns every field that is wrong.
func (b *StoreBody) Resolve(_ huma.Context, at *huma.PathBuffer) []error {
	var faults faults
	faults.text("name", b.Name)
	faults.text("location", b.Location)
	if b.WarehouseID != "" {
		faults.uuid("warehouse_id", b.WarehouseID)
	}
	return web.FieldErrors(at, faults)
}

// addStore is called by staff, and by programs that keep the catalogue.
func addStore(ctx context.Context, tx pgx.Tx, in *AddStoreRequest) (*catalogue.StoreAnswer, []events.Event, error) {
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
		RETURNING `+catalogue.StoreColumns)
}

// changeStore is called by staff, and by programs that keep the catalogue.
func changeStore(
	ctx context.Context, tx pgx.Tx, in *ChangeStoreRequest,
) (*catalogue.StoreAnswer, []events.Event, error) {
	if in.Body.WarehouseID != "" {
		if err := mustBeWarehouse(ctx, tx, in.Body.WarehouseID); err != nil {
			return nil, nil, err
		}
	}
	return in.Body.store(ctx, tx, events.StoreChanged{StoreID: in.ID, Change: events.ChangeUpdated}, `
		UPDATE catalogue.stores SET name = @name, location = @location, check_delay = @check_delay::bigint * interval '1 second',
			warehouse_id = coalesce(nullif(@warehouse_id::text, '')::uuid, warehouse_id)
		WHERE store_id = @store_id AND deleted_at IS NULL
		RETURNING `+catalogue.StoreColumns)
}

// store puts a store into the catalogue, and shows it.
func (b *StoreBody) store(
	ctx context.Context, tx pgx.Tx, event events.StoreChanged, sql string,
) (*catalogue.StoreAnswer, []events.Event, error) {
	out, err := catalogue.OneStore(ctx, tx, event.StoreID, sql, pgx.NamedArgs{
		"name": b.Name, "location": b.Location, "check_delay": b.CheckDelay, "warehouse_id": b.WarehouseID,
	})
	return out, []events.Event{event}, err
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
