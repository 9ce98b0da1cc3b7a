package auth

import (
	"context"
	"encoding/hex"
	"net/netip"

	"github.com/popup-shop/popup/internal/access"
)

// Request is what is known about an HTTP request beside its input.
type Request struct {
	Caller
	ID     string // of the request, as in X-Request-ID
	Header func(name string) string
	Path   string
	Route  string // method and pattern
	Access access.Access
	Source string // network address of the caller, as the gateway saw it
}

type requestKey struct{}

// NewContext returns a context that belongs to r.
func NewContext(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// RequestFrom returns the request that ctx belongs to.
func RequestFrom(ctx context.Context) Request {
	r, _ := ctx.Value(requestKey{}).(Request)
	return r
}

// CallerFrom returns the caller of the request that ctx belongs to.
func CallerFrom(ctx context.Context) Caller { return RequestFrom(ctx).Caller }

// SourceFrom returns the network address that the request of ctx came from, as the gateway saw it.
func SourceFrom(ctx context.Context) string { return RequestFrom(ctx).Source }

// IdempotencyOwner returns whose idempotency keys the caller uses: those of the account or of the order token. A
// visitor has nothing that a second attempt would certainly still have, so visitors share their keys. A stranger with
// the key receives the stored response only with the whole body, and then knows what it contains.
func (c Caller) IdempotencyOwner() string {
	switch {
	case c.Claims.ID != "":
		return c.Claims.ID
	case c.OrderToken != "":
		return "order-token " + hex.EncodeToString(HashToken(c.OrderToken))
	}
	return "visitor"
}

// subscriberBits is the length of the IPv6 prefix that a subscriber has for themself (RFC 6177).
const subscriberBits = 64

// NetworkOf returns the network by which a source is counted: an IPv4 address itself, and the /64 of an IPv6 address, because one
// subscriber can use any address in it. It returns a text that is no address unchanged.
func NetworkOf(source string) string {
	address, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	return netip.PrefixFrom(address, subscriberBits).Masked().String()
}
