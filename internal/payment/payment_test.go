package payment_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/popup-shop/popup/internal/id"
	"github.com/popup-shop/popup/internal/money"
	"github.com/popup-shop/popup/internal/payment"
)

const root = "019c1363-49c0-73ee-b7e9-6e59ce40f9cb"

// request is the request for the payment of the nth order.
func request(t *testing.T, n int) payment.Request {
	t.Helper()
	orderID, err := id.Derive("test", root, fmt.Sprint("order ", n))
	require.NoError(t, err)
	return payment.Request{
		PaymentID: fmt.Sprint("payment ", n), OrderID: orderID, Amount: money.Amount{Minor: 4970, Currency: "JPY"},
	}
}

// paid counts how many of 1,000 orders are paid with a chance.
func paid(t *testing.T, chance float64) (count int) {
	t.Helper()
	for n := range 1000 {
		opened, err := payment.Simulated{Success: chance}.Open(t.Context(), "key", request(t, n))
		require.NoError(t, err)
		if opened.Outcome == payment.Paid {
			count++
		}
	}
	return count
}

func TestTheChanceIsThatOfTheSetting(t *testing.T) {
	t.Parallel()
	require.Zero(t, paid(t, 0))
	require.Equal(t, 1000, paid(t, 1))
	likely := paid(t, 0.9)
	require.GreaterOrEqual(t, likely, 870)
	require.LessOrEqual(t, likely, 930)
}

func TestTheDrawOfAnOrderIsTheSameOnEveryAttempt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		provider := payment.Simulated{Success: rapid.Float64Range(0, 1).Draw(rt, "chance")}
		of := request(t, rapid.IntRange(0, 999).Draw(rt, "order"))
		first, err := provider.Open(t.Context(), "one key", of)
		require.NoError(rt, err)
		again, err := payment.Simulated{Success: provider.Success}.Open(t.Context(), "another key", of)
		require.NoError(rt, err)
		require.Equal(rt, first, again)
	})
}

func TestAnOrderThatIsPaidStaysSoWithABetterChance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		of := request(t, rapid.IntRange(0, 999).Draw(rt, "order"))
		worse := rapid.Float64Range(0, 1).Draw(rt, "worse")
		better := rapid.Float64Range(worse, 1).Draw(rt, "better")
		before, err := payment.Simulated{Success: worse}.Open(t.Context(), "", of)
		require.NoError(rt, err)
		after, err := payment.Simulated{Success: better}.Open(t.Context(), "", of)
		require.NoError(rt, err)
		require.False(rt, before.Outcome == payment.Paid && after.Outcome != payment.Paid)
	})
}

func TestASimulatedPaymentIsPaidOrDeclinedWithAReasonAndNeverOpen(t *testing.T) {
	t.Parallel()
	yes, err := payment.Simulated{Success: 1}.Open(t.Context(), "", request(t, 7))
	require.NoError(t, err)
	require.Equal(t, payment.Opened{Ref: "sim_payment 7", Outcome: payment.Paid}, yes)
	no, err := payment.Simulated{Success: 0}.Open(t.Context(), "", request(t, 7))
	require.NoError(t, err)
	require.Equal(t, payment.Opened{Ref: "sim_payment 7", Outcome: payment.Declined, Reason: "declined"}, no)
}

func TestASimulatedPaymentIsGivenBackAndHasNothingToVoid(t *testing.T) {
	t.Parallel()
	late, err := payment.Simulated{}.Void(t.Context(), "", "sim_1")
	require.NoError(t, err)
	require.False(t, late)
	done, reason, err := payment.Simulated{}.Refund(t.Context(), "", "sim_1", money.Amount{Minor: 1, Currency: "JPY"})
	require.NoError(t, err)
	require.True(t, done)
	require.Empty(t, reason)
}

func TestTheRefundOfTheRestHasOneID(t *testing.T) {
	t.Parallel()
	first, err := payment.WholeRefund(root)
	require.NoError(t, err)
	again, err := payment.WholeRefund(root)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.NotEqual(t, root, first)
	other, err := payment.WholeRefund(request(t, 1).OrderID)
	require.NoError(t, err)
	require.NotEqual(t, first, other)
}

func TestAMethodWithoutAProviderIsAnError(t *testing.T) {
	t.Parallel()
	providers := payment.Providers{"simulated": payment.Simulated{Success: 1}}
	provider, err := providers.For("simulated")
	require.NoError(t, err)
	require.Equal(t, "simulated", provider.Name())
	_, err = providers.For("bitcoin")
	require.ErrorContains(t, err, `"bitcoin"`)
}
