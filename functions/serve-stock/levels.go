package servestock

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/auth"
	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// Level is the stock of a SKU in a warehouse, with its totals over all warehouses.
type Level struct {
	ID             string    `json:"id" format:"uuid"`
	SKU            string    `json:"sku"`
	ProductID      string    `json:"product_id,omitempty" format:"uuid" doc:"The product of the SKU, if it is in the catalogue."`
	VariantID      string    `json:"variant_id,omitempty" format:"uuid"`
	WarehouseID    string    `json:"warehouse_id" format:"uuid"`
	Quantity       *int64    `json:"quantity,omitempty" doc:"For staff only."`
	Reserved       *int64    `json:"reserved,omitempty" doc:"For staff only."`
	Available      int64     `json:"available"`
	TotalQuantity  *int64    `json:"total_quantity,omitempty" doc:"The quantity in all warehouses. For staff only."`
	TotalAvailable int64     `json:"total_available" doc:"The available quantity in all warehouses."`
	UpdatedAt      time.Time `json:"updated_at"`
}

// public returns the level without the figures for staff.
func (l Level) public() Level {
	l.Quantity, l.Reserved, l.TotalQuantity = nil, nil, nil
	return l
}

// ListRequest filters the list of levels by SKU, product, variant and warehouse.
type ListRequest struct {
	web.Paging
	SKU         string `query:"sku" maxLength:"64"`
	ProductID   string `query:"product_id" format:"uuid"`
	VariantID   string `query:"variant_id" format:"uuid"`
	WarehouseID string `query:"warehouse_id" format:"uuid"`
	Sort        string `query:"sort" enum:"sku,-sku,available,-available" default:"sku" doc:"available: what there is least of first."`
}

// levelOrders are the orders of the list.
var levelOrders = map[string]string{
	"sku":        `ORDER BY l.sku, w.priority, warehouse_id LIMIT @limit OFFSET @offset`,
	"-sku":       `ORDER BY l.sku DESC, w.priority, warehouse_id LIMIT @limit OFFSET @offset`,
	"available":  `ORDER BY on_hand - reserved, l.sku, w.priority, warehouse_id LIMIT @limit OFFSET @offset`,
	"-available": `ORDER BY on_hand - reserved DESC, l.sku, w.priority, warehouse_id LIMIT @limit OFFSET @offset`,
}

const (
	selectLevels = `
		SELECT level_id::text, l.sku, coalesce(k.product_id::text, ''), coalesce(k.variant_id::text, ''), warehouse_id::text, on_hand, reserved, on_hand - reserved,
			(SELECT sum(t.on_hand)::bigint FROM stock.levels t WHERE t.sku = l.sku),
			(SELECT sum(t.on_hand - t.reserved)::bigint FROM stock.levels t WHERE t.sku = l.sku), l.updated_at`
	fromLevels = `
		FROM stock.levels l
		JOIN stock.warehouses w USING (warehouse_id)
		LEFT JOIN catalogue.skus k USING (sku)`
)

// list returns levels: to staff and stock clients with all figures, to others with the available quantities.
func list(ctx context.Context, db web.Reader, in *ListRequest) ([]Level, int64, error) {
	ids := map[string]string{"product_id": in.ProductID, "variant_id": in.VariantID, "warehouse_id": in.WarehouseID}
	if errs := checkIDs(ids); errs != nil {
		return nil, 0, problem.Invalid(errs...)
	}
	items, total, err := web.QueryPage(ctx, db, pgx.RowToStructByPos[Level], fromLevels+in.where(), selectLevels,
		levelOrders[in.Sort], pgx.NamedArgs{
			"sku": in.SKU, "product_id": in.ProductID, "variant_id": in.VariantID, "warehouse_id": in.WarehouseID,
			"limit": in.Limit, "offset": in.Offset(),
		})
	caller := auth.CallerFrom(ctx)
	if !caller.IsStaff() && !caller.HasScope("stock") {
		for i, level := range items {
			items[i] = level.public()
		}
	}
	return items, total, err
}

// where returns the conditions of a list. It leaves out empty levels of deleted warehouses.
func (in *ListRequest) where() string {
	conditions := []string{`(w.deleted_at IS NULL OR on_hand > 0)`}
	for _, c := range []struct{ asked, condition string }{
		{in.SKU, `l.sku = @sku`},
		{in.ProductID, `l.sku IN (SELECT sku FROM catalogue.skus WHERE product_id = @product_id)`},
		{in.VariantID, `l.sku IN (
			SELECT s.sku FROM catalogue.variants v JOIN catalogue.skus s USING (product_id, variant_id) WHERE v.variant_id = @variant_id)`},
		{in.WarehouseID, `warehouse_id = @warehouse_id`},
	} {
		if c.asked != "" {
			conditions = append(conditions, c.condition)
		}
	}
	return ` WHERE ` + strings.Join(conditions, ` AND `)
}

// LevelRequest names a level.
type LevelRequest struct {
	ID string `path:"id" format:"uuid"`
}

