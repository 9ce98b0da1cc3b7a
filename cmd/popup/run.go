package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"time"

	"github.com/popup-shop/popup/config"
	"github.com/popup-shop/popup/functions"
	servegateway "github.com/popup-shop/popup/functions/serve-gateway"
	"github.com/popup-shop/popup/infra"
	"github.com/popup-shop/popup/internal/cli/place"
	"github.com/popup-shop/popup/internal/jetstream"
	"github.com/popup-shop/popup/internal/local"
	"github.com/popup-shop/popup/internal/logging"
	"github.com/popup-shop/popup/internal/payment"
	"github.com/popup-shop/popup/internal/picture"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/seed"
)

const door = "serve-gateway"

// gcPercent trades some memory, of which twenty functions in one program need little, for time.
const gcPercent = 400

// restsAfter is how long no event is published before the shop counts as at rest.
const restsAfter = 20 * time.Second

type runCommand struct {
	place.Folder
	firstAdmin
	Listen    string            `env:"POPUP_LISTEN" help:"Address of the shop (default 127.0.0.1:8080, or SERVER_HOST and SERVER_PORT)."`
	Processes bool              `help:"Run each function as a process of its own, started on its first event and stopped when idle."`
	Bin       string            `default:"${bin}" help:"Folder with the functions' programs, for --processes." type:"path"`
	Idle      time.Duration     `default:"30s" help:"Idle time after which a process is stopped, with --processes."`
	Fresh     bool              `help:"Delete the shop's data and start over."`
	Empty     bool              `help:"Start without demo data."`
	Profile   string            `default:"spec" enum:"spec,natss,hostile" help:"Delivery profile of events: ${enum}."`
	Database  string            `env:"DATABASE_URL" help:"Use this Postgres instead of a private one."`
	Postgres  map[string]string `help:"Settings of the private Postgres, such as --postgres=shared_buffers=1GB."`
	Attach    map[string]string `placeholder:"NAME=URL" help:"Deliver the events of a function to a process at this address, such as one under a debugger."`
	Pool      int32             `default:"8" help:"Connections to the database when all functions run in one process."`
}

// Run runs the shop until it is interrupted.
func (c *runCommand) Run(ctx context.Context, out *printer.Printer) error {
	debug.SetGCPercent(gcPercent)
	l, err := c.listen() // before anything is made: a shop that can't be reached leaves nothing behind
	if err != nil {
		return err
	}
	defer l.Close()
	log := logging.NewBounded(os.Stderr)
	defer log.Close(time.Second)
	settings, err := config.Read[settingsOfRun]()
	if err != nil {
		return err
	}
	settings.offerAll()
	if os.Getenv("PUBLIC_URL") == "" { // links lead to where the shop is
		settings.PublicURL = reachable(l.Addr())
	}
	if err := c.useKey(&settings.Settings); err != nil {
		return err
	}
	shop, err := c.open(ctx, &settings.Settings, log)
	if err != nil {
		return err
	}
	defer shop.Close()
	if err := c.seed(ctx, shop); err != nil {
		return err
	}
	admin, err := c.ensure(ctx, shop.Pool)
	if err != nil {
		return err
	}
	admin.warn()
	url := reachable(l.Addr())
	end, err := c.Announce(url)
	if err != nil {
		return err
	}
	defer end()
	if err := c.greet(out, url, admin); err != nil {
		return err
	}
	go rest(ctx, shop.Engine)
	return shop.Serve(ctx, l)
}

// settingsOfRun are the settings of all functions. Methods of payment whose provider has no settings are simulated, so
// they need none.
type settingsOfRun struct{ functions.Settings }

// Check refuses settings that make no sense, by name.
func (s settingsOfRun) Check() error {
	s.CardKey, s.TalerURL, s.KonbiniURL = simulated, simulated, simulated
	return s.Settings.Check()
}

// simulated stands for the address or key of the simulator, which is not open yet.
const simulated = "http://simulated"

// offerAll offers every method of payment, unless the environment says which.
func (s *settingsOfRun) offerAll() {
	if os.Getenv("PAYMENT_METHODS") == "" {
		s.PaymentMethods = payment.Codes()
	}
}

