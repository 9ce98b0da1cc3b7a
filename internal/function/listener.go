package function

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	writeIn       = 30 * time.Second // for each piece of a response that the caller has to receive
	writePiece    = 64 << 10         // bytes of it
	maxPerNetwork = 256              // connections of a public address, or of the /64 of an IPv6 address
)

// Bound returns a listener whose connections bound what a caller can hold of the program: a connection is closed when the caller does
// not receive 64 KiB of a response within 30 s, and one that is accepted beyond 256 of its network at once. Addresses that are not
// public are not counted: a proxy may stand behind them.
func Bound(l net.Listener) net.Listener { return boundTo(l, writeIn, isPublic) }

func boundTo(l net.Listener, writeIn time.Duration, counted func(netip.Addr) bool) *boundListener {
	return &boundListener{Listener: l, writeIn: writeIn, counted: counted, open: map[netip.Prefix]int{}}
}

type boundListener struct {
	net.Listener
	writeIn time.Duration
	counted func(netip.Addr) bool

	mu   sync.Mutex
	open map[netip.Prefix]int // connections by network
}

// Accept returns the next connection within the limits. It closes others.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		network, counted := l.networkOf(conn)
		if !counted {
			return &boundConn{Conn: conn, writeIn: l.writeIn, release: func() {}}, nil
		}
		if l.add(network) {
			return &boundConn{Conn: conn, writeIn: l.writeIn, release: sync.OnceFunc(func() { l.remove(network) })}, nil
		}
		_ = conn.Close()
	}
}

// networkOf returns the network that a connection comes from; counted is whether its connections are limited.
func (l *boundListener) networkOf(conn net.Conn) (network netip.Prefix, counted bool) {
	remote, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	address := remote.Addr().Unmap()
	if err != nil || !l.counted(address) {
		return network, false
	}
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address.WithZone(""), bits).Masked(), true
}

func (l *boundListener) add(network netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network] >= maxPerNetwork {
		return false
	}
	l.open[network]++
	return true
}

func (l *boundListener) remove(network netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network]--; l.open[network] <= 0 {
		delete(l.open, network)
	}
}

// carrierNetwork is the shared address space (RFC 6598), which clusters use for pods.
var carrierNetwork = netip.MustParsePrefix("100.64.0.0/10")

func isPublic(address netip.Addr) bool {
	return address.IsGlobalUnicast() && !address.IsPrivate() && !carrierNetwork.Contains(address)
}

// boundConn is a connection whose writes have a deadline.
type boundConn struct {
	net.Conn
	writeIn time.Duration
	release func()
	seen    received
}

// Read reads, and notes the head of a request.
func (c *boundConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.seen.add(b[:n])
	return n, err
}

// Write writes piece by piece, each within the time.
func (c *boundConn) Write(b []byte) (n int, err error) {
	for {
		if err := c.SetWriteDeadline(time.Now().Add(c.writeIn)); err != nil {
			return n, err
		}
		written, err := c.Conn.Write(b[n:min(n+writePiece, len(b))])
		n += written
		if err != nil || n == len(b) {
			return n, err
		}
	}
}

// Close closes the connection and counts it no longer.
func (c *boundConn) Close() error {
	c.release()
	return c.Conn.Close()
}
