package reference

import (
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/schemas"
)

func showEvents(r *page.Request) error { return r.Show(eventsPage(r.View, catalogue())) }

// noun is the events about one thing.
type noun struct {
	name   string
	events []event
}

// event is a fact that the shop publishes or stores.
type event struct {
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Properties  map[string]property `json:"properties"`
	Required    []string            `json:"required"`
	Examples    []json.RawMessage   `json:"examples"`

	emitters, consumers []string
}

// property is a field of an event.
type property struct {
	Type        any    `json:"type"`
	Format      string `json:"format"`
	Description string `json:"description"`
}

// handler is a function that emits or consumes events.
type handler struct {
	Name     string   `json:"name"`
	Consumes []string `json:"consumes"`
	Emits    []string `json:"emits"`
}

// fields returns the names of the fields, in their order.
func (e event) fields() []string { return slices.Sorted(maps.Keys(e.Properties)) }

// kind returns the type of a field, with its format.
func (p property) kind() string {
	text, ok := p.Type.(string)
	if !ok {
		encoded, _ := json.Marshal(p.Type)
		text = string(encoded)
	}
	if p.Format != "" {
		return text + " (" + p.Format + ")"
	}
	return text
}

func (e event) requires(field string) bool { return slices.Contains(e.Required, field) }

// example returns data of an event, to read.
func (e event) example() string {
	if len(e.Examples) == 0 {
		return ""
	}
	indented, err := json.MarshalIndent(e.Examples[0], "", "  ")
	if err != nil {
		return string(e.Examples[0])
	}
	return string(indented)
}

// catalogue returns all events by what they are about. It panics if the schemas can't be read.
var catalogue = sync.OnceValue(func() []noun {
	var handlers []handler
	mustRead("functions.json", &handlers)
	files, err := schemas.Files.ReadDir("events")
	if err != nil {
		panic(err)
	}
	byNoun := map[string][]event{}
	for _, file := range files {
		var e event
		mustRead(path.Join("events", file.Name()), &e)
		for _, h := range handlers {
			if slices.Contains(h.Emits, e.Title) {
				e.emitters = append(e.emitters, h.Name)
			}
			if slices.Contains(h.Consumes, e.Title) {
				e.consumers = append(e.consumers, h.Name)
			}
		}
		name, _, _ := strings.Cut(e.Title, ".")
		byNoun[name] = append(byNoun[name], e)
	}
	var all []noun
	for _, name := range slices.Sorted(maps.Keys(byNoun)) {
		all = append(all, noun{name, byNoun[name]})
	}
	return all
})

func mustRead(name string, into any) {
	text, err := schemas.Files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		panic(err)
	}
}
