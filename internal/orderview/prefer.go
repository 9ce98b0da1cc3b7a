package orderview

import (
	"strconv"
	"strings"
	"time"
)

const (
	defaultWait = 2 * time.Second
	maxWait     = 10 * time.Second
)

// Wait returns how long a request wants to wait for the outcome, from its Prefer header (wait=N, RFC 7240): two seconds
// by default, ten at most.
func Wait(prefer string) time.Duration {
	for _, preference := range strings.FieldsFunc(prefer, func(r rune) bool { return r == ',' || r == ';' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil &&
			strings.EqualFold(strings.TrimSpace(name), "wait") && seconds >= 0 {
			return min(time.Duration(seconds)*time.Second, maxWait)
		}
	}
	return defaultWait
}
