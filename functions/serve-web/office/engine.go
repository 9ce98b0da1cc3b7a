package office

import (
	"net/url"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

func engineTabs(v *ui.View) (tabs []tab) {
	tabs = []tab{{"/office/engine", v.T("engine.tab.events")}}
	for _, part := range []string{"functions", "dead-letters", "checks", "flow"} {
		tabs = append(tabs, tab{"/office/engine/" + part, v.T("engine.tab." + part)})
	}
	return tabs
}

// eventList is the newest events and what selects them.
type eventList struct {
	client.ListEventsAnswer
	filter client.ListEventsQuery
}

// stream returns the address of the events that follow the list.
func (l eventList) stream() string {
	q := url.Values{}
	for name, value := range map[string]string{
		"type": l.filter.Type, "alias": l.filter.Alias, "order_id": l.filter.OrderID, "consumer": l.filter.Consumer,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(l.Items) > 0 {
		q.Set("after", l.Items[0].Sequence)
	}
	return "/v1/events/stream?" + q.Encode()
}

// onScreen is how many events the page begins with.
const onScreen = 50

// engine shows events as they are emitted.
func engine(r *page.Request) error {
	l := eventList{filter: client.ListEventsQuery{
		Type: r.FormValue("type"), Alias: r.FormValue("alias"), OrderID: r.FormValue("order_id"), Consumer: r.FormValue("consumer"),
		After: r.FormValue("after"), Sort: "-sequence", Limit: onScreen,
	}}
	f, _ := r.Form()
	var err error
	l.ListEventsAnswer, err = r.API.ListEvents(r.Context(), l.filter)
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	return r.Show(enginePage(r.View, l, f))
}

func functions(r *page.Request) error {
	found, err := r.API.ListFunctions(r.Context())
	if err != nil {
		return err
	}
	return r.Show(functionsPage(r.View, found))
}

func deadLetters(r *page.Request) error {
	found, err := r.API.ListDeadLetters(r.Context(), client.ListDeadLettersQuery{
		Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, Function: r.FormValue("function"), Type: r.FormValue("type"),
	})
	if err != nil {
		return err
	}
	return r.Show(deadLettersPage(r.View, found))
}

// deadLetter shows a dead letter, delivers its event again, or discards it with a note.
func deadLetter(r *page.Request) error {
	id := r.PathValue("id")
	f, ok := r.Form()
	if ok {
		var err error
		switch f.Value("act") {
		case "redrive":
			_, err = r.API.RedriveDeadLetter(r.Context(), id)
		case "discard":
			_, err = r.API.DiscardDeadLetter(r.Context(), id, client.DiscardDeadLetterRequest{Note: f.Raw("note")})
		default:
			return page.NotFound()
		}
		if err == nil {
			r.Notify("good", "dead-letter.done")
			return r.SeeOther("/office/engine/dead-letters")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	letter, err := r.API.GetDeadLetter(r.Context(), id)
	if err != nil {
		return err
	}
	return r.Show(deadLetterPage(r.View, letter, f))
}

func checks(r *page.Request) error {
	found, err := r.API.RunChecks(r.Context())
	if err != nil {
		return err
	}
	return r.Show(checksPage(r.View, found))
}

func flow(r *page.Request) error {
	var known client.ListFunctionsAnswer
	var counts client.GetFlowAnswer
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		known, err = r.API.ListFunctions(ctx)
		return err
	})
	period := "hour"
	if r.FormValue("period") == "day" {
		period = "day"
	}
	calls.Go(func() (err error) {
		counts, err = r.API.GetFlow(ctx, client.GetFlowQuery{Period: period})
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	return r.Show(flowPage(r.View, draw(known.Items, counts), counts))
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
