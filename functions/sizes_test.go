package functions_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/local/mailbox"
	"github.com/popup-shop/popup/internal/shoptest"
)

// assortment describes the products and the stock of a large order.
type assortment struct {
	skuLetter  string
	skuLength  int
	warehouses int
	each       int64 // of each SKU in each warehouse
	quantity   int64 // of each line
}

// The largest inputs that the entry points admit.
var assortments = map[string]assortment{
	"R2: 5 warehouses, SKUs of 34 letters":        {"a", 34, 5, 20, 99},
	"6 warehouses":                                {"a", 34, 6, 20, 105},
	"40 warehouses, SKUs of 64 four-byte letters": {"😀", 64, 40, 3, 99},
	"SKUs that JSON escapes":                      {"<", 64, 12, 10, 99},
}

// sizes is a shop with a hundred products and a mail server.
type sizes struct {
	*shoptest.Shop
	t *testing.T
}

func openSizes(t *testing.T, change ...func(*functions.Settings)) sizes {
	box, err := mailbox.Open(t.TempDir())
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = box.Serve(l) }()
	t.Cleanup(func() { require.NoError(t, box.Close()) })
	simple := func(s *functions.Settings) {
		s.SimulatedSuccess, s.Shipping, s.SMTP = 1, "manual", "smtp://"+l.Addr().String()
	}
	return sizes{shoptest.Open(t, functions.All, append([]func(*functions.Settings){simple}, change...)...), t}
}

func (a assortment) sku(n int) string {
	number := fmt.Sprint(n)
	return strings.Repeat(a.skuLetter, a.skuLength-len(number)) + number
}

