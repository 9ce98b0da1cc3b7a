// Package infra holds what all manifests have in common, for those who read it in Go.
package infra

import _ "embed"

// Delivery is the delivery policy that every Trigger gets.
//
//go:embed function/delivery.yaml
var Delivery []byte
