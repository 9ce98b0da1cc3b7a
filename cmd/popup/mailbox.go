package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/local/loopback"
	"github.com/popup-shop/popup/internal/local/mailbox"
	"github.com/popup-shop/popup/internal/printer"
)

type mailboxCommand struct {
	Dir    string `default:"mailbox" help:"Folder of the mails." type:"path"`
	SMTP   string `default:"127.0.0.1:2525" help:"Address of the mail server."`
	Listen string `default:"127.0.0.1:8025" help:"Address of the page with the mails; it can be opened on this machine only."`
}

// Run accepts mails and shows them until ctx ends.
func (c *mailboxCommand) Run(ctx context.Context, out *printer.Printer) error {
	box, err := mailbox.Open(c.Dir)
	if err != nil {
		return err
	}
	mails, err := net.Listen("tcp", c.SMTP)
	if err != nil {
		return fmt.Errorf("listen for mails: %w", err)
	}
	pages, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen for visitors: %w", err)
	}
	page := "http://" + pages.Addr().String()
	if err := out.Done(map[string]string{"smtp": mails.Addr().String(), "page": page}, "mails to %s are shown at %s", mails.Addr(), page); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/", loopback.Only(box.Handler()))
	server := function.NewServer(mux)
	failed := make(chan error, 2)
	go func() { failed <- box.Serve(mails) }()
	go func() { failed <- server.Serve(pages) }()
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return errors.Join(err, server.Close(), box.Close())
}
