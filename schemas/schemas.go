// Package schemas holds what the shop publishes: a JSON Schema per event, the emitting and consuming functions, the
// OpenAPI document and the routes. `make generate` writes all of it from the code; released/ is the contract of the
// last release.
package schemas

import "embed"

// Files are the files of this folder.
//
//go:embed events/*.json asyncapi.yaml functions.json openapi.yaml routes.json
var Files embed.FS
