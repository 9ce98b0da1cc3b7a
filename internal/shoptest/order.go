package shoptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/cloudevent"
	"github.com/popup-shop/popup/internal/eventstore"
)

// Of the seeded shop: what there is of it, and where.
const (
	Tee      = "TEE-DROP-01" // 39.00 EUR; 200 in Harbour, which its store empties first, and 100 in Canal
	Cap      = "CAP-NAVY"    // 24.00 EUR; 120 in Harbour
	Print    = "PRINT-50"    // 120.00 EUR; 50 in Harbour
	Cup      = "YUNOMI-01"   // 3800 JPY; 80 in Tsukiji
	Harbour  = "01900000-0000-7000-8000-000000000001"
	Canal    = "01900000-0000-7000-8000-000000000002"
	Tsukiji  = "01900000-0000-7000-8000-000000000003"
	TheStore = "01900000-0000-7000-8000-000000000011" // sells all that costs euros
)

// Item is one line of an order.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Of is so many of a SKU.
func Of(sku string, quantity int64) Item { return Item{SKU: sku, Quantity: quantity} }

// Body is the body of a request that places an order; a test changes the fields that it is about.
type Body map[string]any

// Order is the body of a good order of a guest.
func Order(items ...Item) Body {
	return Body{
		"lines": items, "payment_method": "simulated",
		"contact": map[string]any{"name": "Ada Byron", "email": "ada@example.test", "phone": "+49 40 1234567"},
		"address": map[string]any{
			"name": "Ada Byron", "phone": "+49 40 1234567", "country": "DE", "postal_code": "20095", "city": "Hamburg", "address_line1": "Kai 1",
		},
	}
}

// With is the body with one field changed, or without it when value is nil.
func (b Body) With(field string, value any) Body {
	changed := Body{}
	maps.Copy(changed, b)
	if changed[field] = value; value == nil {
		delete(changed, field)
	}
	return changed
}

// Placed is a placed order.
type Placed struct {
	ID    string
	Token string // opens it
	events.OrderPlaced
}

// Place places an order through place-order, as a guest unless the headers name a caller. Its events are not delivered
// yet.
func (s *Shop) Place(t testing.TB, body Body, headers ...string) Placed {
	t.Helper()
	headers = append([]string{"Idempotency-Key", newID(t), "Prefer", "wait=0"}, headers...)
	answer := s.Call(t, "place-order", http.MethodPost, "/v1/orders", body, headers...)
	require.Equal(t, http.StatusAccepted, answer.Status, "%s %s", answer.Raw, s.Log())
	p := Placed{ID: answer.Body["id"].(string)}
	p.Token, _ = answer.Body["order_token"].(string) // guests have one
	p.OrderPlaced = EventOf(t, s.Emitted(t, p.ID, "order.placed")[0]).(events.OrderPlaced)
	return p
}

// Cancel cancels an order as its customer, and returns the event that this emits.
func (s *Shop) Cancel(t testing.TB, p Placed) events.OrderWithdrawn {
	t.Helper()
	answer := s.Call(t, "serve-orders", http.MethodPost, "/v1/orders/"+p.ID+"/cancel",
		map[string]string{"reason": "I changed my mind"},
		"Idempotency-Key", newID(t), "Prefer", "wait=0", "Popup-Order-Token", p.Token)
	require.Equal(t, http.StatusAccepted, answer.Status, "%s %s", answer.Raw, s.Log())
	return EventOf(t, s.Emitted(t, p.ID, "order.withdrawn")[0]).(events.OrderWithdrawn)
}

// Response is what a door answered.
type Response struct {
	Status int
	Header http.Header
	Raw    string
	Body   map[string]any
}

// Call sends a request to a function, with headers in pairs. It fails the test when the response does not match the
// OpenAPI document.
func (s *Shop) Call(t testing.TB, name, method, path string, body any, headers ...string) Response {
	t.Helper()
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		require.NoError(t, err)
		sent = bytes.NewReader(encoded)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, sent)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Runtime(t, name).ServeMux(s.Function(t, name)).ServeHTTP(w, r)
	CheckResponse(t, r, w.Code, w.Header(), w.Body.Bytes())
	a := Response{Status: w.Code, Header: w.Header(), Raw: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.Body) // a test that reads it finds out
	return a
}

// Fields are the fields that a problem names.
func (a Response) Fields() (fields []string) {
	faults, _ := a.Body["errors"].([]any)
	for _, fault := range faults {
		fields = append(fields, fault.(map[string]any)["field"].(string))
	}
	return fields
}

// AwaitStatus delivers the events of an order to their consumers, one after the other in the order in which they were
// emitted, until the order has a status. With an empty status it delivers all. Mails are not sent: there is no mail
// server.
func (s *Shop) AwaitStatus(t testing.TB, orderID, status string) {
	t.Helper()
	for range 200 {
		if status != "" && s.Status(t, orderID) == status {
			return
		}
		consumer, m, more := s.nextUndelivered(t, orderID)
		if !more {
			require.Empty(t, status, "order %s is %s, and nobody has anything left to hear", orderID, s.Status(t, orderID))
			return
		}
		s.Deliver(t, consumer, m)
	}
	require.Fail(t, "the order does not come to rest", orderID)
}