// stock inserts the products and fills the warehouses.
func (s sizes) stock(a assortment) {
	s.t.Helper()
	skus := make([]string, 100)
	for i := range skus {
		skus[i] = a.sku(i + 1)
	}
	s.Exec(s.t, `
		INSERT INTO catalogue.products (product_id, store_id, sku, name, price_minor, currency)
		SELECT gen_random_uuid(), $2, sku, 'thing', 100, 'EUR' FROM unnest($1::text[]) AS sku`, skus, shoptest.TheStore)
	s.Exec(s.t, `
		INSERT INTO stock.warehouses (warehouse_id, name)
		SELECT ('02900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Warehouse ' || n FROM generate_series(1, $1) n`, a.warehouses)
	s.Exec(s.t, `
		INSERT INTO stock.levels (level_id, sku, warehouse_id)
		SELECT gen_random_uuid(), sku, warehouse_id
		FROM unnest($1::text[]) AS sku, stock.warehouses WHERE warehouse_id >= '02900000-0000-7000-8000-000000000000'`, skus)
	s.Exec(s.t, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'inbound', $2, 'test' FROM stock.levels WHERE sku = ANY ($1)`, skus, a.each)
}

func (a assortment) lines(quantity int64) []shoptest.Item {
	items := make([]shoptest.Item, 100)
	for i := range items {
		items[i] = shoptest.Of(a.sku(i+1), quantity)
	}
	return items
}

// place places an order of all products, with the longest names that are admitted.
func (s sizes) place(a assortment, quantity int64) shoptest.Placed {
	s.t.Helper()
	body := shoptest.Order(a.lines(quantity)...)
	body["contact"].(map[string]any)["name"] = strings.Repeat("商", 200)
	status := 0
	for letters := 200; letters > 0; letters /= 2 {
		s.Exec(s.t, `UPDATE catalogue.products SET name = repeat('😀', $1) WHERE price_minor = 100`, letters)
		answer := s.Call(s.t, "place-order", http.MethodPost, "/v1/orders", body, "Idempotency-Key", uuid.NewString(),
			"Prefer", "wait=0")
		if status = answer.Status; status == http.StatusAccepted {
			p := shoptest.Placed{ID: answer.Body["id"].(string), Token: answer.Body["order_token"].(string)}
			p.OrderPlaced = shoptest.EventOf(s.t, s.Emitted(s.t, p.ID, "order.placed")[0]).(events.OrderPlaced)
			return p
		}
		require.Equal(s.t, http.StatusUnprocessableEntity, status, answer.Raw)
	}
	require.Fail(s.t, "no order of 100 lines is admitted", "%d", status)
	return shoptest.Placed{}
}

// sendMails delivers the events of an order to send-email and requires that all its mails are sent.
func (s sizes) sendMails(orderID string) {
	s.t.Helper()
	for _, e := range s.Function(s.t, "send-email").On {
		for _, m := range s.Emitted(s.t, orderID, e.Event.EventType()) {
			s.Deliver(s.t, "send-email", m)
		}
	}
	states := shoptest.Scalar[[]string](s.t, s.Shop,
		`SELECT array_agg(DISTINCT status) FROM mail.mails WHERE order_id = $1`, orderID)
	require.Equal(s.t, []string{"sent"}, states)
}

// move moves the shipment of an order to states and waits until all functions have followed.
func (s sizes) move(orderID string, to ...string) {
	s.t.Helper()
	for _, state := range to {
		s.Send(s.t, "follow-shipment", s.MoveShipment(s.t, orderID, state))
		s.AwaitStatus(s.t, orderID, "")
	}
}

// requireWhole requires that there are no dead letters and that all invariants of the stock hold.
func (s sizes) requireWhole() {
	s.t.Helper()
	require.Empty(s.t, shoptest.Scalar[[]string](s.t, s.Shop,
		`SELECT coalesce(array_agg(type || ' ' || reason), '{}') FROM bus.dead_letters`))
	promises, err := invariant.Check(s.t.Context(), s.Pool, false)
	require.NoError(s.t, err)
	for _, p := range promises {
		if p.Domain == "stock" {
			require.Zero(s.t, p.Broken, p.Promise)
		}
	}
}

// types returns the types of all stored events, and requires that none is too large.
func (s sizes) types() (types []string) {
	s.t.Helper()
	rows, err := s.Pool.Query(s.t.Context(), `SELECT type, max(octet_length(data::text)) FROM bus.event GROUP BY type ORDER BY type`)
	require.NoError(s.t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		var size int
		require.NoError(s.t, rows.Scan(&name, &size))
		require.LessOrEqual(s.t, size, eventstore.MaxEventBytes, name)
		types = append(types, name)
	}
	return types
}

// ORD-47, FUN-16.
func TestLargestOrdersReachEveryEnd(t *testing.T) {
	t.Parallel()
	for what, a := range assortments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := openSizes(t)
			s.stock(a)
			quantity := min(a.quantity, 99)

			s.Exec(t, `UPDATE stock.warehouses SET priority = 1 WHERE warehouse_id >= '02900000-0000-7000-8000-000000000000'`)
			cancelled := s.place(a, quantity)
			s.AwaitStatus(t, cancelled.ID, "confirmed")
			s.AwaitStatus(t, cancelled.ID, "")
			s.Cancel(t, cancelled)
			s.AwaitStatus(t, cancelled.ID, "cancelled")
			s.AwaitStatus(t, cancelled.ID, "")
			s.sendMails(cancelled.ID)

			completed := s.place(a, quantity)
			s.AwaitStatus(t, completed.ID, "confirmed")
			s.AwaitStatus(t, completed.ID, "")
			short := s.place(a, quantity)
			s.AwaitStatus(t, short.ID, "rejected")
			s.AwaitStatus(t, short.ID, "")
			s.sendMails(short.ID)
			s.move(completed.ID, "preparing", "shipped", "in_transit", "failed_delivery")
			s.move(completed.ID, "returned")
			s.sendMails(completed.ID)
			require.Equal(t, "returned", s.Status(t, completed.ID))

			again := s.place(a, quantity)
			s.AwaitStatus(t, again.ID, "confirmed")
			s.AwaitStatus(t, again.ID, "")
			s.move(again.ID, "preparing", "shipped", "in_transit", "delivered")
			s.AwaitStatus(t, again.ID, "completed")
			s.sendMails(again.ID)

			s.requireWhole()
			require.Subset(t, s.types(), []string{
				"order.placed", "order.confirmed", "order.withdrawn", "order.cancelled", "order.rejected",
				"order.shipped", "order.returned",
				"order.completed", "stock.reserved", "stock.short", "stock.released", "stock.shipped",
				"stock.returned", "shipment.created",
			})
		})
	}
}

// ORD-47: with a delayed stock check, and an order that expires.
func TestLargestOrderWaitsAndExpires(t *testing.T) {
	t.Parallel()
	for what, a := range assortments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := openSizes(t, func(settings *functions.Settings) { settings.StockCheckDelay = time.Hour })
			s.stock(a)
			s.Exec(t, `UPDATE stock.warehouses SET priority = 1 WHERE warehouse_id >= '02900000-0000-7000-8000-000000000000'`)
			p := s.place(a, min(a.quantity, 99))
			s.AwaitStatus(t, p.ID, "")
			s.ChangeOrder(t, p.ID, "stock_check_at = now()")
			s.tick()
			due := s.Emitted(t, p.ID, "stock.due")
			require.Len(t, due, 1)
			reserved := s.Deliver(t, "reserve-stock", due[0])
			require.Len(t, reserved, 1)
			require.Len(t, s.Send(t, "release-stock", events.OrderExpired{OrderID: p.ID}), 1)
			s.requireWhole()
			require.Subset(t, s.types(), []string{"stock.due", "stock.reserved", "stock.released"})
		})
	}
}

func (s sizes) tick() {
	s.t.Helper()
	require.NoError(s.t, s.Runtime(s.t, "keep-time").Tick(s.t.Context(), s.Function(s.t, "keep-time")))
}

// R1, FUN-16.
func TestLargestHoldsAreReleased(t *testing.T) {
	t.Parallel()
	for what, a := range assortments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := openSizes(t)
			s.stock(a)
			hold := func(items ...shoptest.Item) string {
				answer := s.Call(t, "serve-stock", http.MethodPost, "/v1/inventory/reservations",
					map[string]any{"lines": items, "expires_in_s": 20},
					"Authorization", s.Staff(t), "Idempotency-Key", uuid.NewString())
				require.Equal(t, http.StatusCreated, answer.Status, answer.Raw)
				return answer.Body["reservation_id"].(string)
			}
			byHand := hold(a.lines(min(a.quantity, a.each*int64(a.warehouses)))...)
			answer := s.Call(t, "serve-stock", http.MethodDelete, "/v1/inventory/reservations/"+byHand, nil, "Authorization",
				s.Staff(t))
			require.Equal(t, http.StatusOK, answer.Status, answer.Raw)

			hold(a.lines(min(a.quantity, a.each*int64(a.warehouses)))...)
			hold(shoptest.Of(shoptest.Cap, 1))
			s.Exec(t, `UPDATE stock.holds SET expires_at = now()`)
			s.tick()
			s.deliverDueHolds()
			require.Zero(t, shoptest.Scalar[int64](t, s.Shop, `SELECT sum(reserved)::bigint FROM stock.levels`))
			s.requireWhole()
			require.Subset(t, s.types(), []string{"reservation.due", "stock.released"})
		})
	}
}

// deliverDueHolds delivers the published reservation.due events to release-stock.
func (s sizes) deliverDueHolds() {
	s.t.Helper()
	for _, m := range s.Broker.Published() {
		if m.Type == "reservation.due" {
			require.Len(s.t, s.Deliver(s.t, "release-stock", m), 1)
		}
	}
}

// The gateway invalidates by the SKUs of an event, so an event whose lines do not fit must name them too.
func TestEventWithoutLinesNamesItsSKUs(t *testing.T) {
	t.Parallel()
	for what, a := range assortments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			held, moved, touched := []events.HeldLine{}, []events.StockLine{}, []string{events.ShownStock}
			for n := range 100 {
				touched = append(touched, events.ShownSKU(a.sku(n+1)))
				for range a.warehouses {
					held = append(held, events.HeldLine{
						Line: n + 1, SKU: a.sku(n + 1), Quantity: 99, WarehouseID: uuid.NewString(), StoreID: uuid.NewString(),
					})
					moved = append(moved, events.StockLine{SKU: a.sku(n + 1), Quantity: 99, WarehouseID: uuid.NewString()})
				}
			}
			for _, e := range []events.Shown{
				events.StockReserved{Lines: held}, events.StockReleased{Lines: moved}, events.StockReturned{Lines: moved},
			} {
				m, err := eventstore.NewMessage(uuid.NewString(), "test", uuid.NewString(), "", e)
				require.NoError(t, err)
				require.LessOrEqual(t, len(m.Data), eventstore.MaxEventBytes)
				stored, err := events.Read(m.Type, m.Data)
				require.NoError(t, err)
				names := stored.(events.Shown).Touches()
				slices.Sort(names)
				require.Equal(t, slices.Sorted(slices.Values(touched)), slices.Compact(names))
			}
		})
	}
}

// longest is the longest text of a field other than the lines: a reason.
var longest = strings.Repeat("\u2028", 500)

// FUN-16: the lines of later events are parts of the lines of order.placed, whose size place-order checks.
func TestLaterEventsOfAnOrderFitToo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		letter := rapid.SampledFrom([]string{"a", "<", "商", "😀", "\u2028"})
		text := func(most int, what string) string {
			return strings.Repeat(letter.Draw(t, what+" letter"), rapid.IntRange(1, most).Draw(t, what))
		}
		sku, name, lines := text(64, "sku"), text(200, "name"), rapid.IntRange(1, 100).Draw(t, "lines")
		placed := events.OrderPlaced{OrderID: uuid.NewString(), Lines: []events.PlacedLine{}}
		for n := range lines {
			placed.Lines = append(placed.Lines, events.PlacedLine{
				Line: n + 1, ProductID: uuid.NewString(), SKU: sku, StoreID: uuid.NewString(), Name: name,
				Quantity: 99, UnitPriceMinor: 1, TotalMinor: 99,
			})
		}
		if data, _ := json.Marshal(placed); len(data) > eventstore.MaxEventBytes {
			t.Skip("rejected by place-order")
		}
		for _, e := range events.All() {
			if _, ok := e.(events.OrderPlaced); ok {
				continue
			}
			m, err := eventstore.NewMessage(uuid.NewString(), "test", uuid.NewString(), "", largestEvent(e, placed.Lines))
			require.NoError(t, err)
			require.LessOrEqual(t, len(m.Data), eventstore.MaxEventBytes, e.EventType())
		}
	})
}

// largestEvent returns an event of the type of e with the longest texts and with the lines.
func largestEvent(e events.Event, lines []events.PlacedLine) events.Event {
	full := reflect.New(reflect.TypeOf(e)).Elem()
	for i := range full.NumField() {
		field := full.Field(i)
		if !field.CanInterface() {
			continue
		}
		switch lists := field.Addr().Interface().(type) {
		case *[]events.PlacedLine:
			*lists = lines
		case *[]events.Line:
			for _, l := range lines {
				*lists = append(*lists, events.Line{Line: l.Line, SKU: l.SKU, Quantity: l.Quantity})
			}
		case *[]events.ShortLine:
			for _, l := range lines {
				*lists = append(*lists, events.ShortLine{
					Line: l.Line, SKU: l.SKU, StoreID: l.StoreID, Wanted: 99, Available: 98, Why: events.WhyShort,
				})
			}
		case *[]events.HeldLine:
			for _, l := range slices.Repeat(lines, 99) {
				*lists = append(*lists, events.HeldLine{
					Line: l.Line, SKU: l.SKU, Quantity: 1, WarehouseID: l.ProductID, StoreID: l.StoreID,
				})
			}
		case *[]events.StockLine:
			for _, l := range slices.Repeat(lines, 99) {
				*lists = append(*lists, events.StockLine{SKU: l.SKU, Quantity: 1, WarehouseID: l.ProductID})
			}
		case *string:
			*lists = textOf(full.Type().Field(i).Tag.Get("json"))
		}
	}
	return full.Interface().(events.Event)
}

// textOf returns the longest text of a field.
func textOf(field string) string {
	name, _, _ := strings.Cut(field, ",")
	switch name {
	case "reason", "description", "location", "sku":
		return longest
	}
	return cmp.Or(uuid.NewString(), name)
}
