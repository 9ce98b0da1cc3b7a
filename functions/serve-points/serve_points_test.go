package servepoints_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/shoptest"
	"github.com/popup-shop/popup/internal/token"
)

const name = "serve-points"

func adjust(t *testing.T, shop *shoptest.Shop, bearer, customerID string, points int64, reason string) shoptest.Response {
	t.Helper()
	return shop.Call(t, name, http.MethodPost, "/v1/points/adjustments",
		map[string]any{"customer_id": customerID, "points": points, "reason": reason}, "Authorization", bearer, "Idempotency-Key", uuid.NewString())
}

func entries(t *testing.T, shop *shoptest.Shop, query string, p shoptest.Person) []any {
	t.Helper()
	a := shop.Call(t, name, http.MethodGet, "/v1/points/entries"+query, nil, "Authorization", p.Bearer)
	require.Equal(t, http.StatusOK, a.Status, a.Raw)
	return a.Body["items"].([]any)
}

func TestBalanceAgreesWithTheEntries_PTS_09(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All, func(s *functions.Settings) { s.SimulatedSuccess = 1 })
	ada, eve := shop.SignIn(t, token.Customer), shop.SignIn(t, token.Customer)
	require.Equal(t, shoptest.Points{}, shop.PointsOf(t, ada), "an account without entries")
	shop.GivePoints(t, ada.ID, 50)
	first := shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)).With("points", 20), "Authorization", ada.Bearer)
	shop.AwaitStatus(t, first.ID, "")
	shop.Place(t, shoptest.Order(shoptest.Of(shoptest.Print, 1)).With("points", 10), "Authorization", ada.Bearer) // 119.00
	require.Equal(t, shoptest.Points{Available: 22, Held: 10, Pending: 11}, shop.PointsOf(t, ada))

	var sums [3]float64
	var kinds []any
	for _, entry := range entries(t, shop, "", ada) {
		e := entry.(map[string]any)
		kinds = append(kinds, e["kind"])
		for i, of := range []string{"available", "held", "debt"} {
			sums[i] += e[of].(float64)
		}
		if e["kind"] != "adjust" {
			require.Contains(t, e["order_number"], "ORD-")
		}
	}
	require.Equal(t, [3]float64{22, 10, 0}, sums)
	require.Equal(t, []any{"hold", "earn", "spend", "hold", "adjust"}, kinds, "PTS-10: the newest first")
	require.Len(t, entries(t, shop, "?limit=2&page=3", ada), 1)
	require.Empty(t, entries(t, shop, "", eve))
}

func TestOnlyStaffReadsPointsOfOthers_ACC_21(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	ada, eve, staff := shop.SignIn(t, token.Customer), shop.SignIn(t, token.Customer), shop.SignIn(t, token.Staff)
	shop.GivePoints(t, ada.ID, 50)
	of := "?customer_id=" + ada.ID
	require.Empty(t, entries(t, shop, of, eve))
	require.Len(t, entries(t, shop, of, staff), 1)
	for p, want := range map[*shoptest.Person]float64{&eve: 0, &staff: 50} {
		a := shop.Call(t, name, http.MethodGet, "/v1/points"+of, nil, "Authorization", p.Bearer)
		require.Equal(t, want, a.Body["available"], a.Raw)
	}
}

func TestStaffAdjustsPoints_PTS_13(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	ada, staff := shop.SignIn(t, token.Customer), shop.SignIn(t, token.Staff)
	a := adjust(t, shop, staff.Bearer, ada.ID, 50, "a late parcel")
	require.Equal(t, http.StatusCreated, a.Status, a.Raw)
	require.Equal(t, []any{"adjust", 50.0, "a late parcel"}, []any{a.Body["kind"], a.Body["points"], a.Body["text"]})
	require.NotEmpty(t, a.Body["expires_at"])
	require.Equal(t, http.StatusCreated, adjust(t, shop, staff.Bearer, ada.ID, -20, "a mistake").Status)
	require.Equal(t, shoptest.Points{Available: 30}, shop.PointsOf(t, ada))
	require.Equal(t, staff.ID, shoptest.Scalar[string](t, shop, `SELECT by FROM points.entries WHERE points = 50`))
	require.Equal(t, 2, shoptest.Scalar[int](t, shop, `SELECT count(*) FROM bus.audit WHERE object = 'points ' || $1 AND by::text = $2`, ada.ID, staff.ID))

	below := adjust(t, shop, staff.Bearer, ada.ID, -31, "too much")
	require.Equal(t, []any{http.StatusConflict, "/problems/not-enough-points"}, []any{below.Status, below.Body["type"]}, below.Raw)
	require.Equal(t, http.StatusForbidden, adjust(t, shop, ada.Bearer, ada.ID, 50, "please").Status)
	require.Equal(t, []string{"points"}, adjust(t, shop, staff.Bearer, ada.ID, 0, "nothing").Fields())
	require.Equal(t, []string{"reason"}, adjust(t, shop, staff.Bearer, ada.ID, 1, "").Fields())
	require.Equal(t, []string{"customer_id"}, adjust(t, shop, staff.Bearer, uuid.NewString(), 1, "nobody").Fields())
	require.Equal(t, []string{"customer_id"}, adjust(t, shop, staff.Bearer, shop.SignIn(t, token.Guest).ID, 1, "a guest").Fields())
	require.Equal(t, shoptest.Points{Available: 30}, shop.PointsOf(t, ada))
}

func TestBalanceIsNeverBelowZero_PTS_11(t *testing.T) {
	t.Parallel()
	shop := shoptest.Open(t, functions.All)
	ada := shop.SignIn(t, token.Customer)
	shop.GivePoints(t, ada.ID, 50)
	for _, attack := range []string{
		`UPDATE points.balances SET available = 1000`,
		`INSERT INTO points.balances (customer_id, available) SELECT user_id, 5 FROM accounts.users WHERE role = 'staff'`,
		`DELETE FROM points.balances`,
		`TRUNCATE points.balances CASCADE`,
		`UPDATE points.entries SET points = 1000`,
		`DELETE FROM points.entries`,
		`INSERT INTO points.entries (customer_id, kind, points, reason, by) SELECT customer_id, 'adjust', -51, 'x', 'x' FROM points.balances`,
		`INSERT INTO points.entries (customer_id, kind, points, by) SELECT customer_id, 'hold', 5, 'x' FROM points.balances`,
		`INSERT INTO points.entries (customer_id, kind, points, by) SELECT customer_id, 'earn', -5, 'x' FROM points.balances`,
	} {
		_, err := shop.Pool.Exec(t.Context(), attack)
		require.Error(t, err, attack)
	}
	// What an entry changes is not for those who store it to set.
	shop.Exec(t, `INSERT INTO points.entries (customer_id, kind, points, available, n, reason, by) SELECT customer_id, 'adjust', 1, 999, 7, 'x', 'x' FROM points.balances`)
	require.Equal(t, shoptest.Points{Available: 50}, shop.PointsOf(t, ada), "points without a lot can't be used")
	require.EqualValues(t, 51, shoptest.Scalar[int64](t, shop, `SELECT available FROM points.balances`))
}
