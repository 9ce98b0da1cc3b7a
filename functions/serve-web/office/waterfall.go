package office

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/a-h/templ"
	"github.com/google/uuid"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// placedStep is a step with its place in the chart.
type placedStep struct {
	client.Step
	after    int64  // ms after the first step
	x, width string // in percent of the whole
}

// placed returns steps with their places in a chart that reaches from the first to the end of the last.
func placed(steps []client.Step) []placedStep {
	if len(steps) == 0 {
		return nil
	}
	first, last := steps[0].Start, steps[0].Start
	for _, s := range steps {
		if s.Start.Before(first) {
			first = s.Start
		}
		end := s.Start
		if s.End != nil {
			end = *s.End
		}
		if end.After(last) {
			last = end
		}
	}
	whole := max(float64(last.Sub(first)), 1)
	all := make([]placedStep, len(steps))
	for i, s := range steps {
		width := 1.0
		if s.DurationMS != nil {
			width = max(width, float64(*s.DurationMS)*1e6/whole*100)
		}
		x := min(float64(s.Start.Sub(first))/whole*100, 99)
		all[i] = placedStep{s, s.Start.Sub(first).Milliseconds(), fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", min(width, 100-x))}
	}
	return all
}

// stepColumns returns the columns of the steps of an order. As long as nothing sorts them, they are a tree of cause and effect.
func stepColumns(v *ui.View) []table.Column[placedStep] {
	start := number("step.start", func(s placedStep) int64 { return s.after })
	start.Cell = func(s placedStep) templ.Component { return plainText(v.T("step.ms", s.after)) }
	return []table.Column[placedStep]{
		{Key: "step.function", Head: true, Text: func(s placedStep) string { return s.Function }, Cell: func(s placedStep) templ.Component { return stepName(s) }},
		{Key: "step.event", Text: func(s placedStep) string { return s.Event }, Cell: func(s placedStep) templ.Component { return stepEvent(v, s) }},
		start.By("start", func(a, b placedStep) int { return a.Start.Compare(b.Start) }),
		shown(count("step.took", "took", placedStep.took), func(s placedStep) templ.Component { return stepTook(v, s) }),
		{Key: "step.chart", Cell: func(s placedStep) templ.Component { return stepSpan(s) }},
		shown(text("step.emits", func(s placedStep) string { return joined(s.Emits...) }),
			func(s placedStep) templ.Component { return small(joined(s.Emits...)) }),
	}
}

// took returns how many ms a step took, and 0 for one that has no end.
func (s placedStep) took() int64 {
	if s.DurationMS == nil {
		return 0
	}
	return *s.DurationMS
}

// indented returns JSON on several lines.
func indented(data json.RawMessage) string {
	var out bytes.Buffer
	if json.Indent(&out, data, "", "  ") != nil {
		return string(data)
	}
	return out.String()
}

// newKey returns the key of an action of a form, so that the action is made once however often the form is sent.
func newKey() string { return uuid.NewString() }

// pieces returns how many pieces are in an order.
func pieces(o client.Order) (n int64) {
	for _, line := range o.Lines {
		n += line.Quantity
	}
	return n
}

// nonempty returns a text, or a dash for none.
func nonempty(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
