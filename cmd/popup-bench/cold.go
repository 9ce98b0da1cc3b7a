package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	"github.com/popup-shop/popup/internal/function"
)

type benchCold struct {
	Bin string `default:"${bin}" help:"Folder of the functions' programs." type:"path"`
}

// Run starts each program from nothing and prints how long it takes to its first answer, and to the answer to its first
// event or call, which takes SQL.
func (c *benchCold) Run(ctx context.Context) error {
	b, err := openBench(ctx, []string{"--fresh"})
	if err != nil {
		return err
	}
	defer b.close()
	fmt.Println("| function | first answer | first SQL | size |\n| --- | --- | --- | --- |")
	for _, f := range functions.All(functions.Settings{}) {
		answered, asked, err := c.start(ctx, b, f)
		if err != nil {
			return fmt.Errorf("start %s: %w", f.Name, err)
		}
		info, err := os.Stat(filepath.Join(c.Bin, f.Name))
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f ms | %.0f ms | %.1f MB |\n", f.Name, ms(answered), ms(asked), float64(info.Size())/1e6)
	}
	return nil
}

// start starts a program, asks it once, and stops it.
func (c *benchCold) start(
	ctx context.Context, b *bench, f function.Function,
) (answered, asked time.Duration, err error) {
	started, err := startProgram(ctx, c.Bin, f.Name, "DATABASE_URL="+b.data.URL())
	if err != nil {
		return 0, 0, err
	}
	defer started.stop()
	answered, err = started.await()
	if err != nil {
		return 0, 0, err
	}
	answer, err := http.DefaultClient.Do(firstCall(ctx, f, started.address))
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode >= 500 && f.Endpoints == nil {
		return 0, 0, fmt.Errorf("answered %s: %s", answer.Status, text)
	}
	return answered, time.Since(started.began), nil
}

// started is the program of a function that runs alone.
type started struct {
	address string
	began   time.Time
	cmd     *exec.Cmd
}

// startProgram starts the program of a function, with settings in its environment.
func startProgram(ctx context.Context, bin, name string, settings ...string) (*started, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	secret, public := config.KeySettings(key)
	cmd := exec.CommandContext(ctx, filepath.Join(bin, name))
	cmd.Env = append(os.Environ(), "TOKEN_KEYS="+secret, "TOKEN_PUBLIC_KEYS="+public, "PORT="+port, "SERVER_HOST=127.0.0.1", "LOG_LEVEL=error")
	cmd.Env = append(cmd.Env, settings...)
	s := &started{address: address, began: time.Now(), cmd: cmd}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (make build makes it)", err)
	}
	return s, nil
}

func (s *started) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	_ = s.cmd.Wait()
}

// await returns how long the program takes to its first answer.
func (s *started) await() (time.Duration, error) {
	for {
		answer, err := http.Get("http://" + s.address + "/health")
		if err == nil {
			_ = answer.Body.Close()
			return time.Since(s.began), nil
		}
		if time.Since(s.began) > 10*time.Second {
			return 0, errors.New("no answer in 10 s")
		}
		time.Sleep(time.Millisecond)
	}
}

// firstCall is an event that the ledger does not know, or a call of the function's first route.
func firstCall(ctx context.Context, f function.Function, address string) *http.Request {
	method, path, body := http.MethodPost, "/", "{}"
	if f.Endpoints != nil {
		method, path, body = http.MethodGet, "/v1/products", ""
		if routes := f.Endpoints.Routes(); len(routes) > 0 {
			path = strings.ReplaceAll(routes[0].Path, "{id}", uuid.NewString())
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		panic(err) // the address is ours
	}
	eventType := "dev.knative.sources.ping"
	if len(f.On) > 0 {
		eventType = "shop.popup." + f.On[0].Event.EventType()
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": uuid.NewString(), "Ce-Source": "/bench", "Ce-Type": eventType,
	} {
		request.Header.Set(name, value)
	}
	return request
}
