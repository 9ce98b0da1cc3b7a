package servestock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/popup-shop/popup/internal/web"
)

// Level is how many of a SKU there are in a warehouse.
type Level struct {
	ID          string    `json:"id" format:"uuid"`
	SKU         string    `json:"sku"`
	WarehouseID string    `json:"warehouse_id" format:"uuid"`
	Quantity    *int64    `json:"quantity,omitempty" doc:"for staff"`
	Reserved    *int64    `json:"reserved,omitempty" doc:"for staff"`
	Available   int64     `json:"available"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Moved is a movement, and the level after it.
type Moved struct {
	MovementID string `json:"id" format:"uuid"`
	Kind       string `json:"kind"`
	Quantity   int64  `json:"quantity"`
	Reason     string `json:"reason"`
	Level      Level  `json:"level"`
}

type movement struct {
	Kind     string
	Quantity int64
	Reason   string
}

const selectLevels = `
	SELECT level_id::text, sku, warehouse_id::text, on_hand, reserved, on_hand - reserved, updated_at
	FROM stock.levels`

func readLevels(ctx context.Context, db web.Reader, sku string) ([]Level, error) {
	rows, err := db.Query(ctx, selectLevels+`
		WHERE @sku IN ('', sku)
		ORDER BY sku, warehouse_id
		LIMIT 1000`, pgx.NamedArgs{"sku": sku})
	if err != nil {
		return nil, fmt.Errorf("read levels: %w", err)
	}
	levels, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Level])
	if err != nil {
		return nil, fmt.Errorf("read levels: %w", err)
	}
	return levels, nil
}

func readLevel(ctx context.Context, db web.Reader, levelID string) (Level, error) {
	rows, err := db.Query(ctx, selectLevels+` WHERE level_id = @level_id`, pgx.NamedArgs{"level_id": levelID})
	if err != nil {
		return Level{}, fmt.Errorf("read level %s: %w", levelID, err)
	}
	level, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Level])
	if err != nil {
		return Level{}, fmt.Errorf("read level %s: %w", levelID, err)
	}
	return level, nil
}

// insertLevel makes an empty level; created is false when the SKU has one in the warehouse.
func insertLevel(ctx context.Context, tx pgx.Tx, sku, warehouseID string) (levelID string, created bool, err error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", false, err
	}
	tag, err := tx.Exec(ctx, `
		INSERT INTO stock.levels (level_id, sku, warehouse_id)
		VALUES (@level_id, @sku, @warehouse_id)
		ON CONFLICT (sku, warehouse_id) DO NOTHING`, pgx.NamedArgs{"level_id": id.String(), "sku": sku, "warehouse_id": warehouseID})
	if breaks(err, "levels_warehouse_id_fkey") {
		return "", false, web.Invalid(web.Fault{Field: "warehouse_id", Why: "is not one of our warehouses"})
	}
	if err != nil {
		return "", false, fmt.Errorf("create level of %s: %w", sku, err)
	}
	return id.String(), tag.RowsAffected() == 1, nil
}

// book makes a movement; the level follows by itself.
func book(ctx context.Context, tx pgx.Tx, levelID string, m movement) (moved Moved, err error) {
	moved.Kind, moved.Quantity, moved.Reason = m.Kind, m.Quantity, m.Reason
	err = tx.QueryRow(ctx, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference, reason, by)
		SELECT level_id, @kind, @quantity, 'staff', @reason, 'staff'
		FROM stock.levels WHERE level_id = @level_id
		RETURNING movement_id::text`, pgx.NamedArgs{"level_id": levelID, "kind": m.Kind, "quantity": m.Quantity, "reason": m.Reason}).
		Scan(&moved.MovementID)
	if err != nil {
		return moved, fmt.Errorf("book %s of level %s: %w", m.Kind, levelID, err)
	}
	moved.Level, err = readLevel(ctx, tx, levelID)
	return moved, err
}

// breaks says whether an error is that a promise of the schema would be broken.
func breaks(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.ConstraintName == constraint
}
