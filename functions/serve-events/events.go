package serveevents

import (
	"context"
	"time"

	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/eventstore"
	"github.com/popup-shop/popup/internal/eventview"
	"github.com/popup-shop/popup/internal/problem"
	"github.com/popup-shop/popup/internal/web"
)

// orderReaders admits the customer of an order, staff, and callers with its token.
var orderReaders = access.Any(access.Customer, access.OrderToken)

const (
	eventStreamDoc = "The id of each message is its sequence: a request with Last-Event-ID, or the parameter after, goes on after " +
		"that event, without gap or repeat. Without both the stream begins with new events. It ends with the access token."
	orderStreamDoc = "The first message is the current version of the order; each further one is a new version, with that version as its " +
		"id. A request with Last-Event-ID gets all versions after that one."
)

// EventsRequest selects a page of the log.
type EventsRequest struct {
	eventview.Filter
	After string `query:"after" maxLength:"80" doc:"The sequence after which the page begins, in the order of the page."`
	Sort  string `query:"sort" enum:"sequence,-sequence" default:"sequence"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"20" doc:"Events per page; a page has at most 100."`
	Wait  int    `query:"wait" minimum:"0" maximum:"10" doc:"How many seconds to wait for an event if there is none, oldest first."`
}

// EventsAnswer is a page of the log.
type EventsAnswer struct {
	Body struct {
		Items []eventview.Event `json:"items" nullable:"false"`
		Next  string            `json:"next,omitempty" doc:"The parameter after of the next page. Newest first, it is left out at the beginning of the log."`
		More  bool              `json:"more" doc:"Whether the next page may have events now. A page may have fewer than its limit, or none, although there are more."`
	}
}

// EventStreamRequest opens a stream of events.
type EventStreamRequest struct {
	eventview.Filter
	After       string `query:"after" maxLength:"80" doc:"The sequence after which the stream begins."`
	LastEventID string `header:"Last-Event-ID" maxLength:"80" doc:"The sequence of the last event that was received."`
}

// OrderStreamRequest opens a stream of the changes of an order.
type OrderStreamRequest struct {
	ID          string `path:"id" maxLength:"100" doc:"Id or number of the order."`
	OrderToken  string `header:"Popup-Order-Token" maxLength:"100" doc:"For guests: gives access to this order."`
	LastEventID string `header:"Last-Event-ID" maxLength:"20" doc:"The last version that was received."`
}

// waitPoll is the pause between two looks for an event that a request waits for.
const waitPoll = 200 * time.Millisecond

func listEvents(ctx context.Context, db web.Reader, in *EventsRequest) (*EventsAnswer, error) {
	query, p := in.Query()
	if p != nil {
		return nil, p
	}
	var err error
	if query.After, err = eventstore.ParsePosition(in.After); err != nil {
		return nil, problem.Invalid(problem.FieldError{Field: "after", Message: err.Error()})
	}
	query.Backward, query.Limit = in.Sort == "-sequence", min(in.Limit, web.MaxLimit)
	page, err := awaitPage(ctx, db, query, time.Duration(in.Wait)*time.Second)
	if err != nil {
		return nil, err
	}
	answer := &EventsAnswer{}
	answer.Body.Items = make([]eventview.Event, len(page.Entries))
	for i, e := range page.Entries {
		answer.Body.Items[i] = eventview.Of(e)
	}
	answer.Body.Next, answer.Body.More = page.Next.String(), page.More
	return answer, nil
}

// awaitPage returns a page as soon as it has an event, or when the time is up.
func awaitPage(ctx context.Context, db web.Reader, q eventstore.LogQuery, atMost time.Duration) (page eventstore.LogPage, err error) {
	for until := time.Now().Add(atMost); ; {
		page, err = eventstore.ReadLog(ctx, db, q)
		if err != nil || len(page.Entries) > 0 || q.Backward || !time.Now().Before(until) {
			return page, err
		}
		q.After = page.Next
		if page.More {
			continue
		}
		select {
		case <-time.After(waitPoll):
		case <-ctx.Done():
			return page, ctx.Err()
		}
	}
}
