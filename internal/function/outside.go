package function

import (
	"cmp"
	"context"
	"net"
	"net/url"
)

// Outside is who a program depends on beside its database, by name, and how to find out whether they are there.
type Outside map[string]func(ctx context.Context) error

// Reach finds out whether somebody takes connections at an address, host:port.
func Reach(address string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// brokerAt is the broker that a program is told of, if it is.
func brokerAt(sink string) Outside {
	at, err := url.Parse(sink)
	if err != nil || at.Host == "" {
		return nil
	}
	return Outside{"broker": Reach(net.JoinHostPort(at.Hostname(), cmp.Or(at.Port(), at.Scheme)))}
}
