// Package contract generates what the shop publishes about its events and its HTTP API from the declarations of the
// functions: a JSON Schema per event, an AsyncAPI document with the emitting and consuming functions, an OpenAPI
// document, the list of routes, and the Go client.
package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/function"
)

// Write writes the contract into dir, which is schemas/ of the repository, and removes the schemas of events that no
// longer exist. Descriptions and examples come from the comments and samples in events/, beside dir.
func Write(dir string, functions []function.Function) error {
	files, err := contract(os.DirFS(filepath.Join(dir, "..", "events")), functions)
	if err != nil {
		return fmt.Errorf("make contract: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "events")); err != nil {
		return fmt.Errorf("write contract: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "events"), 0o755); err != nil {
		return fmt.Errorf("write contract: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("write contract: %w", err)
		}
	}
	return nil
}

// contract is the content of every file by its name.
func contract(source fs.FS, functions []function.Function) (map[string][]byte, error) {
	says, err := readComments(source)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, e := range events.All() {
		if files[schemaFile(e)], err = schema(source, e, says); err != nil {
			return nil, fmt.Errorf("schema of %s: %w", e.EventType(), err)
		}
	}
	if files["asyncapi.yaml"], err = asyncAPI(functions, says); err != nil {
		return nil, err
	}
	if files["openapi.yaml"], err = openAPI(functions); err != nil {
		return nil, err
	}
	if files["routes.json"], err = routes(functions); err != nil {
		return nil, err
	}
	files["functions.json"], err = declarations(functions)
	return files, err
}

// schemaFile is where the schema of an event is, from schemas/ on.
func schemaFile(e events.Event) string { return "events/" + e.EventType() + ".json" }

// indented is a value as JSON that people can read.
func indented(value any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return text.Bytes(), err
}
