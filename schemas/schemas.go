// Package schemas holds what the shop publishes: a JSON Schema per event, who says and hears which, and the routes. All of
// it is written from the code by `make generate`; released/ is the copy that the last release promised.
package schemas

import "embed"

// Files are the files of this folder.
//
//go:embed events/*.json asyncapi.yaml openapi.yaml routes.json
var Files embed.FS