// nextUndelivered returns the first event of an order that one of its consumers has not handled.
func (s *Shop) nextUndelivered(t testing.TB, orderID string) (consumer string, m cloudevent.Message, more bool) {
	t.Helper()
	var id string
	err := s.Pool.QueryRow(t.Context(), `
		SELECT e.event_id::text, s.consumer
		FROM bus.event e
		JOIN bus.subscription s USING (type)
		WHERE e.order_id = $1 AND s.consumer <> 'send-email' AND NOT EXISTS (SELECT FROM bus.inbox i WHERE (i.event_id, i.consumer) = (e.event_id, s.consumer))
		ORDER BY e.xid, e.n, s.consumer
		LIMIT 1`, orderID).Scan(&id, &consumer)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", m, false
	}
	require.NoError(t, err)
	rows, err := s.Pool.Query(t.Context(), eventstore.SelectMessages+` WHERE e.event_id = $1`, id)
	require.NoError(t, err)
	found, err := eventstore.CollectMessages(rows)
	require.NoError(t, err)
	return consumer, found[0], true
}

// Status reads where an order stands.
func (s *Shop) Status(t testing.TB, orderID string) string {
	t.Helper()
	return Scalar[string](t, s, `SELECT status FROM orders.orders WHERE order_id = $1`, orderID)
}

// ChangeOrder changes the current row of an order, with its version and its log, as in: deadline = now().
func (s *Shop) ChangeOrder(t testing.TB, orderID, change string) {
	t.Helper()
	s.Exec(t, `
		WITH changed AS (
			UPDATE orders.orders SET version = version + 1, `+change+` WHERE order_id = $1 RETURNING *
		)
		INSERT INTO orders.history (order_id, version, from_status, to_status, stock, payment, reason, deadline, by, cause)
		SELECT order_id, version, status, status, stock, payment, reason, deadline, 'test', 'test' FROM changed`, orderID)
}

// MoveShipment moves an order's shipment as staff would. Its event is not delivered yet.
func (s *Shop) MoveShipment(t testing.TB, orderID, to string) events.ShipmentMoved {
	t.Helper()
	moved := events.ShipmentMoved{OrderID: orderID, To: to, By: "staff"}
	err := s.Pool.QueryRow(t.Context(), `
		WITH before AS (
			SELECT shipment_id, status FROM delivery.shipments WHERE order_id = $1
		), moved AS (
			UPDATE delivery.shipments SET status = $2 WHERE order_id = $1
		), seen AS (
			INSERT INTO delivery.tracking (shipment_id, n, status)
			SELECT shipment_id, (SELECT max(n) + 1 FROM delivery.tracking t WHERE t.shipment_id = before.shipment_id), $2 FROM before
		)
		SELECT shipment_id::text, status FROM before`, orderID, to).Scan(&moved.ShipmentID, &moved.From)
	require.NoError(t, err)
	return moved
}

// Scalar reads one value.
func Scalar[V any](t testing.TB, s *Shop, sql string, args ...any) (value V) {
	t.Helper()
	require.NoError(t, s.Pool.QueryRow(t.Context(), sql, args...).Scan(&value), sql)
	return value
}

// Exec changes the database directly.
func (s *Shop) Exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	_, err := s.Pool.Exec(t.Context(), sql, args...)
	require.NoError(t, err, sql)
}

// Stock reads how many of a SKU there are in all warehouses, and how many of them are held.
func (s *Shop) Stock(t testing.TB, sku string) (onHand, reserved int64) {
	t.Helper()
	err := s.Pool.QueryRow(t.Context(), `
		SELECT sum(on_hand)::bigint, sum(reserved)::bigint FROM stock.levels WHERE sku = $1`, sku).Scan(&onHand, &reserved)
	require.NoError(t, err)
	return onHand, reserved
}

// SetStock leaves so many of a SKU in a warehouse.
func (s *Shop) SetStock(t testing.TB, sku, warehouse string, quantity int64) {
	t.Helper()
	s.Exec(t, `
		INSERT INTO stock.movements (level_id, kind, quantity, reference)
		SELECT level_id, 'adjustment', $3 - on_hand, 'test' FROM stock.levels WHERE sku = $1 AND warehouse_id = $2 AND on_hand <> $3`,
		sku, warehouse, quantity)
}

// AddVariant gives a product a variant with so many in a warehouse. A price of 0 is that of the product.
func (s *Shop) AddVariant(
	t testing.TB, product, sku, name string, price, quantity int64, warehouse string,
) (productID, variantID string) {
	t.Helper()
	err := s.Pool.QueryRow(t.Context(), `
		INSERT INTO catalogue.variants (variant_id, product_id, sku, name, price_minor)
		SELECT gen_random_uuid(), product_id, $2, $3, nullif($4, 0) FROM catalogue.products WHERE sku = $1
		RETURNING product_id::text, variant_id::text`, product, sku, name, price).Scan(&productID, &variantID)
	require.NoError(t, err)
	s.Exec(t, `INSERT INTO stock.levels (level_id, sku, warehouse_id) VALUES (gen_random_uuid(), $1, $2)`, sku, warehouse)
	s.SetStock(t, sku, warehouse, quantity)
	return productID, variantID
}
