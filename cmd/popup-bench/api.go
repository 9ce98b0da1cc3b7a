package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"time"
)

type benchAPI struct {
	Seconds  int    `default:"5" help:"How long each load lasts."`
	Parallel []int  `default:"1,16,64" help:"How many callers at once."`
	Write    string `help:"Write the result to this file too." type:"path"`
}

// Run measures and prints.
func (c *benchAPI) Run(ctx context.Context) error {
	b, err := openBench(ctx, nil, "RATE_LIMIT=0")
	if err != nil {
		return err
	}
	defer b.close()
	list := b.url + "/v1/products?limit=20"
	page, product, err := firstProduct(list)
	if err != nil {
		return err
	}
	bare, stop, err := serveBare(page)
	if err != nil {
		return err
	}
	defer stop()
	var w strings.Builder
	fmt.Fprintf(&w, benchAPIHead, time.Now().Format(time.DateOnly), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), len(page))
	for _, parallel := range c.Parallel {
		var reference float64
		client := connections(parallel)
		for _, read := range []struct{ what, url string }{
			{"bare net/http", bare}, {"list, kept", list}, {"detail, kept", b.url + "/v1/products/" + product}, {"list, asked each time", list + "&page=%d"},
		} {
			l := loop(ctx, parallel, time.Duration(c.Seconds)*time.Second, func(n int) error {
				return get(ctx, client, strings.Replace(read.url, "%d", fmt.Sprint(n%1_000_000+1), 1))
			})
			if reference == 0 {
				reference = l.rate()
			}
			fmt.Fprintf(&w, "| %d | %s | %.0f | %.2f ms | %.2f ms | %d | %.0f %% |\n", parallel, read.what, l.rate(),
				ms(l.at(50)), ms(l.at(99)), l.failed, 100*l.rate()/reference)
		}
	}
	return report(w.String(), c.Write)
}

const benchAPIHead = `## Reading

Measured by ` + "`popup bench api`" + ` on %s: %d cores, %s/%s, %s. Callers, shop and bare handler share the machine; the bare handler is
net/http that writes the same %d bytes as the list, and nothing else. Rate limits are off, the log is on. The last row asks for a page
that was not asked for before.

| parallel | what | req/s | p50 | p99 | failed | of bare |
| --- | --- | --- | --- | --- | --- | --- |
`

// get reads an answer to its end.
func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s was answered %s", url, answer.Status)
	}
	return nil
}

// firstProduct reads a list, and which product is first in it.
func firstProduct(url string) (page []byte, id string, err error) {
	answer, err := http.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	if page, err = io.ReadAll(answer.Body); err != nil {
		return nil, "", err
	}
	var list struct{ Items []struct{ ID string } }
	if err := json.Unmarshal(page, &list); err != nil {
		return nil, "", err
	}
	if len(list.Items) == 0 {
		return nil, "", errors.New("there are no products to read")
	}
	return page, list.Items[0].ID, nil
}

// serveBare answers every call with the same bytes and does nothing else.
func serveBare(body []byte) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}
