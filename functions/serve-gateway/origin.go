package servegateway

import (
	"net/netip"
	"sync"
	"time"
)

const (
	originCalls = 50              // from one private address in a row, and no other
	originIn    = 5 * time.Minute // of the first of them
)

// originWatch notices when all calls seem to come from one private address. That is the address of a proxy which TRUSTED_HOPS
// does not count: then all visitors together have the rate limit of one.
type originWatch struct {
	mu     sync.Mutex
	only   string
	calls  int
	first  time.Time
	warned bool
}

// note counts a call and reports, once, that there were so many from one private address alone.
func (o *originWatch) note(source string, now time.Time) (alone bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.warned {
		return false
	}
	if source != o.only || now.Sub(o.first) > originIn {
		o.only, o.first, o.calls = source, now, 0
	}
	o.calls++
	o.warned = o.calls >= originCalls && private(source)
	return o.warned
}

// carrierNetwork are shared addresses (RFC 6598), which clusters give to pods.
var carrierNetwork = netip.MustParsePrefix("100.64.0.0/10")

// private reports whether an address is one of a network behind a proxy. That of a visitor on the same machine is not.
func private(source string) bool {
	address, err := netip.ParseAddr(source)
	if err != nil {
		return false
	}
	address = address.Unmap()
	return address.IsPrivate() || address.IsLinkLocalUnicast() || carrierNetwork.Contains(address)
}

func (d *gateway) warnOfHops(source string) {
	if d.origin.note(source, time.Now()) {
		d.log.Warn("ALL CALLS COME FROM ONE PRIVATE ADDRESS: set TRUSTED_HOPS to the number of proxies in front of the gateway; "+
			"as it is, all visitors share one rate limit", "function", name, "address", source, "calls", originCalls, "trusted_hops", d.hops)
	}
}
