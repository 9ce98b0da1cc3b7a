// Package serveevents serves what the functions of the shop did: the log of events, dead letters, the functions themselves, the checks of
// the shop's promises, and mails. The gateway serves the streams that it declares.
package serveevents

import (
	"net/http"
	"strings"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/access"
	"github.com/popup-shop/popup/internal/eventview"
	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/mailtext"
	"github.com/popup-shop/popup/internal/orderview"
	"github.com/popup-shop/popup/internal/web"
)

const name = "serve-events"

// readers admits staff, and programs that read events.
var readers = access.Any(access.Staff, access.Client("events"))

type handler struct {
	publicURL         string
	functions         kept[FunctionsAnswer]
	lastHour, lastDay kept[FlowAnswer]
	checks            kept[ChecksAnswer]
}

// link returns the address that a mail links to.
func (h *handler) link(l mailtext.Message) string {
	return strings.TrimRight(h.publicURL, "/") + l.Path()
}

// New returns the function.
func New(settings config.Access) function.Function {
	h := &handler{publicURL: settings.PublicURL}
	return function.Function{
		Name: name,
		Endpoints: web.Endpoints(name, settings,
			web.Get("/v1/events", readers, listEvents),
			web.Stream[EventStreamRequest, eventview.Event]("/v1/events/stream", readers, eventStreamDoc),
			web.Stream[OrderStreamRequest, orderview.Change]("/v1/orders/{id}/stream", orderReaders, orderStreamDoc),
			web.List("/v1/dead-letters", access.Staff, listDeadLetters),
			web.Get("/v1/dead-letters/{id}", access.Staff, readDeadLetter),
			web.Post("/v1/dead-letters/{id}/redrive", access.Staff, http.StatusAccepted, redrive),
			web.Post("/v1/dead-letters/{id}/discard", access.Admin, http.StatusOK, discard),
			web.Get("/v1/functions", access.Staff, h.listFunctions),
			web.Get("/v1/functions/flow", access.Staff, h.readFlow),
			web.GetTx("/v1/checks", access.Staff, h.runChecks),
			web.List("/v1/mails", access.Staff, listMails),
			web.Get("/v1/mail-samples", access.Staff, h.mailSamples),
			web.Get("/v1/mails/{id}", access.Staff, h.readMail),
			web.Post("/v1/mails/{id}/send", access.Staff, http.StatusAccepted, sendMail),
		),
		Emits:  []events.Event{events.MailRequested{}},
		Writes: []string{"bus.dead_letter_actions"},
	}
}
