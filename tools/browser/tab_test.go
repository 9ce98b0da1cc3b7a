package browser

import (
	"context"
	_ "embed" // axe
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

//go:embed vendor/axe.min.js
var axe string

// browser starts one Chromium for all tests.
var browser = sync.OnceValue(func() context.Context {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "start chromium (make needs installs it):", err)
		os.Exit(1)
	}
	return ctx
})

// patience is how long a step in a tab may take.
const patience = 10 * time.Second

// tab is a visitor's window, with cookies of its own.
type tab struct {
	t      testing.TB
	ctx    context.Context
	access string // token of the account; "" for visitors

	mu       sync.Mutex
	errors   []string         // of scripts and of the content policy
	received map[string]int64 // bytes by address
	urls     map[network.RequestID]string
}

// open opens a window for a visitor, or for the account of an access token.
func open(t testing.TB, access string) *tab {
	t.Helper()
	return window(t, browser(), access, chromedp.WithNewBrowserContext())
}

// sameVisitor opens another window for the visitor of a window.
func sameVisitor(t testing.TB, w *tab) *tab {
	t.Helper()
	return window(t, w.ctx, w.access)
}

func window(t testing.TB, parent context.Context, access string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent, options...)
	t.Cleanup(cancel)
	w := &tab{t: t, ctx: ctx, access: access, received: map[string]int64{}, urls: map[network.RequestID]string{}}
	require.NoError(t, chromedp.Listen(ctx, w.note))
	w.command(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	})
	w.command(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, log.Enable, cdp.Empty{})
		return err
	})
	if access != "" {
		w.cookie("popup-access", access)
	}
	w.size(1440)
	return w
}

// note records what a test looks at later.
func (w *tab) note(event any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		if !strings.Contains(text, "InvalidStateError: Transition was aborted") { // what the browser reports when a page without transitions follows, such as a provider's
			w.errors = append(w.errors, text)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 4") {
			w.errors = append(w.errors, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		w.urls[e.RequestID] = e.Request.URL
	case *network.EventLoadingFinished:
		w.received[w.urls[e.RequestID]] += int64(e.EncodedDataLength)
	}
}

// do takes steps in the window.
func (w *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.shot("failed")
		require.NoError(w.t, err, "at %s", w.where())
	}
}

func (w *tab) command(call func(ctx context.Context) error) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	require.NoError(w.t, call(ctx))
}

// visit opens a page and waits until it is loaded.
func (w *tab) visit(path string) {
	w.t.Helper()
	w.do(chromedp.Navigate(site + path))
}

// click clicks the first element of a CSS selector.
func (w *tab) click(selector string) {
	w.t.Helper()
	w.do(chromedp.WaitVisible(chromedp.CSS(selector)), chromedp.Click(chromedp.CSS(selector)))
}

// fill types into fields in place of what is there: names and values, in turn.
func (w *tab) fill(pairs ...string) {
	w.t.Helper()
	for i := 0; i+1 < len(pairs); i += 2 {
		require.True(w.t, eval[bool](w, fmt.Sprintf(`(() => {
			const field = document.querySelector('main [name="%s"]');
			field.focus();
			field.select();
			return document.activeElement === field;
		})()`, pairs[i])), pairs[i])
		w.do(chromedp.KeyEvent(pairs[i+1]))
	}
}

// see waits until the page shows a text.
func (w *tab) see(text string) {
	w.t.Helper()
	w.await(fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.includes(%q)`, text), "no %q", text)
}

// await waits until an expression is true.
func (w *tab) await(expression, message string, arguments ...any) {
	w.t.Helper()
	w.awaitFor(patience, expression, message, arguments...)
}

func (w *tab) awaitFor(long time.Duration, expression, message string, arguments ...any) {
	w.t.Helper()
	deadline := time.Now().Add(long)
	for {
		ctx, cancel := context.WithTimeout(w.ctx, patience)
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		cancel()
		if err == nil && ok {
			return
		}
		if time.Now().After(deadline) {
			w.shot("failed")
			require.Fail(w.t, fmt.Sprintf(message, arguments...), "at %s: %s", w.where(), w.text())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// eval returns the value of an expression of the page.
func eval[T any](w *tab, expression string) T {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(w.t, err, expression)
	return value
}

func (w *tab) text() string {
	return eval[string](w, `document.querySelector("main").innerText.replace(/\s+/g, " ").slice(0, 400)`)
}

func (w *tab) where() string {
	return eval[string](w, `location.pathname + location.search + location.hash`)
}

// cookie sets a cookie of the shop.
func (w *tab) cookie(name, value string) {
	w.t.Helper()
	w.command(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, network.SetCookie, network.SetCookieParams{Name: name, Value: value, URL: site, HTTPOnly: new(true)})
		return err
	})
}

// size sets the width of the window; narrow ones have a touch screen.
func (w *tab) size(width int64) {
	w.t.Helper()
	height := int64(900)
	if width < 600 {
		height = 844
	}
	w.do(chromedp.EmulateViewport(width, height))
}

// scripts turns the scripts of pages off or on.
func (w *tab) scripts(on bool) {
	w.t.Helper()
	w.command(func(ctx context.Context) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	})
}

// showAll loads the pictures that are not in view yet.
const showAll = `Promise.all([...document.images].map(image => {
	image.loading = "eager";
	return image.complete ? null : new Promise(done => { image.onload = image.onerror = done; });
})).then(() => true)`

// shot writes a picture of the whole page into the folder SCREENSHOTS, if it is set.
func (w *tab) shot(name string) {
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	_, _ = chromedp.Run(ctx, chromedp.Evaluate[bool](showAll, chromedp.EvalAwaitPromise))
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		w.t.Logf("screenshot %s: %v", name, err)
		return
	}
	require.NoError(w.t, os.MkdirAll(folder, 0o755))
	require.NoError(w.t, os.WriteFile(folder+"/"+name+".png", picture, 0o644))
}

// faults returns what axe finds wrong with the page.
func (w *tab) faults() []string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	require.NoError(w.t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](axe+"; true"))
		return err
	})))
	return eval[[]string](w, `axe.run(document, {
		runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
	}).then(result => result.violations.map(v => v.id + ": " + v.help + " at " +
		v.nodes.map(n => n.target.join(" ") + " (" + (n.any[0]?.message || n.all[0]?.message || n.none[0]?.message || "") + ")").slice(0, 3).join(", ")))`)
}

// shift returns how far the layout moved while the page loaded.
func (w *tab) shift() float64 {
	w.t.Helper()
	return eval[float64](w, `new Promise(resolve => {
		let sum = 0;
		new PerformanceObserver(list => { for (const e of list.getEntries()) sum += e.value; }).observe({type: "layout-shift", buffered: true});
		setTimeout(() => resolve(sum), 50);
	})`)
}

// requireNoErrors requires that no script failed and that the content policy blocked nothing.
func (w *tab) requireNoErrors() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(w.t, w.errors)
}
