package settlepoints_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/invariant"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

const name = "settle-points"

type bundle struct {
	*shoptest.Shop
	t   *testing.T
	ada shoptest.Person
}

func setup(t *testing.T, points int64, change ...func(*functions.Settings)) *bundle {
	t.Helper()
	change = append(change, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	b := &bundle{Shop: shoptest.Open(t, functions.All, change...), t: t}
	b.ada = b.SignIn(t, token.Customer)
	if points > 0 {
		b.GivePoints(t, b.ada.ID, points)
	}
	b.Exec(t, `UPDATE catalogue.products SET price_minor = 1000 WHERE sku = $1`, shoptest.Cup) // 1,100 yen with tax
	return b
}

// buy places an order of cups with points, and delivers its events until it has a status.
func (b *bundle) buy(cups, points int64, status string) shoptest.Placed {
	b.t.Helper()
	body := shoptest.Order(shoptest.Of(shoptest.Cup, cups)).With("points", points)
	placed := b.Place(b.t, body, "Authorization", b.ada.Bearer)
	b.AwaitStatus(b.t, placed.ID, status)
	return placed
}

func (b *bundle) points() shoptest.Points { return b.PointsOf(b.t, b.ada) }

// kinds returns the kinds of the entries of an order, in their order.
func (b *bundle) kinds(orderID string) []string {
	return shoptest.Scalar[[]string](b.t, b.Shop, `SELECT array_agg(kind ORDER BY n) FROM points.entries WHERE order_id = $1`, orderID)
}

// check requires that the promises about points hold.
func (b *bundle) check() {
	b.t.Helper()
	results, err := invariant.Check(b.t.Context(), b.Pool, true)
	require.NoError(b.t, err)
	seen := 0
	for _, r := range results {
		if r.Domain == "points" || r.Domain == "books" {
			require.Zero(b.t, r.Broken, r.Promise)
			seen++
		}
	}
	require.NotZero(b.t, seen)
}

func TestCompletedOrderSpendsAndEarns_PTS_05(t *testing.T) {
	t.Parallel()
	b := setup(t, 50)
	placed := b.buy(3, 80-30, "confirmed") // 3,300 - 500
	require.Equal(t, shoptest.Points{Held: 50, Pending: 2}, b.points())
	b.AwaitStatus(t, placed.ID, "")
	require.Equal(t, shoptest.Points{Available: 2}, b.points())
	settled := b.Emitted(t, placed.ID, "points.settled")
	require.Len(t, settled, 1)
	require.Equal(t, events.PointsSettled{CustomerID: b.ada.ID, OrderID: placed.ID, Spent: 50, Earned: 2}, shoptest.EventOf(t, settled[0]))
	require.Equal(t, []string{"hold", "spend", "earn"}, b.kinds(placed.ID))
	b.check()
}

func TestSettlesAnOrderOnce_PTS_14(t *testing.T) {
	t.Parallel()
	b := setup(t, 50)
	placed := b.buy(3, 50, "")
	completed := shoptest.EventOf(t, b.Emitted(t, placed.ID, "order.completed")[0])
	for range 5 {
		require.Empty(t, b.Send(t, name, completed), "under another id")
	}
	require.Equal(t, []string{"hold", "spend", "earn"}, b.kinds(placed.ID))
	b.check()
}

func TestGuestsEarnNothing_PTS_16(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	guest := b.SignIn(t, token.Guest)
	for _, headers := range [][]string{nil, {"Authorization", guest.Bearer}} {
		placed := b.Place(t, shoptest.Order(shoptest.Of(shoptest.Cup, 3)), headers...)
		b.AwaitStatus(t, placed.ID, "")
		require.Equal(t, "completed", b.Status(t, placed.ID))
	}
	require.Zero(t, shoptest.Scalar[int](t, b.Shop, `SELECT count(*) FROM points.entries`))
	b.check()
}

// refund delivers a refund of a completed order.
func (b *bundle) refund(placed shoptest.Placed, amount, inAll int64) []events.Event {
	return b.Send(b.t, name, events.PaymentRefunded{
		PaymentID: uuid.NewString(), OrderID: placed.ID, RefundID: uuid.NewString(), AmountMinor: amount, RefundedMinor: inAll, Currency: "JPY",
	})
}

func TestRefundTakesBackWhatWasEarned_PTS_07(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	placed := b.buy(5, 0, "") // 5,500
	require.EqualValues(t, 5, b.points().Available)
	b.buy(1, 4, "confirmed")
	require.Equal(t, shoptest.Points{Available: 1, Held: 4, Pending: 1}, b.points())

	reclaimed := b.refund(placed, 5500, 5500)
	require.Equal(t, []events.Event{events.PointsReclaimed{CustomerID: b.ada.ID, OrderID: placed.ID, Points: 5, Debt: 4}}, reclaimed)
	require.Equal(t, shoptest.Points{Held: 4, Debt: 4, Pending: 1}, b.points())
	b.GivePoints(t, b.ada.ID, 10)
	require.Equal(t, shoptest.Points{Available: 6, Held: 4, Pending: 1}, b.points(), "what comes in pays the debt")
	b.check()
}

// PTS-07: money that did not pay for the order, such as a second payment, reclaims nothing.
func TestRefundOfSuspenseReclaimsNothing_PTS_07(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	placed := b.buy(5, 0, "") // 5,500
	require.Len(t, b.refund(placed, 2500, 2500), 1)
	before := b.points()
	require.Empty(t, b.Send(t, name, events.PaymentRefunded{
		PaymentID: uuid.NewString(), OrderID: placed.ID, RefundID: uuid.NewString(), AmountMinor: 5500, RefundedMinor: 2500, Currency: "JPY",
		Suspense: "double",
	}))
	require.Equal(t, before, b.points())
	b.check()
}

func TestRefundsInPartReclaimInProportion_PTS_07(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	placed := b.buy(5, 0, "")
	var all int64
	for _, amount := range []int64{100, 2000, 3400} {
		all += amount
		b.refund(placed, amount, all)
	}
	require.Equal(t, shoptest.Points{}, b.points())
	b.check()
}

// PTS-07: whichever is handled first.
func TestRefundBeforeTheOrderIsSettled_PTS_07(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	placed := b.buy(5, 0, "completed")
	require.Len(t, b.refund(placed, 5500, 5500), 1)
	require.EqualValues(t, 5, b.points().Debt)
	b.AwaitStatus(t, placed.ID, "")
	require.Equal(t, shoptest.Points{}, b.points())
	b.check()
}

func TestRefundOfACancelledOrderReclaimsNothing_PTS_06(t *testing.T) {
	t.Parallel()
	b := setup(t, 50)
	placed := b.buy(3, 50, "confirmed")
	b.ChangeOrder(t, placed.ID, "deadline = deadline")
	withdrawn := b.cancel(placed)
	b.AwaitStatus(t, placed.ID, "")
	require.Equal(t, "cancelled", b.Status(t, placed.ID))
	require.Equal(t, shoptest.Points{Available: 50}, b.points())
	require.Empty(t, b.Send(t, "return-points", withdrawn), "under another id")
	require.Equal(t, shoptest.Points{Available: 50}, b.points())
	require.Equal(t, []string{"hold", "release"}, b.kinds(placed.ID))
	b.check()
}

func TestPointsRunOut_PTS_12(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, func(s *functions.Settings) { s.PointsLife = 2 * time.Second })
	b.buy(1, 30, "confirmed") // the oldest first
	b.expire(time.Minute)
	b.GivePoints(t, b.ada.ID, 10) // a new lot
	require.Equal(t, shoptest.Points{Available: 10, Held: 30, Pending: 0}, b.points())

	due := b.due()
	require.Len(t, due, 1)
	require.Equal(t, events.PointsLapsed{CustomerID: b.ada.ID, Points: 70, EntryID: due[0].EntryID}, b.Send(t, name, due[0])[0])
	require.Empty(t, b.Send(t, name, due[0]), "under another id")
	require.Equal(t, shoptest.Points{Available: 10, Held: 30}, b.points())
	b.check()
}

