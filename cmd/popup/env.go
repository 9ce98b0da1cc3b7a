package main

import (
	"os"
	"text/tabwriter"

	"github.com/kelseyhightower/envconfig"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
)

type envCommand struct{}

const settingsTable = `{{range .}}{{usage_key .}}	{{usage_default .}}	{{usage_description .}}
{{end}}`

// Run prints every setting, the default and what it is for. Values are not shown: some are secret.
func (envCommand) Run() error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, spec := range []any{&config.Process{}, &config.Database{}, &functions.Settings{}} {
		if err := envconfig.Usagef("", spec, table, settingsTable); err != nil {
			return err
		}
	}
	return table.Flush()
}
