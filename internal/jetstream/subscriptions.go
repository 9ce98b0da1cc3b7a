package jetstream

import (
	"slices"
	"strings"
)

// Subscription is one filter of the CloudEvents subscriptions API, without CESQL; all that is set must hold.
type Subscription struct {
	Exact  map[string]string `json:"exact,omitempty"`
	Prefix map[string]string `json:"prefix,omitempty"`
	Suffix map[string]string `json:"suffix,omitempty"`
	All    []Subscription    `json:"all,omitempty"`
	Any    []Subscription    `json:"any,omitempty"`
	Not    *Subscription     `json:"not,omitempty"`
}

// Pass reports whether an event with these attributes passes.
func (s Subscription) Pass(attributes map[string]string) bool {
	fits := func(want map[string]string, compare func(value, want string) bool) bool {
		for name, value := range want {
			have, ok := attributes[name]
			if !ok || !compare(have, value) {
				return false
			}
		}
		return true
	}
	return fits(s.Exact, func(a, b string) bool { return a == b }) &&
		fits(s.Prefix, strings.HasPrefix) && fits(s.Suffix, strings.HasSuffix) &&
		!slices.ContainsFunc(s.All, func(s Subscription) bool { return !s.Pass(attributes) }) &&
		(len(s.Any) == 0 || slices.ContainsFunc(s.Any, func(s Subscription) bool { return s.Pass(attributes) })) &&
		(s.Not == nil || !s.Not.Pass(attributes))
}

// Types returns the types of the events that may pass; nil when any may.
func (s Subscription) Types() []string {
	if exact, ok := s.Exact["type"]; ok {
		return []string{exact}
	}
	for _, inner := range s.All {
		if types := inner.Types(); types != nil {
			return types
		}
	}
	var all []string
	for _, inner := range s.Any {
		types := inner.Types()
		if types == nil {
			return nil
		}
		all = append(all, types...)
	}
	return all
}

// Subscriptions are the filters of one Trigger: an event passes when it passes each.
type Subscriptions []Subscription

// Pass reports whether an event with these attributes passes each filter.
func (s Subscriptions) Pass(attributes map[string]string) bool {
	return Subscription{All: s}.Pass(attributes)
}

// Types returns the types of the events that may pass; nil when any may.
func (s Subscriptions) Types() []string { return Subscription{All: s}.Types() }