// PTS-12: what runs out while it is held runs out when it comes back.
func TestReturnedPointsKeepTheirTime_PTS_12(t *testing.T) {
	t.Parallel()
	b := setup(t, 100)
	placed := b.buy(1, 30, "confirmed")
	b.expire(time.Minute)
	b.Send(t, name, b.due()[0])
	require.Equal(t, shoptest.Points{Held: 30}, b.points())
	b.cancel(placed)
	b.AwaitStatus(t, placed.ID, "")
	require.Equal(t, shoptest.Points{}, b.points())
	require.Equal(t, events.PointsLapsed{CustomerID: b.ada.ID, Points: 30, EntryID: b.due()[0].EntryID}, b.Send(t, name, b.due()[0])[0])
	b.check()
}

// expire lets all lots have run out some time ago.
func (b *bundle) expire(ago time.Duration) {
	b.Exec(b.t, `UPDATE points.lots SET expires_at = now() - $1::interval`, ago)
}

// due returns the ticks of the points that have run out and are not handled.
func (b *bundle) due() (all []events.PointsDue) {
	rows, err := b.Pool.Query(b.t.Context(), `SELECT customer_id::text, entry_id::text FROM points.lots WHERE expires_at <= now()`)
	require.NoError(b.t, err)
	defer rows.Close()
	for rows.Next() {
		var due events.PointsDue
		require.NoError(b.t, rows.Scan(&due.CustomerID, &due.EntryID))
		all = append(all, due)
	}
	return all
}

// cancel cancels an order as its customer, and returns the event of that.
func (b *bundle) cancel(placed shoptest.Placed) events.Event {
	b.t.Helper()
	a := b.Call(b.t, "serve-orders", "POST", "/v1/orders/"+placed.ID+"/cancel", map[string]string{"reason": ""},
		"Idempotency-Key", uuid.NewString(), "Prefer", "wait=0", "Authorization", b.ada.Bearer)
	require.Equal(b.t, 202, a.Status, a.Raw)
	return shoptest.EventOf(b.t, b.Emitted(b.t, placed.ID, "order.withdrawn")[0])
}

// An account that is closed before its last order is settled holds nothing afterwards.
func TestClosedAccountSpendsAndEarnsNothing_PTS_05(t *testing.T) {
	t.Parallel()
	b := setup(t, 50)
	placed := b.buy(3, 50, "completed")
	b.Exec(t, `DELETE FROM accounts.sessions`)
	b.Exec(t, `UPDATE accounts.users SET email = '', name = '', phone = '', active = false, closed_at = now() WHERE user_id = $1`, b.ada.ID)
	b.AwaitStatus(t, placed.ID, "")
	require.Equal(t, []string{"hold", "spend"}, b.kinds(placed.ID))
	b.check()
}
