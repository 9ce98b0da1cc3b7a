package jetstream

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// maxPayload is how large a message may be: an event of MaxEvent bytes and its attributes.
const maxPayload = 2 * MaxEvent

// Server is a NATS server with JetStream in this process: on disk, not listening.
type Server struct {
	server *server.Server
	Conn   *nats.Conn
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
	return &Server{s, conn}, nil
}

// Close stops the server; what is stored stays.
func (s *Server) Close() {
	s.Conn.Close()
	s.server.Shutdown()
	s.server.WaitForShutdown()
}
