// Package printer prints what a command found: as aligned columns for people, or as JSON or CSV for programs. Names and texts come
// from customers and other shops, so no character of theirs controls the terminal: these are shown as escapes.
package printer

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"

	"github.com/popup-shop/popup/internal/tablecell"
)

// Format is how a command prints. The zero value is text for people.
type Format struct {
	JSON bool `name:"json" xor:"format" help:"Print JSON."`
	CSV  bool `name:"csv" xor:"format" help:"Print a list as CSV."`
}

// ErrNoCSV means that CSV was asked for where there is no list.
var ErrNoCSV = errors.New("--csv prints lists only; use --json")

// Printer prints to one writer.
type Printer struct {
	out      io.Writer
	format   Format
	terminal bool
	bold     bool
}

// New returns a printer to a file. Headings are bold if it is a terminal and NO_COLOR is not set.
func New(out *os.File, format Format) *Printer {
	terminal := term.IsTerminal(int(out.Fd()))
	bold := terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &Printer{out: out, format: format, terminal: terminal, bold: bold}
}

// To returns a printer to a writer that is no terminal.
func To(out io.Writer, format Format) *Printer { return &Printer{out: out, format: format} }

// JSON reports whether the output is JSON.
func (p *Printer) JSON() bool { return p.format.JSON }

// Whole reports whether the output is one JSON value or one CSV table.
func (p *Printer) Whole() bool { return p.format.JSON || p.format.CSV }

// Column is a column of a list. Its name is in the form of the API, such as created_at; tables show it in capitals.
type Column[T any] struct {
	Name string
	Cell func(T) any
}

// List prints items in columns, or whole as a JSON list.
func List[T any](p *Printer, items []T, columns ...Column[T]) error {
	if p.format.JSON {
		if items == nil {
			items = []T{}
		}
		return p.json(items)
	}
	rows := make([][]string, 1, len(items)+1)
	for _, column := range columns {
		rows[0] = append(rows[0], column.Name)
	}
	for _, item := range items {
		row := make([]string, len(columns))
		for i, column := range columns {
			row[i] = p.text(column.Cell(item))
		}
		rows = append(rows, row)
	}
	if p.format.CSV {
		return p.csv(rows)
	}
	return p.table(rows)
}

// Field is a line of an object's text.
type Field struct {
	Name  string
	Value any
}

// Object prints fields one below the other, or the whole value as JSON. Fields without a value are left out.
func (p *Printer) Object(value any, fields ...Field) error {
	switch {
	case p.format.JSON:
		return p.json(value)
	case p.format.CSV:
		return ErrNoCSV
	}
	width := 0
	for _, field := range fields {
		width = max(width, len(field.Name))
	}
	var out strings.Builder
	for _, field := range fields {
		if text := p.text(field.Value); text != "" {
			fmt.Fprintf(&out, "%-*s  %s\n", width, field.Name, Visible(text))
		}
	}
	return p.write(out.String())
}

// Done prints a sentence about what a command did, or what it changed as JSON.
func (p *Printer) Done(value any, format string, args ...any) error {
	switch {
	case p.format.JSON:
		return p.json(value)
	case p.format.CSV:
		return ErrNoCSV
	}
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = Visible(text)
		}
	}
	return p.write(fmt.Sprintf(format, args...) + "\n")
}

// Line prints a value as one line of JSON, or the text. It is for output that has no end.
func (p *Printer) Line(value any, text string) error {
	switch {
	case p.format.CSV:
		return ErrNoCSV
	case !p.format.JSON:
		return p.write(Visible(text) + "\n")
	}
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return p.write(visibleJSON(string(line)) + "\n")
}

func (p *Printer) write(text string) error {
	if _, err := io.WriteString(p.out, text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func (p *Printer) json(value any) error {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return p.write(visibleJSON(out.String()))
}

// csv writes rows as they are into a file or a pipe, and without control characters to a terminal. A text that a spreadsheet
// would compute has an apostrophe before it.
func (p *Printer) csv(rows [][]string) error {
	w := csv.NewWriter(p.out)
	for _, row := range rows {
		for i, cell := range row {
			if p.terminal {
				cell = Visible(cell)
			}
			row[i] = tablecell.Harmless(cell)
		}
		_ = w.Write(row) // Error returns the error
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// table writes rows below their heads, as wide as they are on the screen.
func (p *Printer) table(rows [][]string) error {
	var widths []int
	for y, row := range rows {
		for x := range row {
			row[x] = Visible(row[x])
			if y == 0 {
				row[x] = strings.ToUpper(row[x])
				widths = append(widths, 0)
			}
			widths[x] = max(widths[x], runewidth.StringWidth(row[x]))
		}
	}
	var out strings.Builder
	for y, row := range rows {
		line := aligned(row, widths)
		if y == 0 && p.bold {
			line = "\x1b[1m" + line + "\x1b[0m"
		}
		out.WriteString(line + "\n")
	}
	return p.write(out.String())
}

func aligned(row []string, widths []int) string {
	var line strings.Builder
	for x, cell := range row {
		line.WriteString(cell + strings.Repeat(" ", widths[x]-runewidth.StringWidth(cell)+2))
	}
	return strings.TrimRight(line.String(), " ")
}

// text returns a value as people read it: local time in a table, UTC in CSV, and nothing for a nil pointer.
func (p *Printer) text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case time.Time:
		return p.time(v)
	case *time.Time:
		if v == nil {
			return ""
		}
		return p.time(*v)
	case *int64:
		if v == nil {
			return ""
		}
		return fmt.Sprint(*v)
	case []string:
		return strings.Join(v, ", ")
	default:
		return fmt.Sprint(v)
	}
}

func (p *Printer) time(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case p.format.CSV:
		return t.UTC().Format(time.RFC3339)
	default:
		return t.Local().Format(time.DateTime)
	}
}
