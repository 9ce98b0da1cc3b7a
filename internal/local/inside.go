package local

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local/postgres"
)

// openInside opens the address through which functions in processes of their own reach each other and the broker.
func (s *Shop) openInside(all []function.Function, door string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("open address of functions: %w", err)
	}
	inside := l.Addr().String()
	names := []string{door}
	for _, f := range all {
		names = append(names, f.Name)
	}
	s.Processes = &Processes{
		Functions: names, Bin: s.options.Bin, Idle: s.options.Idle, Address: s.options.Address, Log: s.options.Log, Out: s.options.Out,
	}
	s.Processes.Env = func(name string) []string {
		env := []string{
			"DATABASE_URL=" + s.urlFor(name), "K_SINK=http://" + inside + "/broker", "PUBLIC_URL=" + s.options.Address,
			"FUNCTION_URL=http://{function}." + namespace, "FUNCTION_VIA=" + inside, "TRUSTED_HOPS=" + oneHop,
			"API_URL=http://" + inside + insideGateway,
			"SMTP_URL=" + s.SMTP, "STATUS_OF=mail=" + s.smtpAddress() + ",s3=" + s.s3Address(),
			"S3_URL=" + s.Bucket.URL, "S3_BUCKET=" + bucketName, "S3_REGION=local",
			"S3_KEY=" + s.Bucket.Key, "S3_SECRET=" + s.Bucket.Secret,
		}
		if s.options.Env != nil {
			env = append(env, s.options.Env(name)...)
		}
		return env
	}
	mux := http.NewServeMux()
	mux.Handle("/broker", jetstream.Ingress(s.Engine.find))
	mux.Handle(insideGateway+"/", http.StripPrefix(insideGateway, s.Processes.Handler(door)))
	mux.Handle("/", s.Processes)
	s.inside = function.NewServer(mux)
	go func() { _ = s.inside.Serve(l) }()
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { defer close(stopped); s.Processes.Run(ctx) }()
	s.later(func() {
		cancel()
		<-stopped
		_ = s.inside.Close()
	})
	return nil
}

// insideGateway begins the addresses at which pages in a process of their own call the gateway.
const insideGateway = "/gateway"

// oneHop counts this program, which is the one proxy in front of a gateway in a process of its own.
const oneHop = "1"

// urlFor returns the address of the database for a function's role.
func (s *Shop) urlFor(name string) string {
	if s.Postgres == nil {
		return s.url
	}
	return s.Postgres.URLFor(name, postgres.Superuser)
}
