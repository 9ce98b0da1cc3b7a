package contract

import (
	"cmp"
	"slices"

	"github.com/popup-shop/popup/internal/function"
)

// declaration is what starts a function, and the events that it consumes and emits.
type declaration struct {
	Name      string   `json:"name"`
	StartedBy string   `json:"started_by"` // events, schedule, dead letters or requests
	Consumes  []string `json:"consumes"`
	Emits     []string `json:"emits"`
}

// declarations lists the functions by name.
func declarations(functions []function.Function) ([]byte, error) {
	all := []declaration{}
	for _, f := range functions {
		d := declaration{Name: f.Name, StartedBy: startedBy(f), Consumes: []string{}, Emits: []string{}}
		for _, h := range f.On {
			d.Consumes = append(d.Consumes, h.Event.EventType())
		}
		for _, e := range f.Emits {
			d.Emits = append(d.Emits, e.EventType())
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b declaration) int { return cmp.Compare(a.Name, b.Name) })
	return indented(all)
}

func startedBy(f function.Function) string {
	switch {
	case f.Schedule != nil || f.Maintenance != nil:
		return "schedule"
	case f.DeadLetters != nil:
		return "dead letters"
	case len(f.On) > 0:
		return "events"
	}
	return "requests"
}
