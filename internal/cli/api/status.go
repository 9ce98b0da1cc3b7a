package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/popup-shop/popup/internal/printer"
)

// StatusCommand shows the state of a shop.
type StatusCommand struct{ shopAddress }

// status is what the shop reports of its parts.
type status struct {
	Shop         string       `json:"shop"`
	Version      string       `json:"version"`
	Dependencies []dependency `json:"dependencies"`
}

type dependency struct {
	Name         string `json:"name"`
	OK           bool   `json:"ok"`
	Milliseconds int64  `json:"ms"`
}

// Run prints a row for each part, and fails if one does not work.
func (c *StatusCommand) Run(ctx context.Context, out *printer.Printer) error {
	s, err := c.read(ctx)
	if err != nil {
		return err
	}
	if out.JSON() {
		err = out.Object(s)
	} else {
		err = printer.List(
			out, s.Dependencies,
			printer.Column[dependency]{Name: "name", Cell: func(d dependency) any { return d.Name }},
			printer.Column[dependency]{Name: "ok", Cell: func(d dependency) any { return d.OK }},
			printer.Column[dependency]{Name: "ms", Cell: func(d dependency) any { return d.Milliseconds }},
		)
	}
	for _, d := range s.Dependencies {
		if !d.OK {
			err = errors.Join(err, fmt.Errorf("%s does not work", d.Name))
		}
	}
	return err
}

// read asks the shop for its state, which it also gives with 503.
func (c *StatusCommand) read(ctx context.Context) (s status, err error) {
	s.Shop = c.url()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Shop+"/v1/status", nil)
	if err != nil {
		return s, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return s, fmt.Errorf("reach the shop: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("read the shop's response %s: %w", response.Status, err)
	}
	return s, nil
}
