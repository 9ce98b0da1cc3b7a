package jetstream

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
)

// maxPayload is how large a message may be: an event of MaxEvent bytes and its attributes.
const maxPayload = 2 * MaxEvent

// Server is a NATS server with JetStream in this process: on disk, not listening.
type Server struct {
	server *server.Server
	Conn   *nats.Conn

	mu   sync.Mutex
	idle bool
}

// StartServer starts a server on a folder, with what is stored in it.
func StartServer(dir string) (*Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "popup", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, MaxPayload: maxPayload,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 8 << 30,
	})
	if err != nil {
		return nil, fmt.Errorf("make broker: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return nil, errors.New("start broker: not ready in 10 s")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.MaxReconnects(-1))
	if err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	return &Server{server: s, Conn: conn}, nil
}

// SetIdle stops the clock by which the server expires what it caches, or starts it again: it ticks ten times a second,
// which is most of what an idle server does. The server has one stream. An idle server works as any other, but its
// caches grow.
func (s *Server) SetIdle(idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if idle == s.idle {
		return
	}
	s.idle = idle
	if idle {
		ats.Unregister()
	} else {
		ats.Register()
	}
}

// Close stops the server; what is stored stays.
func (s *Server) Close() {
	s.SetIdle(false) // the server's stream stops its clock itself
	s.Conn.Close()
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
