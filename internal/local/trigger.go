package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Trigger is what a cluster's Trigger says: which events go to which function, and how delivery is tried again.
type Trigger struct {
	Name       string
	Subscriber string
	Filters    []Filter
	Delivery   Delivery
}

// Filter is one filter of the CloudEvents subscriptions API as Knative has it; all that is set must hold.
type Filter struct {
	Exact  map[string]string `json:"exact,omitempty"`
	Prefix map[string]string `json:"prefix,omitempty"`
	Suffix map[string]string `json:"suffix,omitempty"`
	All    []Filter          `json:"all,omitempty"`
	Any    []Filter          `json:"any,omitempty"`
	Not    *Filter           `json:"not,omitempty"`
}

// Wants says whether an event with these attributes passes.
func (f Filter) Wants(attributes map[string]string) bool {
	fits := func(want map[string]string, compare func(value, want string) bool) bool {
		for name, value := range want {
			if have, set := attributes[name]; !set || !compare(have, value) {
				return false
			}
		}
		return true
	}
	return fits(f.Exact, func(a, b string) bool { return a == b }) &&
		fits(f.Prefix, strings.HasPrefix) && fits(f.Suffix, strings.HasSuffix) &&
		!slices.ContainsFunc(f.All, func(f Filter) bool { return !f.Wants(attributes) }) &&
		(len(f.Any) == 0 || slices.ContainsFunc(f.Any, func(f Filter) bool { return f.Wants(attributes) })) &&
		(f.Not == nil || !f.Not.Wants(attributes))
}

// Wants says whether an event passes all filters of the trigger.
func (t Trigger) Wants(attributes map[string]string) bool {
	return !slices.ContainsFunc(t.Filters, func(f Filter) bool { return !f.Wants(attributes) })
}

// types are the event types that may pass a filter; nil when it does not say.
func (f Filter) types() []string {
	if exact, ok := f.Exact["type"]; ok {
		return []string{exact}
	}
	for _, inner := range f.All {
		if types := inner.types(); types != nil {
			return types
		}
	}
	var all []string
	for _, inner := range f.Any {
		types := inner.types()
		if types == nil {
			return nil
		}
		all = append(all, types...)
	}
	return all
}

// Types are the event types that may pass the trigger; nil when any may.
func (t Trigger) Types() []string {
	for _, f := range t.Filters {
		if types := f.types(); types != nil {
			return types
		}
	}
	return nil
}

// Backoff is how the delay between attempts grows.
type Backoff string

// Ways of growing.
const (
	Linear      Backoff = "linear"
	Exponential Backoff = "exponential"
)

// Delivery is how an event is tried again, and where it ends. A part of it may be missing.
type Delivery struct {
	DeadLetterSink string
	Retry          int
	Backoff        Backoff
	Delay          time.Duration
	Timeout        time.Duration
}

// Wait is how long to wait before the attempt after this one, counted from 1: not at all when nothing says how.
func (d Delivery) Wait(attempt int) time.Duration {
	switch d.Backoff {
	case Linear:
		return d.Delay * time.Duration(attempt)
	case Exponential:
		return d.Delay << min(attempt-1, 16)
	}
	return 0
}

// manifest is as much of a manifest as the engine needs.
type manifest struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Filters    []Filter `json:"filters"`
		Subscriber struct {
			Ref struct {
				Name string `json:"name"`
			} `json:"ref"`
		} `json:"subscriber"`
		Delivery struct {
			DeadLetterSink struct {
				Ref struct {
					Name string `json:"name"`
				} `json:"ref"`
			} `json:"deadLetterSink"`
			Retry         int    `json:"retry"`
			BackoffPolicy string `json:"backoffPolicy"`
			BackoffDelay  string `json:"backoffDelay"`
			Timeout       string `json:"timeout"`
		} `json:"delivery"`
	} `json:"spec"`
}

// ReadTriggers reads the Triggers among the manifests of the functions, with the delivery policy that all of them get.
func ReadTriggers(manifests fs.FS, policy []byte) ([]Trigger, error) {
	delivery, err := readDelivery(policy)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(manifests, "*/service.yaml")
	if err != nil {
		return nil, err
	}
	var triggers []Trigger
	for _, file := range files {
		text, err := fs.ReadFile(manifests, file)
		if err != nil {
			return nil, err
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var m manifest
			if err := yaml.Unmarshal(document, &m); err != nil {
				return nil, fmt.Errorf("read %s: %w", file, err)
			}
			if m.Kind == "Trigger" {
				triggers = append(triggers, Trigger{Name: m.Metadata.Name, Subscriber: m.Spec.Subscriber.Ref.Name, Filters: m.Spec.Filters, Delivery: delivery})
			}
		}
	}
	return triggers, nil
}

func readDelivery(policy []byte) (Delivery, error) {
	var m manifest
	if err := yaml.Unmarshal(policy, &m); err != nil {
		return Delivery{}, fmt.Errorf("read delivery policy: %w", err)
	}
	delay, err := isoDuration(m.Spec.Delivery.BackoffDelay)
	if err != nil {
		return Delivery{}, err
	}
	timeout, err := isoDuration(m.Spec.Delivery.Timeout)
	if err != nil {
		return Delivery{}, err
	}
	return Delivery{
		DeadLetterSink: m.Spec.Delivery.DeadLetterSink.Ref.Name, Retry: m.Spec.Delivery.Retry,
		Backoff: Backoff(m.Spec.Delivery.BackoffPolicy), Delay: delay, Timeout: timeout,
	}, nil
}

var isoForm = regexp.MustCompile(`^PT(?:(\d+)M)?(?:(\d+(?:\.\d)?)S)?$`)

// isoDuration reads the durations of manifests: minutes, and seconds with at most one decimal, ISO 8601.
func isoDuration(text string) (time.Duration, error) {
	parts := isoForm.FindStringSubmatch(text)
	if parts == nil || text == "PT" {
		return 0, fmt.Errorf("read duration %q: not like PT1M or PT0.5S", text)
	}
	minutes, err1 := strconv.Atoi("0" + parts[1])
	seconds, err2 := strconv.ParseFloat("0"+parts[2], 64)
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	return time.Duration(minutes)*time.Minute + time.Duration(seconds*float64(time.Second)), nil
}
