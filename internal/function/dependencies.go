package function

import (
	"cmp"
	"context"
	"net"
	"net/url"
)

// Dependencies are what a program needs beside its database, by name, each with a check that returns an error while it is not
// available.
type Dependencies map[string]func(ctx context.Context) error

// DialCheck returns a check that connects to an address, host:port.
func DialCheck(address string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

// brokerAt returns the dependency on the broker of a sink, if there is one.
func brokerAt(sink string) Dependencies {
	at, err := url.Parse(sink)
	if err != nil || at.Host == "" {
		return nil
	}
	return Dependencies{"broker": DialCheck(net.JoinHostPort(at.Hostname(), cmp.Or(at.Port(), at.Scheme)))}
}
