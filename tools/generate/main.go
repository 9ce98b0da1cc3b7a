// Command generate writes what is published from the code: the schemas of events, the OpenAPI and AsyncAPI documents,
// the routes, the Go client, and the flow table of README.md. Run it in the project's root.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/contract"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	if _, err := os.Stat("schemas"); err != nil {
		return fmt.Errorf("not in the project's root: %w", err)
	}
	all := functions.All(functions.Settings{})
	return errors.Join(contract.Write("schemas", all), contract.WriteClient(".", all), writeFlow("README.md", all))
}
