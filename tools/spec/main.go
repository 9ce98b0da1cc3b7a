// Command spec lists the promises of docs/spec.md that no test names. It fails on a test that names a promise which
// does not exist.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

func main() {
	root := flag.String("root", ".", "folder of the sources")
	all := flag.Bool("all", false, "list the promises with a test too")
	flag.Parse()
	if err := run(*root, *all); err != nil {
		fmt.Fprintln(os.Stderr, "spec:", err)
		os.Exit(1)
	}
}

func run(root string, all bool) error {
	page, err := os.ReadFile(filepath.Join(root, "docs", "spec.md"))
	if err != nil {
		return err
	}
	promises, err := readPromises(string(page))
	if err != nil {
		return fmt.Errorf("read docs/spec.md: %w", err)
	}
	tests, err := findChecks(os.DirFS(root), domains(promises))
	if err != nil {
		return fmt.Errorf("read the tests: %w", err)
	}
	untested := 0
	for _, promise := range promises {
		named := slices.DeleteFunc(slices.Clone(tests), func(c check) bool { return c.id != promise.id })
		if len(named) == 0 {
			untested++
			fmt.Printf("%s  %s\n", promise.id, promise.text)
		}
		for _, c := range named {
			if all {
				fmt.Printf("%s  %s %s\n", promise.id, c.folder, c.test)
			}
		}
	}
	fmt.Printf("%d promises, %d without a test\n", len(promises), untested)
	if unknown := unknownChecks(promises, tests); len(unknown) > 0 {
		c := unknown[0]
		return fmt.Errorf("%s %s names %s, which docs/spec.md does not promise", c.folder, c.test, c.id)
	}
	return nil
}
