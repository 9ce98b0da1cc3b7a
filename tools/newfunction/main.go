// Command newfunction writes a new function: its package with a test and manifest, its program, its event type with a
// sample, and the entries in the lists. Run it in the project's root, through make function.
package main

import (
	"bytes"
	"embed"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/popup-shop/popup/events"
)

//go:embed *.tmpl
var templates embed.FS

func main() {
	name := flag.String("name", "", "name of the function: verb-noun")
	on := flag.String("on", "", "type of the event that it consumes, such as order.completed")
	emits := flag.String("emits", "", "type of the new event that it emits: noun.participle")
	flag.Parse()
	if err := run(*name, *on, *emits); err != nil {
		fmt.Fprintln(os.Stderr, "newfunction:", err)
		os.Exit(1)
	}
}

func run(name, on, emits string) error {
	p, err := newPlan(name, on, emits)
	if err != nil {
		return err
	}
	for _, file := range p.files() {
		if err := p.write(file.template, file.path); err != nil {
			return err
		}
	}
	if err := p.addEvent(); err != nil {
		return err
	}
	return p.addToLists()
}

// plan is what the templates need.
type plan struct {
	Name, Package, File string // thank-customer, thankcustomer, thank_customer
	On, OnType          string // order.completed, OrderCompleted
	Emits, EmitsType    string // customer.thanked, CustomerThanked
	Noun                string // customer
	HasOrder            bool   // the consumed event is about an order
	OrderID             string // in the samples
}

var (
	nameForm  = regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`)
	eventForm = regexp.MustCompile(`^[a-z]+\.[a-z]+$`)
)

func newPlan(name, on, emits string) (plan, error) {
	consumed, known := events.ByType(on)
	_, exists := events.ByType(emits)
	switch {
	case !nameForm.MatchString(name):
		return plan{}, fmt.Errorf("NAME=%s: must be verb-noun, in lower case", name)
	case !known:
		return plan{}, fmt.Errorf("ON=%s: there is no such event in events/", on)
	case !eventForm.MatchString(emits):
		return plan{}, fmt.Errorf("EMITS=%s: must be noun.participle, in lower case", emits)
	case exists:
		return plan{}, fmt.Errorf("EMITS=%s: the event exists already", emits)
	}
	if _, err := os.Stat(filepath.Join("functions", name)); err == nil {
		return plan{}, fmt.Errorf("NAME=%s: the function exists already", name)
	}
	noun, _, _ := strings.Cut(emits, ".")
	_, hasOrder := reflect.TypeOf(consumed).FieldByName("OrderID")
	return plan{
		Name: name, Package: strings.ReplaceAll(name, "-", ""), File: strings.ReplaceAll(name, "-", "_"),
		On: on, OnType: reflect.TypeOf(consumed).Name(), Emits: emits, EmitsType: typeName(emits),
		Noun: noun, HasOrder: hasOrder, OrderID: "019c1363-49c0-73ee-b7e9-6e59ce40f9cb",
	}, nil
}

// typeName returns the Go name of an event type: "customer.thanked" is CustomerThanked.
func typeName(eventType string) (name string) {
	for part := range strings.SplitSeq(eventType, ".") {
		name += strings.ToUpper(part[:1]) + part[1:]
	}
	return name
}

type file struct{ template, path string }

func (p plan) files() []file {
	folder := filepath.Join("functions", p.Name)
	return []file{
		{"function.go.tmpl", filepath.Join(folder, p.File+".go")},
		{"function_test.go.tmpl", filepath.Join(folder, p.File+"_test.go")},
		{"service.yaml.tmpl", filepath.Join(folder, "service.yaml")},
		{"main.go.tmpl", filepath.Join("cmd", p.Name, "main.go")},
		{"sample.json.tmpl", filepath.Join("events", "testdata", p.Emits+".json")},
	}
}

// write executes a template into a file.
func (p plan) write(name, path string) error {
	content, err := p.execute(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}

func (p plan) execute(name string) ([]byte, error) {
	t, err := template.ParseFS(templates, name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".go.tmpl") {
		return format.Source(b.Bytes())
	}
	return b.Bytes(), nil
}

// addEvent appends the event type to the file of its noun.
func (p plan) addEvent() error {
	declaration, err := p.execute("event.go.tmpl")
	if err != nil {
		return err
	}
	path := filepath.Join("events", p.Noun+"s.go")
	content, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return os.WriteFile(path, declaration, 0o644)
	}
	if err != nil {
		return err
	}
	_, body, _ := strings.Cut(string(declaration), "package events\n")
	return os.WriteFile(path, append(content, body...), 0o644)
}

// addToLists adds the function to functions.go and kustomization.yaml, and removes the mark of a consumed event that
// had no consumer.
func (p plan) addToLists() error {
	imported := fmt.Sprintf("\t%s \"github.com/popup-shop/popup/functions/%s\"\n", p.Package, p.Name)
	return errors.Join(
		insert("functions/functions.go", "\t\"github.com/popup-shop/popup/internal/function\"\n", imported),
		insert("functions/functions.go", "\t}\n}\n", "\t\t"+p.Package+".New(),\n"),
		insert("functions/kustomization.yaml", "  - tidy-shop/service.yaml\n", "  - "+p.Name+"/service.yaml\n"),
		p.markConsumed(),
	)
}

// insert puts text before the last occurrence of a line in a file.
func insert(path, before, text string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := strings.LastIndex(string(content), before)
	if at < 0 {
		return fmt.Errorf("%s has no line %q", path, strings.TrimSpace(before))
	}
	return os.WriteFile(path, slices.Concat(content[:at], []byte(text), content[at:]), 0o644)
}

// markConsumed removes "unconsumed" and "unpublished" from the type of the consumed event.
func (p plan) markConsumed() error {
	paths, err := filepath.Glob("events/*.go")
	if err != nil {
		return err
	}
	mark := regexp.MustCompile(`(type ` + p.OnType + ` struct \{\n)\tun(consumed|published)\n`)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !mark.Match(content) {
			continue
		}
		if err := os.WriteFile(path, mark.ReplaceAll(content, []byte("$1")), 0o644); err != nil {
			return err
		}
	}
	return nil
}
