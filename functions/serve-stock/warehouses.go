package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Warehouse is a warehouse with the sums of its stock.
type Warehouse struct {
	ID       string `json:"id" format:"uuid"`
	Name     string `json:"name"`
	Location string `json:"location"`
	Priority int    `json:"priority"`
	Goods    int64  `json:"goods" doc:"The number of units of all SKUs."`
	Holds    int64  `json:"holds" doc:"The number of reserved units."`
}

// WarehouseBody is a warehouse in a request.
type WarehouseBody struct {
	Name     string `json:"name" minLength:"1" maxLength:"200" pattern:"[^\\s\\p{Z}\\p{C}]"`
	Location string `json:"location,omitempty" maxLength:"500"`
	Priority int    `json:"priority,omitempty" minimum:"1" maximum:"1000000" default:"100" doc:"Stock is taken from warehouses with lower numbers first."`
}

// WarehouseRequest creates a warehouse.
type WarehouseRequest struct{ Body WarehouseBody }

// WarehouseChange changes a warehouse.
type WarehouseChange struct {
	Named
	Body WarehouseBody
}

// WarehousesRequest selects a page of warehouses.
type WarehousesRequest struct{ web.Paging }

// WarehouseAnswer is a warehouse.
type WarehouseAnswer struct{ Body Warehouse }

const selectWarehouse = `
	SELECT warehouse_id::text, name, location, priority,
		coalesce((SELECT sum(on_hand)::bigint FROM stock.levels l WHERE l.warehouse_id = w.warehouse_id), 0),
		coalesce((SELECT sum(reserved)::bigint FROM stock.levels l WHERE l.warehouse_id = w.warehouse_id), 0)`

func listWarehouses(ctx context.Context, db web.Reader, in *WarehousesRequest) ([]Warehouse, int64, error) {
	return web.QueryPage(ctx, db, pgx.RowToStructByPos[Warehouse], `FROM stock.warehouses w WHERE deleted_at IS NULL`,
		selectWarehouse,
		`ORDER BY priority, created_at, warehouse_id LIMIT @limit OFFSET @offset`, pgx.NamedArgs{
			"limit": in.Limit, "offset": in.Offset(),
		})
}

func getWarehouse(ctx context.Context, db web.Reader, in *Named) (*WarehouseAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("warehouse")
	}
	rows, err := db.Query(ctx, selectWarehouse+`
		FROM stock.warehouses w
		WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL`, pgx.NamedArgs{"warehouse_id": in.ID})
	if err != nil {
		return nil, fmt.Errorf("read warehouse %s: %w", in.ID, err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Warehouse])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, problem.NotFound("warehouse")
	}
	if err != nil {
		return nil, fmt.Errorf("read warehouse %s: %w", in.ID, err)
	}
	return &WarehouseAnswer{found}, nil
}

func addWarehouse(ctx context.Context, tx pgx.Tx, in *WarehouseRequest) (*WarehouseAnswer, []events.Event, error) {
	made, err := uuid.NewV7()
	if err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO stock.warehouses (warehouse_id, name, location, priority)
		VALUES (@warehouse_id, @name, @location, @priority)`, in.Body.args(made.String()))
	if err != nil {
		return nil, nil, fmt.Errorf("create warehouse %s: %w", made, err)
	}
	answer, err := getWarehouse(ctx, tx, &Named{ID: made.String()})
	return answer, nil, err
}

func changeWarehouse(ctx context.Context, tx pgx.Tx, in *WarehouseChange) (*WarehouseAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("warehouse")
	}
	_, err := tx.Exec(ctx, `
		UPDATE stock.warehouses SET name = @name, location = @location, priority = @priority
		WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL`, in.Body.args(in.ID))
	if err != nil {
		return nil, nil, fmt.Errorf("change warehouse %s: %w", in.ID, err)
	}
	answer, err := getWarehouse(ctx, tx, &in.Named)
	return answer, nil, err
}

func (b WarehouseBody) args(warehouseID string) pgx.NamedArgs {
	return pgx.NamedArgs{"warehouse_id": warehouseID, "name": b.Name, "location": b.Location, "priority": b.Priority}
}

// deleteWarehouse deletes an empty warehouse. A concurrent transaction that would add stock waits and then finds it
// deleted.
func deleteWarehouse(ctx context.Context, tx pgx.Tx, in *Named) (*struct{}, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("warehouse")
	}
	if err := lockWarehouse(ctx, tx, in.ID); err != nil {
		return nil, nil, err
	}
	by, err := usedBy(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	if by != nil {
		return nil, nil, problem.New(http.StatusConflict, "in-use",
			"The warehouse is not empty, or a store sells from it.").
			With("in_use_by", by)
	}
	_, err = tx.Exec(ctx, `
		UPDATE stock.warehouses SET deleted_at = now()
		WHERE warehouse_id = @warehouse_id`, pgx.NamedArgs{"warehouse_id": in.ID})
	if err != nil {
		return nil, nil, fmt.Errorf("delete warehouse %s: %w", in.ID, err)
	}
	return &struct{}{}, nil, nil
}

// lockWarehouse locks a warehouse against concurrent stores, levels and movements that would use it.
func lockWarehouse(ctx context.Context, tx pgx.Tx, warehouseID string) error {
	tag, err := tx.Exec(ctx, `
		SELECT FROM stock.warehouses
		WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL
		FOR UPDATE`, pgx.NamedArgs{"warehouse_id": warehouseID})
	if err != nil {
		return fmt.Errorf("lock warehouse %s: %w", warehouseID, err)
	}
	if tag.RowsAffected() == 0 {
		return problem.NotFound("warehouse")
	}
	return nil
}

// usedBy returns what prevents the deletion of a warehouse: goods, holds, store.
func usedBy(ctx context.Context, tx pgx.Tx, warehouseID string) (by []string, err error) {
	err = tx.QueryRow(ctx, `
		SELECT array_remove(ARRAY [
			CASE WHEN EXISTS (SELECT FROM stock.levels WHERE warehouse_id = @warehouse_id AND on_hand > 0) THEN 'goods' END,
			CASE WHEN EXISTS (SELECT FROM stock.levels WHERE warehouse_id = @warehouse_id AND reserved > 0) THEN 'holds' END,
			CASE WHEN EXISTS (SELECT FROM catalogue.stores WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL) THEN 'store' END], NULL)`,
		pgx.NamedArgs{"warehouse_id": warehouseID}).Scan(&by)
	if err != nil {
		return nil, fmt.Errorf("read use of warehouse %s: %w", warehouseID, err)
	}
	if len(by) == 0 {
		return nil, nil
	}
	return by, nil
}
