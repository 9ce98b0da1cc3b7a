// Package logging makes the loggers of the shop: one structured line per call or event, with the trace that it belongs
// to and the version of the program, and without e-mail addresses.
package logging

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/popup-shop/popup/internal/cloudevent"
)

// NewJSON returns a logger that writes lines of JSON.
func NewJSON(w io.Writer, level slog.Leveler) *slog.Logger {
	return wrap(slog.NewJSONHandler(w, options(level)))
}

// NewText returns a logger that writes lines for people.
func NewText(w io.Writer, level slog.Leveler) *slog.Logger {
	return wrap(slog.NewTextHandler(w, options(level)))
}

func options(level slog.Leveler) *slog.HandlerOptions {
	return &slog.HandlerOptions{Level: level, ReplaceAttr: redactAttr}
}

func wrap(h slog.Handler) *slog.Logger { return slog.New(handler{h}).With("version", Version()) }

// handler adds trace_id and span_id of the context to each line.
type handler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if traceID, spanID, ok := cloudevent.SplitTrace(cloudevent.Trace(ctx)); ok {
		r.AddAttrs(slog.String("trace_id", traceID), slog.String("span_id", spanID))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// redactAttr removes e-mail addresses from what a line has: mail servers, databases and decoders quote what they
// reject.
func redactAttr(_ []string, a slog.Attr) slog.Attr {
	switch {
	case a.Value.Kind() == slog.KindString:
		a.Value = slog.StringValue(Redact(a.Value.String()))
	case a.Value.Kind() != slog.KindAny:
	case a.Value.Any() == nil: // an error that is none
		return slog.Attr{}
	default:
		a.Value = slog.StringValue(Redact(fmt.Sprint(a.Value.Any())))
	}
	return a
}

var emailForm = regexp.MustCompile(`[^\s"'<>()\[\]{},;:=&?/\\]+(@|%40)[^\s"'<>()\[\]{},;:=&?/\\]+`)

// Redact returns a text with every e-mail address replaced.
func Redact(text string) string {
	if !strings.Contains(text, "@") && !strings.Contains(text, "%40") {
		return text
	}
	return emailForm.ReplaceAllString(text, "[e-mail]")
}

// Version returns the version of the program: that of its module, or the commit that it was built from, or devel.
var Version = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	var commit string
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			commit = setting.Value[:min(len(setting.Value), 12)]
		}
	}
	return cmp.Or(strings.Replace(info.Main.Version, "(devel)", "", 1), commit, "devel")
})
