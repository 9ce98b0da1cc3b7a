package web

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/token"
)

// Caller is who calls. A visitor has no id and no role.
type Caller struct {
	token.Claims
	OrderToken  string // opens one order
	BasketToken string // opens a visitor's basket
}

// Staff says whether the caller is staff or admin.
func (c Caller) Staff() bool { return c.Role == token.Staff || c.Role == token.Admin }

// Has says whether the caller is a machine client with a scope.
func (c Caller) Has(scope string) bool {
	return c.Role == token.Client && slices.Contains(c.Scopes, scope)
}

// HashToken is what is kept of a secret that is as good as random: an order token, a refresh token.
func HashToken(secret string) []byte {
	hash := sha256.Sum256([]byte(secret))
	return hash[:]
}

type callKey struct{}

// call is what is known about a call beside its input.
type call struct {
	Caller
	requestID string
	header    func(name string) string
	path      string
	route     string // method and pattern
	who       string // may take it
	source    string
	answer    huma.Context
	committed bool // what the call does is done
}

// CallerOf is who made the call that ctx belongs to.
func CallerOf(ctx context.Context) Caller { return callOf(ctx).Caller }

// SourceOf is the network address that the call came from, as the gateway saw it.
func SourceOf(ctx context.Context) string { return callOf(ctx).source }

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

func requestID(ctx context.Context) string { return callOf(ctx).requestID }
