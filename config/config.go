// Package config reads settings from the environment, one struct per need, once, at the edge. Each variable has a
// description; `popup env` prints them all.
package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/kelseyhightower/envconfig"
)

// Read fills a struct of settings. Its error names the setting that is wrong.
func Read[C any]() (C, error) {
	var c C
	err := envconfig.Process("", &c)
	if checked, ok := any(c).(interface{ Check() error }); err == nil && ok {
		err = checked.Check()
	}
	return c, err
}

// Process is what every program needs to run.
type Process struct {
	Port            int           `envconfig:"PORT" desc:"port to listen on; SERVER_PORT when not set"`
	ServerHost      string        `envconfig:"SERVER_HOST" desc:"address to listen on; all when empty"`
	ServerPort      int           `envconfig:"SERVER_PORT" default:"8080" desc:"port to listen on"`
	LogLevel        string        `envconfig:"LOG_LEVEL" default:"info" desc:"debug, info, warn or error"`
	ShutdownTimeout time.Duration `envconfig:"SHUTDOWN_TIMEOUT" default:"30s" desc:"how long work in hand may take at the end"`
	Revision        string        `envconfig:"K_REVISION" desc:"revision of the function, set by Knative"`
	Sink            string        `envconfig:"K_SINK" desc:"address of the broker, set by the SinkBinding"`
	Production      bool          `envconfig:"PRODUCTION" desc:"true: the start fails with default passwords, with plain text to the database or to a broker outside the cluster, and with simulated payments"`
	Tracing
}

// Check returns an error that names the first invalid setting.
func (p Process) Check() error {
	if p.Production && p.Sink != "" {
		if err := CheckSafe("K_SINK", p.Sink); err != nil {
			return err
		}
	}
	return p.Tracing.Check()
}

// Tracing is the address that traces are sent to.
type Tracing struct {
	Endpoint string   `envconfig:"OTEL_EXPORTER_OTLP_ENDPOINT" desc:"collector of traces, OTLP over HTTP, such as http://collector:4318; none: no traces"`
	Headers  []string `envconfig:"OTEL_EXPORTER_OTLP_HEADERS" desc:"headers for the collector, such as authorization=Bearer x; several with commas"`
}

