package functions_test

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/shoptest"
)

// API-81, API-83, API-84, API-85, API-96.
func (d *day) staffWatchesTheEngine() {
	ctx, staff := d.t.Context(), d.as("staff")
	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	opened := ok(d.visitor.OpenOrder(ctx, placed.Number, client.OpenOrderRequest{OrderToken: placed.OrderToken}))(d.t)
	require.Equal(d.t, placed.ID, opened.ID)
	listed := ok(staff.ListEvents(ctx, client.ListEventsQuery{OrderID: placed.ID, Wait: 10}))(d.t)
	require.Equal(d.t, "order.placed", listed.Items[0].Type)
	dead := func() int64 {
		return shoptest.Scalar[int64](d.t, d.Shop, `
			INSERT INTO bus.dead_letters (event_id, type, source, consumer, kind, reason, event)
			VALUES ($1, 'order.placed', '', 'send-email', 'poison', 'it is broken', '') RETURNING dead_letter_id`, listed.Items[0].ID)
	}
	id := strconv.FormatInt(dead(), 10)
	require.Equal(d.t, "poison", ok(staff.ListDeadLetters(ctx, client.ListDeadLettersQuery{Function: "send-email"}))(d.t).Items[0].Kind)
	require.Empty(d.t, ok(staff.GetDeadLetter(ctx, id))(d.t).Actions)
	require.NotNil(d.t, ok(staff.RedriveDeadLetter(ctx, id))(d.t).ResolvedAt)
	id = strconv.FormatInt(dead(), 10)
	require.Equal(d.t, "junk", ok(d.as("admin").DiscardDeadLetter(ctx, id, client.DiscardDeadLetterRequest{Note: "junk"}))(d.t).Actions[0].Note)

	d.Exec(d.t, `INSERT INTO mail.mails (mail_id, order_id, kind, status, taken_by) VALUES (gen_random_uuid(), $1, 'payment_paid', 'failed', gen_random_uuid())`, placed.ID)
	mail := ok(staff.ListMails(ctx, client.ListMailsQuery{OrderID: placed.ID}))(d.t).Items[0]
	require.Contains(d.t, ok(staff.GetMail(ctx, mail.ID))(d.t).Subject, placed.Number)
	require.Equal(d.t, mail, ok(staff.SendMail(ctx, mail.ID))(d.t))
	require.NotEmpty(d.t, ok(staff.GetMailSamples(ctx))(d.t).Items)

	require.NotEmpty(d.t, ok(staff.ListFunctions(ctx))(d.t).Items)
	require.NotEmpty(d.t, ok(staff.GetFlow(ctx, client.GetFlowQuery{}))(d.t).Emitted)
	require.NotEmpty(d.t, ok(staff.RunChecks(ctx))(d.t).Items)
	bearer := []string{"Authorization", d.Staff(d.t)}
	require.Contains(d.t, d.firstLine("/v1/events/stream?order_id="+placed.ID, bearer...), "retry:")
	require.Contains(d.t, d.firstLine("/v1/orders/"+placed.ID+"/stream", "Popup-Order-Token", placed.OrderToken), "retry:")
}

// firstLine opens a stream and returns its first line.
func (d *day) firstLine(path string, headers ...string) string {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.address+path, nil)
	require.NoError(d.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	require.NoError(d.t, err)
	defer response.Body.Close()
	operation := shoptest.CheckResponse(d.t, r, response.StatusCode, response.Header, nil)
	d.answered[operation] = response.StatusCode == http.StatusOK
	line, err := bufio.NewReader(response.Body).ReadString('\n')
	require.NoError(d.t, err)
	return strings.TrimSpace(line)
}