func getLevel(ctx context.Context, db web.Reader, in *LevelRequest) (*LevelAnswer, error) {
	if !id.Valid(in.ID) {
		return nil, problem.NotFound("level")
	}
	level, err := readLevel(ctx, db, in.ID)
	return &LevelAnswer{level}, err
}

func readLevel(ctx context.Context, db web.Reader, levelID string) (Level, error) {
	rows, err := db.Query(ctx, selectLevels+fromLevels+` WHERE level_id = @level_id`, pgx.NamedArgs{"level_id": levelID})
	if err != nil {
		return Level{}, fmt.Errorf("read level %s: %w", levelID, err)
	}
	level, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Level])
	if errors.Is(err, pgx.ErrNoRows) {
		return Level{}, problem.NotFound("level")
	}
	if err != nil {
		return Level{}, fmt.Errorf("read level %s: %w", levelID, err)
	}
	return level, nil
}

// CreateRequest creates a level with an initial quantity.
type CreateRequest struct {
	web.Key
	Body struct {
		SKU         string `json:"sku" minLength:"1" maxLength:"64"`
		WarehouseID string `json:"warehouse_id" format:"uuid"`
		Quantity    int64  `json:"quantity" minimum:"0" maximum:"1000000000000"`
	}
}

// Resolve returns every field that is wrong.
func (in *CreateRequest) Resolve(huma.Context) []error {
	return web.BodyErrors(checkIDs(map[string]string{"warehouse_id": in.Body.WarehouseID}))
}

// LevelAnswer is the current state of a level.
type LevelAnswer struct{ Body Level }

func create(ctx context.Context, tx pgx.Tx, in *CreateRequest) (string, []events.Event, error) {
	levelID, err := insertLevel(ctx, tx, in.Body.SKU, in.Body.WarehouseID)
	if err != nil || in.Body.Quantity == 0 {
		return levelID, nil, err
	}
	moved, err := book(ctx, tx, levelID, movement{Kind: "inbound", Quantity: in.Body.Quantity, Reason: "first stock"})
	if err != nil {
		return "", nil, err
	}
	return levelID, []events.Event{moved.event()}, nil
}

func showCreated(ctx context.Context, db web.Reader, _ *CreateRequest, levelID string) (*LevelAnswer, error) {
	level, err := readLevel(ctx, db, levelID)
	return &LevelAnswer{level}, err
}

// insertLevel inserts an empty level. It locks the warehouse, so that it is not deleted before this transaction
// commits.
func insertLevel(ctx context.Context, tx pgx.Tx, sku, warehouseID string) (levelID string, err error) {
	made, err := uuid.NewV7()
	if err != nil {
		return "", err
	}
	var ok bool
	err = tx.QueryRow(ctx, `
		WITH warehouse AS (
			SELECT warehouse_id FROM stock.warehouses
			WHERE warehouse_id = @warehouse_id AND deleted_at IS NULL
			FOR SHARE
		), made AS (
			INSERT INTO stock.levels (level_id, sku, warehouse_id)
			SELECT @level_id, @sku, warehouse_id FROM warehouse
			ON CONFLICT (sku, warehouse_id) DO NOTHING
			RETURNING level_id::text
		)
		SELECT EXISTS (SELECT FROM warehouse), coalesce((SELECT level_id FROM made), '')`,
		pgx.NamedArgs{"level_id": made.String(), "sku": sku, "warehouse_id": warehouseID}).Scan(&ok, &levelID)
	switch {
	case err != nil:
		return "", fmt.Errorf("create level of %s: %w", sku, err)
	case !ok:
		return "", problem.Invalid(problem.FieldError{Field: "warehouse_id", Message: "is not a warehouse of the shop"})
	case levelID == "":
		return "", problem.New(http.StatusConflict, "in-use", "This SKU has a level in this warehouse already.")
	}
	return levelID, nil
}

// SetRequest sets the quantity of a level.
type SetRequest struct {
	Named
	Body struct {
		Quantity int64  `json:"quantity" minimum:"0" maximum:"1000000000000"`
		Reason   string `json:"reason" minLength:"1" maxLength:"500"`
	}
}

// set books the difference as an adjustment. If there is no difference, it books and emits nothing.
func set(ctx context.Context, tx pgx.Tx, in *SetRequest) (*LevelAnswer, []events.Event, error) {
	if !id.Valid(in.ID) {
		return nil, nil, problem.NotFound("level")
	}
	before, err := lockLevel(ctx, tx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	if before == in.Body.Quantity {
		level, err := readLevel(ctx, tx, in.ID)
		return &LevelAnswer{level}, nil, err
	}
	moved, err := book(ctx, tx, in.ID, movement{
		Kind: "adjustment", Quantity: in.Body.Quantity - before, Reason: in.Body.Reason,
	})
	if err != nil {
		return nil, nil, err
	}
	return &LevelAnswer{moved.Level}, []events.Event{moved.event()}, nil
}