// listen checks the settings and listens at the shop's address.
func (c *runCommand) listen() (net.Listener, error) {
	if err := config.CheckNames(os.Environ()); err != nil {
		return nil, err
	}
	for name := range c.Attach {
		if err := knownFunction(name); err != nil {
			return nil, err
		}
	}
	address, err := c.address()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

// seed adds the demo data, unless the shop is to be empty.
func (c *runCommand) seed(ctx context.Context, shop *local.Shop) error {
	if c.Empty {
		return nil
	}
	if err := seed.Demo(ctx, shop.Pool); err != nil {
		return err
	}
	if err := seed.Showcase(ctx, shop.Pool); err != nil {
		return err
	}
	return seed.Pictures(ctx, shop.Pool, picture.Open(shop.Pictures()).Put)
}

// rest has the shop rest whenever no event has been published for a while: it returns memory to the system and wakes
// rarely.
func rest(ctx context.Context, engine *local.Engine) {
	for ctx.Err() == nil {
		engine.AwaitIdle(ctx, restsAfter)
		began := time.Now()
		engine.SetIdle(true)
		debug.FreeOSMemory()
		engine.AwaitEvent(ctx, began)
		engine.SetIdle(false)
	}
}

func (c *runCommand) open(ctx context.Context, settings *functions.Settings, log io.Writer) (*local.Shop, error) {
	level, err := logLevel()
	if err != nil {
		return nil, err
	}
	traces, err := config.Read[config.Tracing]()
	if err != nil {
		return nil, err
	}
	options := local.Options{
		Dir: c.Dir, DatabaseURL: c.Database, Fresh: c.Fresh, Postgres: c.Postgres, Profile: jetstream.DeliveryProfile(c.Profile), Connections: c.Pool,
		Address: settings.PublicURL, Processes: c.Processes, Bin: c.Bin, Idle: c.Idle, Tick: time.Second, IdleTick: time.Minute, Out: log,
		Attach: c.Attach, Env: environment(settings),
		Relay: os.Getenv("SMTP_URL"), Tracing: traces, Log: logging.NewText(log, level),
	}
	if c.Processes { // so that the programs of the clock can stop too
		options.Tick = time.Minute
		for _, secret := range []string{"TOKEN_KEYS", "CARD_KEY", "CARD_WEBHOOK_SECRET", "TALER_TOKEN", "TALER_WEBHOOK_SECRET", "KONBINI_KEY", "KONBINI_WEBHOOK_SECRET"} {
			os.Unsetenv(secret) // those who need it get it, and no other
		}
		os.Setenv("LOG_LEVEL", level.String())
	}
	shop, err := local.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	settings.SMTP, settings.Pictures, settings.Payments = shop.SMTP, shop.Pictures(), shop.Simulator.Settings(settings.Payments)
	if err := startShop(ctx, shop, *settings); err != nil {
		shop.Close()
		return nil, err
	}
	return shop, nil
}

// address returns where the shop listens: at --listen, or where PORT, SERVER_PORT and SERVER_HOST are set, at these.
func (c *runCommand) address() (string, error) {
	settings, err := config.Read[config.Process]()
	if err != nil || c.Listen != "" {
		return c.Listen, err
	}
	settings.ServerHost = cmp.Or(settings.ServerHost, "127.0.0.1")
	return settings.Address(), nil
}

// logLevel returns LOG_LEVEL, or warn where it is not set.
func logLevel() (level slog.Level, err error) {
	text := cmp.Or(os.Getenv("LOG_LEVEL"), "warn")
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("LOG_LEVEL=%s: must be debug, info, warn or error", text)
	}
	return level, nil
}

// startShop starts all functions, with the gateway calling the others without HTTP where they are in this program.
func startShop(ctx context.Context, shop *local.Shop, settings functions.Settings) error {
	triggers, err := local.ReadTriggers(functions.Manifests, infra.Delivery)
	if err != nil {
		return err
	}
	return shop.Start(ctx, functions.All(settings), triggers, local.Gateway{Name: door, Within: servegateway.Within(servegateway.Settings{Gateway: settings.Gateway, Access: settings.Access})})
}

// reachable returns the URL at which programs on this machine reach what listens at an address.
func reachable(listening net.Addr) string {
	at, err := netip.ParseAddrPort(listening.String())
	if err == nil && at.Addr().IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", at.Port())
	}
	return "http://" + listening.String()
}

// opened is an open shop.
type opened struct {
	Shop    string `json:"shop"`
	Mailbox string `json:"mailbox"`
	admin
}

// greet shows where the shop is, the first admin's password when it was made just now, and what is attached.
func (c *runCommand) greet(out *printer.Printer, url string, a admin) error {
	for name, process := range c.Attach {
		fmt.Fprintf(os.Stderr, "popup: the events of %s go to %s; its settings are in %s\n", name, process, local.AttachFile(c.Dir, name))
	}
	return out.Done(opened{url, url + "/mailbox", a}, `
  popup is open.

  shop         %[1]s
  API          %[1]s/docs
  mailbox      %[1]s/mailbox
  simulator    %[1]s/simulator

`+a.line()+`  popup events   shows what happens
  popup check    proves that nothing was lost

  Press Ctrl-C to close.
`, url)
}
