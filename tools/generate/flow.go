package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// The table is between these lines of README.md.
const (
	flowBegin = "<!-- flow -->\n"
	flowEnd   = "<!-- /flow -->"
)

// writeFlow replaces the flow table in a page by that of the declarations.
func writeFlow(page string, all []function.Function) error {
	content, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(content), flowBegin)
	_, after, ended := strings.Cut(rest, flowEnd)
	if !ok || !ended {
		return errors.New(page + " has no place for the flow table")
	}
	return os.WriteFile(page, []byte(before+flowBegin+flowTable(all)+"\n"+flowEnd+after), 0o644)
}

// flowTable returns the table of all functions that consume or emit events, in the order of their list.
func flowTable(all []function.Function) string {
	rows := []string{"| consumes | function | emits |", "| --- | --- | --- |"}
	for _, f := range all {
		if len(f.On)+len(f.Emits) > 0 {
			rows = append(rows, fmt.Sprintf("| %s | %s | %s |", startedBy(f), f.Name, types(f.Emits)))
		}
	}
	return strings.Join(rows, "\n")
}

func startedBy(f function.Function) string {
	switch {
	case f.Endpoints != nil:
		return "a caller"
	case f.Schedule != nil:
		return "the schedule"
	}
	consumed := make([]events.Event, len(f.On))
	for i, h := range f.On {
		consumed[i] = h.Event
	}
	return types(consumed)
}

func types(list []events.Event) string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.EventType()
	}
	return strings.Join(names, ", ")
}
