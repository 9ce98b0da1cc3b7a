package config

import (
	"fmt"
	"net"
	"strings"
)

// Gateway is how the public door reaches the functions.
type Gateway struct {
	Upstream string `envconfig:"FUNCTION_URL" default:"http://{function}.shop" desc:"address of a function; {function} stands for its name, and shop is its namespace"`
	Via      string `envconfig:"FUNCTION_VIA" desc:"host:port that all functions are reached through; none: by their own names"`

	Wake []string `envconfig:"WAKE" desc:"functions that are called when an order is placed, so that they start at the same time; several with commas"`

	StatusOf []string `envconfig:"STATUS_OF" desc:"who else /v1/status shows, such as mail=smtp.example.org:587,s3=s3.example.org:443; the shop takes orders without them"`

	RateLimit      int    `envconfig:"RATE_LIMIT" default:"100" desc:"calls a minute of a user, or of an address without a token; 0: no limit"`
	StaffRateLimit int    `envconfig:"STAFF_RATE_LIMIT" default:"1000" desc:"calls a minute of staff and of machine clients; 0: no limit"`
	CacheEntries   int    `envconfig:"CACHE_ENTRIES" default:"10000" desc:"answers that the gateway keeps at most; 0: none"`
	CacheBytes     int64  `envconfig:"CACHE_BYTES" default:"67108864" desc:"bytes of answers that the gateway keeps at most"`
	PagesKey       string `envconfig:"PAGES_KEY" desc:"secret by which all copies of the gateway know the calls that pages make for a visitor; none: each copy knows its own"`
	TrustedHops    int    `envconfig:"TRUSTED_HOPS" default:"0" desc:"how many trusted proxies in front of the gateway append to X-Forwarded-For; 3 on Knative: ingress, activator and queue-proxy"`
}

// Outside are those whom /v1/status shows, by name, with their addresses.
func (g Gateway) Outside() (map[string]string, error) {
	addresses := map[string]string{}
	for _, each := range g.StatusOf {
		name, address, _ := strings.Cut(each, "=")
		if _, _, err := net.SplitHostPort(address); err != nil || name == "" {
			return nil, fmt.Errorf("STATUS_OF=%s: must be name=host:port, several with commas", each)
		}
		addresses[name] = address
	}
	return addresses, nil
}

// Check refuses settings that make no sense, by name.
func (g Gateway) Check() error {
	_, err := g.Outside()
	return err
}
