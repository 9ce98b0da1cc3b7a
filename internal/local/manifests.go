package local

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/popup-shop/popup/internal/jetstream"
)

// manifest is as much of a manifest as the engine needs.
type manifest struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Filters    jetstream.Subscriptions `json:"filters"`
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
func ReadTriggers(manifests fs.FS, policy []byte) ([]jetstream.Trigger, error) {
	delivery, err := readDelivery(policy)
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(manifests, "*/service.yaml")
	if err != nil {
		return nil, err
	}
	var triggers []jetstream.Trigger
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
				triggers = append(triggers, jetstream.Trigger{
					Name: m.Metadata.Name, Subscriber: m.Spec.Subscriber.Ref.Name, Filter: m.Spec.Filters, Delivery: delivery,
				})
			}
		}
	}
	return triggers, nil
}

func readDelivery(policy []byte) (jetstream.Delivery, error) {
	var m manifest
	if err := yaml.Unmarshal(policy, &m); err != nil {
		return jetstream.Delivery{}, fmt.Errorf("read delivery policy: %w", err)
	}
	delay, err := isoDuration(m.Spec.Delivery.BackoffDelay)
	if err != nil {
		return jetstream.Delivery{}, err
	}
	timeout, err := isoDuration(m.Spec.Delivery.Timeout)
	if err != nil {
		return jetstream.Delivery{}, err
	}
	return jetstream.Delivery{
		DeadLetterSink: m.Spec.Delivery.DeadLetterSink.Ref.Name, Retry: m.Spec.Delivery.Retry,
		Backoff: jetstream.Backoff(m.Spec.Delivery.BackoffPolicy), Delay: delay, Timeout: timeout,
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
