package office

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
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

func functionColumns(v *ui.View) []table.Column[client.Function] {
	return []table.Column[client.Function]{
		table.Column[client.Function]{Key: "step.function", Head: true, Text: func(f client.Function) string { return f.Name }}.ByText("name"),
		shown(text("functions.consumes", func(f client.Function) string { return joined(f.Consumes...) }),
			func(f client.Function) templ.Component { return consumes(v, f) }),
		shown(text("step.emits", func(f client.Function) string { return joined(f.Emits...) }),
			func(f client.Function) templ.Component { return small(joined(f.Emits...)) }),
		count("functions.handled", "handled", func(f client.Function) int64 { return f.Handled }),
		count("functions.emitted", "emitted", func(f client.Function) int64 { return f.Emitted }),
		shown(count("functions.waiting", "waiting", func(f client.Function) int64 { return f.Waiting }),
			func(f client.Function) templ.Component { return waiting(f) }),
		shown(count("functions.errors", "errors", func(f client.Function) int64 { return f.Errors }),
			func(f client.Function) templ.Component { return failures(f) }),
		shown(text("functions.last", lastRun).ByText("last"), func(f client.Function) templ.Component { return ranLast(v, f) }),
	}
}

func lastRun(f client.Function) string {
	if f.LastRun == nil {
		return ""
	}
	return f.LastRun.UTC().Format(time.DateTime)
}

func functions(r *page.Request) error {
	found, err := r.API.ListFunctions(r.Context())
	if err != nil {
		return err
	}
	t := table.Table[client.Function]{Key: "engine.tab.functions", Columns: functionColumns(r.View)}
	t.Hold(r, "", found.Items)
	return t.Show(r, functionsPage(r.View, t))
}

func deadLetterColumns(v *ui.View) []table.Column[client.DeadLetter] {
	return []table.Column[client.DeadLetter]{
		linked("step.event", func(l client.DeadLetter) string { return nonempty(l.Type) },
			func(l client.DeadLetter) string { return "/office/engine/dead-letters/" + decimal(l.ID) }),
		text("step.function", func(l client.DeadLetter) string { return l.Function }),
		shown(text("dead-letters.reason", func(l client.DeadLetter) string { return l.Reason }),
			func(l client.DeadLetter) templ.Component { return small(l.Reason) }),
		number("dead-letters.attempts", func(l client.DeadLetter) int64 { return l.Attempts }),
		moment(v, "orders.when", func(l client.DeadLetter) time.Time { return l.StoredAt }).Sorted("stored_at"),
	}
}

func deadLetters(r *page.Request) error {
	t := table.Table[client.DeadLetter]{Key: "engine.tab.dead-letters", Columns: deadLetterColumns(r.View)}
	err := t.Read(r, "stored_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.DeadLetter], error) {
		return r.API.ListDeadLetters(ctx, client.ListDeadLettersQuery{
			Paging: paging, Sort: sort, Function: r.FormValue("function"), Type: r.FormValue("type"),
		})
	})
	if err != nil {
		return err
	}
	return t.Show(r, deadLettersPage(r.View, t))
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

func checkColumns() []table.Column[client.Check] {
	return []table.Column[client.Check]{
		text("checks.domain", func(c client.Check) string { return c.Domain }).ByText("domain"),
		shown(text("checks.promise", func(c client.Check) string { return c.Promise }).ByText("promise"),
			func(c client.Check) templ.Component { return english(c.Promise) }),
		shown(count("checks.broken", "broken", func(c client.Check) int64 { return c.Broken }),
			func(c client.Check) templ.Component { return broken(c) }),
	}
}

func checks(r *page.Request) error {
	found, err := r.API.RunChecks(r.Context())
	if err != nil {
		return err
	}
	t := table.Table[client.Check]{Key: "engine.tab.checks", Columns: checkColumns()}
	t.Hold(r, "", found.Items)
	return t.Show(r, checksPage(r.View, t, found.AsOf))
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
