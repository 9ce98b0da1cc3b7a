package main

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/printer"
)

type envCommand struct{}

// setting is a setting as popup env prints it.
type setting struct {
	Name        string `json:"name"`
	Default     string `json:"default"`
	Description string `json:"description"`
}

const settingsTable = `{{range .}}{{usage_key .}}	{{usage_default .}}	{{usage_description .}}
{{end}}`

// Run prints every setting, the default and what it is for. Values are not shown: some are secret.
func (envCommand) Run(out *printer.Printer) error {
	var text bytes.Buffer
	for _, spec := range []any{&config.Process{}, &config.Database{}, &functions.Settings{}} {
		if err := envconfig.Usagef("", spec, &text, settingsTable); err != nil {
			return err
		}
	}
	var settings []setting
	for line := range strings.Lines(text.String()) {
		cells := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 3)
		each := setting{cells[0], cells[1], cells[2]}
		if !slices.Contains(settings, each) { // several parts read PRODUCTION
			settings = append(settings, each)
		}
	}
	return printer.List(
		out, settings,
		printer.Column[setting]{Name: "name", Cell: func(s setting) any { return s.Name }},
		printer.Column[setting]{Name: "default", Cell: func(s setting) any { return s.Default }},
		printer.Column[setting]{Name: "description", Cell: func(s setting) any { return s.Description }},
	)
}
