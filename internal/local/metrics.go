package local

import (
	"context"

	"github.com/popup-shop/popup/internal/deliverymetrics"
)

// BrokerState returns the state of the broker, with the lag of each function that has a Trigger.
func (e *Engine) BrokerState(ctx context.Context) (s deliverymetrics.BrokerState, err error) {
	b := e.broker.Load()
	if b == nil {
		return s, errNoBroker
	}
	return b.State(ctx)
}

// copies returns the copies of every function, running or not.
func (a *Processes) copies() map[string]deliverymetrics.Copies {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string]deliverymetrics.Copies{}
	for _, name := range a.Functions {
		c := deliverymetrics.Copies{Started: a.starts[name]}
		if a.programs[name] != nil {
			c.Running = 1
		}
		all[name] = c
	}
	return all
}

// countDelivery makes the metrics of delivery and of the functions' copies.
func (s *Shop) countDelivery() {
	var functions []string
	for _, t := range s.Engine.Triggers {
		functions = append(functions, t.Name)
	}
	s.Engine.Metrics = deliverymetrics.New(functions, s.Engine.BrokerState)
	if s.Processes != nil {
		s.Engine.Metrics.ShowCopies(s.Processes.copies)
	} else {
		s.Engine.Metrics.ShowCopies(s.Engine.copies)
	}
}

// copies returns the one copy of each function that this program is.
func (e *Engine) copies() map[string]deliverymetrics.Copies {
	all := map[string]deliverymetrics.Copies{}
	for _, f := range e.Functions {
		all[f.Name] = deliverymetrics.Copies{Running: 1, Started: 1}
	}
	return all
}
