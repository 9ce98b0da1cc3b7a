package office

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/popup-shop/popup/client"
)

// The sizes of the drawing, in its own units.
const (
	boxWidth, boxHeight = 150, 34
	columnWidth         = 260
	rowHeight           = 58
	arrowBend           = 60
)

// box is a function in the drawing.
type box struct {
	Name string
	X, Y int
}

// arrow leads from the function that emits events to one that consumes them.
type arrow struct {
	Path   string // of SVG
	Label  string
	X, Y   int // of the label
	Events int64
}

// drawing is the flow of events between functions.
type drawing struct {
	Width, Height int
	Boxes         []box
	Arrows        []arrow
}

// edge is what leads from one function to another.
type edge struct {
	from, to string
	types    []string
	events   int64
}

// draw lays the functions out in columns: those that only emit at the left, and each other one to the right of the first
// that leads to it. Functions that exchange no events are left out.
func draw(functions []client.Function, counts client.GetFlowAnswer) drawing {
	edges := edgesOf(functions, counts)
	depth := depths(functions, edges)
	var d drawing
	place := map[string]box{}
	rows := map[int]int{}
	for _, f := range functions {
		column, ok := depth[f.Name]
		if !ok {
			continue
		}
		b := box{f.Name, 10 + column*columnWidth, 10 + rows[column]*rowHeight}
		rows[column]++
		place[f.Name] = b
		d.Boxes = append(d.Boxes, b)
		d.Width, d.Height = max(d.Width, b.X+boxWidth+10), max(d.Height, b.Y+boxHeight+10)
	}
	for _, e := range edges {
		d.Arrows = append(d.Arrows, e.between(place[e.from], place[e.to]))
	}
	slices.SortStableFunc(d.Arrows, func(a, b arrow) int { return cmp.Compare(a.Events, b.Events) })
	return d
}

// edgesOf returns what functions emit for each other, with how many events were handled.
func edgesOf(functions []client.Function, counts client.GetFlowAnswer) (edges []edge) {
	handled := map[[2]string]int64{}
	for _, a := range counts.Handled {
		handled[[2]string{a.Function, a.Type}] = a.Events
	}
	for _, from := range functions {
		for _, to := range functions {
			e := edge{from: from.Name, to: to.Name}
			for _, eventType := range from.Emits {
				if slices.Contains(to.Consumes, eventType) {
					e.types = append(e.types, eventType)
					e.events += handled[[2]string{to.Name, eventType}]
				}
			}
			if len(e.types) > 0 && e.from != e.to {
				edges = append(edges, e)
			}
		}
	}
	return edges
}

// depths returns the column of each function that has an edge: one more than the last column that leads to it, without
// the edges that lead back.
func depths(functions []client.Function, edges []edge) map[string]int {
	depth := map[string]int{}
	onward := map[string][]string{}
	for _, e := range edges {
		onward[e.from] = append(onward[e.from], e.to)
	}
	var visit func(name string, at int, before []string)
	visit = func(name string, at int, before []string) {
		if known, ok := depth[name]; slices.Contains(before, name) || ok && known >= at {
			return
		}
		depth[name] = at
		for _, next := range onward[name] {
			visit(next, at+1, append(slices.Clone(before), name))
		}
	}
	for _, f := range functions {
		if len(f.Consumes) == 0 && len(onward[f.Name]) > 0 {
			visit(f.Name, 0, nil)
		}
	}
	return depth
}

// between returns the arrow from one box to another. One that leads back ends at the right side of its box.
func (e edge) between(from, to box) arrow {
	x1, y1 := from.X+boxWidth, from.Y+boxHeight/2
	x2, y2 := to.X, to.Y+boxHeight/2
	bend, label := -arrowBend, (x1+x2)/2
	if to.X <= from.X {
		x2, bend = to.X+boxWidth, arrowBend
		label = max(x1, x2) + arrowBend/2 + 8
	}
	return arrow{
		Path:  fmt.Sprintf("M%d %d C%d %d %d %d %d %d", x1, y1, x1+arrowBend, y1, x2+bend, y2, x2, y2),
		Label: decimal(e.events), X: label, Y: (y1+y2)/2 - 3, Events: e.events,
	}
}
