package office

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/client"
)

// placedStep is a step with its place in the chart.
type placedStep struct {
	client.Step
	after    int64  // ms after the first step
	x, width string // in percent of the whole
}

// placed returns steps with their places in a chart that reaches from the first to the end of the last.
func placed(steps []client.Step) []placedStep {
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

func pageNumber(n int64) int64 { return max(n, 1) }

// nonempty returns a text, or a dash for none.
func nonempty(text string) string {
	if text == "" {
		return "–"
	}
	return text
}
