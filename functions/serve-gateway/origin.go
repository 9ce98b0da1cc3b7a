package servegateway

import (
	"net/netip"
	"sync"
	"time"
)

const (
	originThreshold = 50              // consecutive requests from one private address
	originWindow    = 5 * time.Minute // from the first of them to the last
)

// originWatch detects that all requests seem to come from one private address: that of a proxy which TRUSTED_HOPS does
// not count. All visitors then share the rate limit of one.
type originWatch struct {
	mu     sync.Mutex
	only   string
	calls  int
	first  time.Time
	warned bool
}

// observe counts a request. It reports once that there were originCalls consecutive ones from one private address.
func (o *originWatch) observe(source string, now time.Time) (alone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.warned {
		return false
	}
	if source != o.only || now.Sub(o.first) > originWindow {
		o.only, o.first, o.calls = source, now, 0
	}
	o.calls++
	o.warned = o.calls >= originThreshold && isPrivate(source)
	return o.warned
}

// carrierNetwork is the shared address space (RFC 6598), which clusters use for pods.
var carrierNetwork = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether an address belongs to a private network. The loopback address of a visitor on the same
// machine does not.
func isPrivate(source string) bool {
	address, err := netip.ParseAddr(source)
	if err != nil {
		return false
	}
	address = address.Unmap()
	return address.IsPrivate() || address.IsLinkLocalUnicast() || carrierNetwork.Contains(address)
}

// warnOfHops logs a warning, once, when TRUSTED_HOPS seems to be too low.
func (g *gateway) warnOfHops(source string) {
	if g.origin.observe(source, time.Now()) {
		g.log.Warn("ALL REQUESTS COME FROM ONE PRIVATE ADDRESS: set TRUSTED_HOPS to the number of proxies in front of the gateway; "+
			"otherwise all visitors share one rate limit",
			"function", name, "address", source, "calls", originThreshold, "trusted_hops", g.hops)
	}
}
