package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/popup-shop/popup/internal/spec"
)

// specCommand is for those who work on the shop: it reads the sources.
type specCommand struct {
	Root string `default:"." help:"Folder of the sources." type:"existingdir"`
	All  bool   `help:"Show the rows that have a check too, with the tests."`
}

// Run lists the promises without a check, and fails on a check of something that is not promised.
func (c *specCommand) Run() error {
	page, err := os.ReadFile(filepath.Join(c.Root, "docs", "spec.md"))
	if err != nil {
		return fmt.Errorf("read what is promised: %w", err)
	}
	rows, err := spec.Rows(string(page))
	if err != nil {
		return fmt.Errorf("read docs/spec.md: %w", err)
	}
	checks, err := spec.Checks(os.DirFS(c.Root), spec.Domains(rows))
	if err != nil {
		return fmt.Errorf("read the tests: %w", err)
	}
	without := 0
	for _, row := range rows {
		of := slices.DeleteFunc(slices.Clone(checks), func(check spec.Check) bool { return check.ID != row.ID })
		if len(of) == 0 {
			without++
			fmt.Printf("%s  %s\n", row.ID, row.Promise)
		}
		for _, check := range of {
			if c.All {
				fmt.Printf("%s  %s %s\n", row.ID, check.Folder, check.Test)
			}
		}
	}
	fmt.Printf("%d promises, %d without a check\n", len(rows), without)
	if unknown := spec.Unknown(rows, checks); len(unknown) > 0 {
		return fmt.Errorf("%s %s checks %s, which docs/spec.md does not promise", unknown[0].Folder, unknown[0].Test, unknown[0].ID)
	}
	return nil
}
