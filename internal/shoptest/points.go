package shoptest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// GivePoints adds points to an account, as staff.
func (s *Shop) GivePoints(t testing.TB, customerID string, points int64) Response {
	t.Helper()
	a := s.Call(t, "serve-points", http.MethodPost, "/v1/points/adjustments",
		map[string]any{"customer_id": customerID, "points": points, "reason": "a gift"}, "Authorization", s.Staff(t), "Idempotency-Key", newID(t))
	require.Equal(t, http.StatusCreated, a.Status, "%s %s", a.Raw, s.Log())
	return a
}

// Points are the figures of a balance.
type Points struct{ Available, Held, Pending, Debt int64 }

// PointsOf reads the balance of a person.
func (s *Shop) PointsOf(t testing.TB, p Person) Points {
	t.Helper()
	a := s.Call(t, "serve-points", http.MethodGet, "/v1/points", nil, "Authorization", p.Bearer)
	require.Equal(t, http.StatusOK, a.Status, "%s %s", a.Raw, s.Log())
	of := func(name string) int64 { return int64(a.Body[name].(float64)) }
	return Points{of("available"), of("held"), of("pending"), of("debt")}
}