// Header returns the headers by name.
func (t Tracing) Header() map[string]string {
	header := map[string]string{}
	for _, each := range t.Headers {
		name, value, _ := strings.Cut(each, "=")
		header[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return header
}

// Check refuses settings that make no sense, by name.
func (t Tracing) Check() error {
	if at, err := url.Parse(t.Endpoint); t.Endpoint != "" &&
		(err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		// it may hold a password
		return errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: must be an address like http://collector:4318")
	}
	return nil
}

// Address is where the program listens.
func (p Process) Address() string {
	port := p.Port
	if port == 0 {
		port = p.ServerPort
	}
	return net.JoinHostPort(p.ServerHost, strconv.Itoa(port))
}

// Database is the address of Postgres.
type Database struct {
	URL      string `envconfig:"DATABASE_URL" desc:"Postgres, as a URL; or the DB_ settings"`
	Host     string `envconfig:"DB_HOST" default:"localhost" desc:"host of Postgres"`
	Port     int    `envconfig:"DB_PORT" default:"5432" desc:"port of Postgres"`
	User     string `envconfig:"DB_USER" desc:"role to log in as; a function's own on Knative, popup elsewhere"`
	Service  string `envconfig:"K_SERVICE" desc:"name of the function, set by Knative"`
	Password string `envconfig:"DB_PASSWORD" desc:"password of the role"`
	Name     string `envconfig:"DB_NAME" default:"popup" desc:"database"`
	Pool     int32  `envconfig:"DB_POOL" default:"4" desc:"connections at most"`
	SSLMode  string `envconfig:"DB_SSLMODE" desc:"encryption of connections, as libpq names it: require, verify-ca, verify-full; encrypted where Postgres offers it when empty"`
	Pooler   string `envconfig:"DB_POOLER" desc:"transaction: a pooler in transaction mode stands before Postgres, such as pgbouncer"`

	Production bool `envconfig:"PRODUCTION" desc:"true: the start fails with default passwords, with plain text to the database or to a broker outside the cluster, and with simulated payments"`
}

// PoolerTransaction is the Pooler that gives each transaction whatever connection is free.
const PoolerTransaction = "transaction"

// Check returns an error for a pooler of another kind.
func (d Database) Check() error {
	if d.Pooler != "" && d.Pooler != PoolerTransaction {
		return fmt.Errorf("DB_POOLER=%s: must be empty or %s", d.Pooler, PoolerTransaction)
	}
	if d.Production {
		return d.checkSafe()
	}
	return nil
}

// Address is the database as a URL.
func (d Database) Address() string {
	if d.URL != "" {
		return d.URL
	}
	u := url.URL{
		Scheme: "postgres", Host: net.JoinHostPort(d.Host, strconv.Itoa(d.Port)), Path: d.Name,
		User: url.UserPassword(cmp.Or(d.User, d.Service, "popup"), d.Password),
	}
	if d.SSLMode != "" {
		u.RawQuery = url.Values{"sslmode": {d.SSLMode}}.Encode()
	}
	return u.String()
}

// session is how functions talk to Postgres. All names in SQL have their schema. The search path is that of the
// triggers which run with their owner's rights: with another, Postgres would plan what both run anew at each turn. What
// is asked often is in memory, where a page anywhere costs as much as the next one. A function that stands still inside
// a transaction, stopped or cut off, loses its connection and with it its locks: no handler waits for anything but the
// database in one.
var session = map[string]string{
	"application_name": "popup", "lock_timeout": "2s", "statement_timeout": "5s", "idle_in_transaction_session_timeout": "10s",
	"plan_cache_mode": "force_generic_plan", "jit": "off", "random_page_cost": "1.1", "search_path": "pg_catalog, pg_temp",
}

// Session returns the settings of a function's session. A login role has them, too, for connections through a pooler
// that refuses settings.
func Session() map[string]string { return maps.Clone(session) }

// idleConnection is how long an unused connection stays open: a backend of Postgres takes some megabytes.
const idleConnection = 45 * time.Second

// Open opens a pool. It does not connect yet: a database that starts later is waited for by those who use it.
func (d Database) Open(ctx context.Context) (*pgxpool.Pool, error) { return d.OpenTraced(ctx, nil) }

// OpenTraced opens a pool whose connections report what they send to a tracer, if there is one.
func (d Database) OpenTraced(ctx context.Context, tracer pgx.QueryTracer) (*pgxpool.Pool, error) {
	settings, err := pgxpool.ParseConfig(d.Address())
	if err != nil {
		return nil, fmt.Errorf("read DATABASE_URL: %w", err)
	}
	settings.MaxConns = d.Pool
	settings.MaxConnIdleTime, settings.HealthCheckPeriod = idleConnection, idleConnection/3
	settings.ConnConfig.Tracer = tracer
	if d.Pooler == PoolerTransaction { // it accepts neither settings of a session nor the names of prepared statements
		settings.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		return pgxpool.NewWithConfig(ctx, settings)
	}
	for name, value := range session {
		if _, set := settings.ConnConfig.RuntimeParams[name]; !set {
			settings.ConnConfig.RuntimeParams[name] = value
		}
	}
	return pgxpool.NewWithConfig(ctx, settings)
}

// Shop is how the shop does business.
type Shop struct {
	StockCheckDelay   time.Duration `envconfig:"STOCK_CHECK_DELAY" default:"0s" desc:"how long the stock check is put off"`
	PaymentCheckDelay time.Duration `envconfig:"PAYMENT_CHECK_DELAY" default:"0s" desc:"how long the payment check is put off"`
	HoldTime          time.Duration `envconfig:"HOLD_TIME" default:"30m" desc:"how long a pending order holds its stock"`
	PayTime           time.Duration `envconfig:"PAY_TIME" default:"168h" desc:"how long an authorised order may stay unpaid"`
	PickupTime        time.Duration `envconfig:"PICKUP_TIME" default:"168h" desc:"how long goods wait to be picked up"`
	StaffTime         time.Duration `envconfig:"STAFF_TIME" default:"72h" desc:"how long an order may wait for staff before they get a mail"`
	CompleteAfter     time.Duration `envconfig:"COMPLETE_AFTER" default:"0s" desc:"how long a delivered order rests before it is completed"`
	CarrierPace       time.Duration `envconfig:"CARRIER_PACE" default:"0s" desc:"time between two moves of an automatic shipment"`
	Shipping          string        `envconfig:"SHIPPING" default:"auto" desc:"auto: shipments move by themselves; manual: staff moves them"`
	PaymentMethods    []string      `envconfig:"PAYMENT_METHODS" default:"simulated" desc:"methods that customers may choose"`
	SimulatedSuccess  float64       `envconfig:"SIMULATED_SUCCESS" default:"0.9" desc:"chance of a simulated payment, 0 to 1"`
	BasketLife        time.Duration `envconfig:"BASKET_LIFE" default:"168h" desc:"how long a basket lives after its last change"`
	PointsLife        time.Duration `envconfig:"POINTS_LIFE" default:"8760h" desc:"how long points can be used after they came in"`
	PointsPer         int64         `envconfig:"POINTS_PER" default:"1000" desc:"minor units paid that earn a point; 0: none are earned"`
	TaxJPY            int64         `envconfig:"TAX_JPY" default:"10" desc:"tax on orders in yen, in percent"`
}

// Check refuses settings that make no sense, by name.
func (s Shop) Check() error {
	positive := map[string]time.Duration{
		"HOLD_TIME": s.HoldTime, "PAY_TIME": s.PayTime, "PICKUP_TIME": s.PickupTime, "STAFF_TIME": s.StaffTime,
		"BASKET_LIFE": s.BasketLife, "POINTS_LIFE": s.PointsLife,
	}
	for name, value := range positive {
		if value <= 0 {
			return fmt.Errorf("%s=%s: must be above 0", name, value)
		}
	}
	for name, value := range map[string]time.Duration{
		"STOCK_CHECK_DELAY": s.StockCheckDelay, "PAYMENT_CHECK_DELAY": s.PaymentCheckDelay,
		"COMPLETE_AFTER": s.CompleteAfter, "CARRIER_PACE": s.CarrierPace,
	} {
		if value < 0 {
			return fmt.Errorf("%s=%s: must not be negative", name, value)
		}
	}
	switch {
	case s.Shipping != "auto" && s.Shipping != "manual":
		return fmt.Errorf("SHIPPING=%s: must be auto or manual", s.Shipping)
	case s.SimulatedSuccess < 0 || s.SimulatedSuccess > 1:
		return fmt.Errorf("SIMULATED_SUCCESS=%g: must be between 0 and 1", s.SimulatedSuccess)
	case s.PointsPer < 0:
		return fmt.Errorf("POINTS_PER=%d: must not be negative", s.PointsPer)
	case s.TaxJPY < 0 || s.TaxJPY > 100:
		return fmt.Errorf("TAX_JPY=%d: must be between 0 and 100", s.TaxJPY)
	}
	return nil
}

// Mail is how mails leave.
type Mail struct {
	SMTP  string `envconfig:"SMTP_URL" default:"smtp://localhost:1025" desc:"mail server: smtp://user:password@host:port, smtps:// for TLS"`
	From  string `envconfig:"MAIL_FROM" default:"popup <shop@popup.example>" desc:"sender of all mails"`
	Staff string `envconfig:"STAFF_MAIL" default:"staff@popup.example" desc:"address for mails to staff"`
	Daily int    `envconfig:"MAILS_PER_DAY" default:"100" desc:"mails a day to an address that is not that of the account that ordered; 0: no limit"`
}

// Pictures is where pictures are kept.
type Pictures struct {
	S3URL    string `envconfig:"S3_URL" desc:"address of the S3-compatible store that keeps pictures; none: there is nowhere to put any"`
	S3Bucket string `envconfig:"S3_BUCKET" default:"pictures" desc:"bucket of the pictures; it is there already"`
	S3Region string `envconfig:"S3_REGION" default:"us-east-1" desc:"region of the bucket"`
	S3Key    string `envconfig:"S3_KEY" desc:"name of the access key to it"`
	S3Secret string `envconfig:"S3_SECRET" desc:"secret of the access key to it"`
	PictureURL
}

// PictureURL is where browsers find pictures.
type PictureURL struct {
	PicturesURL string `envconfig:"PICTURES_URL" default:"/pictures/" desc:"what the addresses of pictures begin with; their names follow"`
}

// Check refuses an address that names cannot follow.
func (p PictureURL) Check() error {
	if !strings.HasSuffix(p.PicturesURL, "/") {
		return fmt.Errorf("PICTURES_URL=%s: must end with /", p.PicturesURL)
	}
	return nil
}

// Check refuses settings that make no sense, by name.
func (p Pictures) Check() error {
	if at, err := url.Parse(p.S3URL); p.S3URL != "" &&
		(err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		return errors.New("S3_URL: must be an address like https://s3.example.org") // it may hold a password
	}
	for name, value := range map[string]string{"S3_BUCKET": p.S3Bucket, "S3_KEY": p.S3Key, "S3_SECRET": p.S3Secret} {
		if p.S3URL != "" && value == "" {
			return fmt.Errorf("%s: is missing, and S3_URL is not", name)
		}
	}
	return p.PictureURL.Check()
}

// Pages is where the pages of the shop find the API, and their own files.
type Pages struct {
	APIURL    string `envconfig:"API_URL" default:"http://serve-gateway.shop" desc:"address of the gateway, at which the pages call the API; shop is its namespace"`
	StaticDir string `envconfig:"STATIC_DIR" desc:"folder with files such as style.css that take the place of the program's own; none: its own"`
}

// Check refuses an address that can't be called.
func (p Pages) Check() error {
	if at, err := url.Parse(p.APIURL); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return fmt.Errorf("API_URL=%s: must be an address like http://serve-gateway.shop", p.APIURL)
	}
	return nil
}
