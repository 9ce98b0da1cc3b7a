package postgres

import (
	"context"
	"fmt"
	"time"
)

const (
	restartIn    = 15 * time.Second // all attempts to restart a cluster
	restartPause = 200 * time.Millisecond
)

// Lost returns a channel that receives an error when the cluster has ended by itself and can't be restarted.
func (s *Server) Lost() <-chan error { return s.lost }

// watch restarts the cluster if its first process ends and nobody has stopped it.
func (s *Server) watch(child *process) {
	<-child.exited
	s.turn.Lock()
	defer s.turn.Unlock()
	if !s.child.CompareAndSwap(child, nil) { // Stop, Kill and Restart take it away first
		return
	}
	fmt.Fprintln(s.log, "postgres ended by itself and is started again")
	if err := s.restart(); err != nil {
		s.lost <- fmt.Errorf("postgres ended by itself: %w", err)
	}
}

// restart starts the cluster. What its processes left in memory may be there for a while.
func (s *Server) restart() error {
	ctx, cancel := context.WithTimeout(context.Background(), restartIn)
	defer cancel()
	for {
		err := s.start(ctx)
		if err == nil || s.home.closed() {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(restartPause):
		}
	}
}
