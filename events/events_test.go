package events_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/events"
)

// onEverySample runs the test on each event, read strictly from its sample.
func onEverySample(t *testing.T, test func(t *testing.T, sample []byte, e events.Event)) {
	t.Helper()
	t.Parallel()
	for _, zero := range events.All() {
		t.Run(zero.EventType(), func(t *testing.T) {
			t.Parallel()
			sample, err := os.ReadFile(filepath.Join("testdata", zero.EventType()+".json"))
			require.NoError(t, err)
			e := reflect.New(reflect.TypeOf(zero))
			strict := json.NewDecoder(bytes.NewReader(sample))
			strict.DisallowUnknownFields()
			require.NoError(t, strict.Decode(e.Interface()))
			test(t, sample, e.Elem().Interface().(events.Event))
		})
	}
}

// EVT-01.
func TestEverySampleIsWhatItsEventWrites(t *testing.T) {
	onEverySample(t, func(t *testing.T, sample []byte, e events.Event) {
		written, err := json.Marshal(e)
		require.NoError(t, err)
		require.JSONEq(t, string(sample), string(written))
	})
}

func TestEverySampleIsAboutSomethingInIt(t *testing.T) {
	onEverySample(t, func(t *testing.T, sample []byte, e events.Event) {
		about := e.About()
		require.NotEmpty(t, about.Subject)
		require.Contains(t, string(sample), `"`+about.Subject+`"`)
		require.Equal(t, idsOf(t, sample), ids{OrderID: about.OrderID, Version: about.Version})
	})
}

// ids are the fields of an event's data that travel as attributes too.
type ids struct {
	OrderID string `json:"order_id"`
	Version int64  `json:"version"`
}

func idsOf(t *testing.T, sample []byte) (of ids) {
	t.Helper()
	require.NoError(t, json.Unmarshal(sample, &of))
	return of
}

func TestTheSamplesAreOfOneOrder(t *testing.T) {
	t.Parallel()
	orders := map[string]bool{}
	for _, file := range samples(t) {
		sample, err := os.ReadFile(file)
		require.NoError(t, err)
		if of := idsOf(t, sample); of.OrderID != "" {
			orders[of.OrderID] = true
		}
	}
	require.Len(t, orders, 1)
}

func TestEverySampleIsSmallEnoughForTheWire(t *testing.T) {
	onEverySample(t, func(t *testing.T, sample []byte, _ events.Event) { require.LessOrEqual(t, len(sample), 64<<10) })
}

func TestNoSampleIsWithoutItsEvent(t *testing.T) {
	t.Parallel()
	for _, file := range samples(t) {
		_, known := events.ByType(strings.TrimSuffix(filepath.Base(file), ".json"))
		require.True(t, known, "%s is the sample of no event", file)
	}
}

func samples(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

var (
	nounAndParticiple = regexp.MustCompile(`^[a-z]+\.[a-z]+$`)
	irregular         = []string{"short", "hidden", "paid", "sent", "withdrawn", "forgotten", "held"}
	due               = []string{"due", "overdue", "rested", "silent"} // what the clock says
)

func TestEveryTypeIsANounAndAParticiple(t *testing.T) {
	t.Parallel()
	for _, e := range events.All() {
		name := e.EventType()
		require.Regexp(t, nounAndParticiple, name)
		_, word, _ := strings.Cut(name, ".")
		if _, tick := e.(events.Tick); tick {
			require.Contains(t, due, word, "%s is a tick", name)
			continue
		}
		require.True(t, strings.HasSuffix(word, "ed") || slices.Contains(irregular, word), "%s is in the past tense", name)
	}
}

func TestEveryTypeIsThereOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range events.All() {
		require.False(t, seen[e.EventType()], e.EventType())
		seen[e.EventType()] = true
		found, known := events.ByType(e.EventType())
		require.True(t, known)
		require.Equal(t, e, found)
		require.Equal(t, "shop.popup."+e.EventType(), events.WireType(e))
	}
	_, known := events.ByType("order.forgotten")
	require.False(t, known)
}

// The types of the aliases, as the documentation lists them.
var (
	upperCase = map[string][]string{
		"ORDER_REQUESTED": {"order.placed"}, "INVENTORY_RESERVED": {"stock.reserved"}, "INVENTORY_NOT_RESERVED": {"stock.short"},
		"TRANSACTION_COMPLETED": {"payment.paid"}, "TRANSACTION_FAILED": {"payment.failed"}, "ORDER_ACCEPTED": {"order.confirmed"},
		"ORDER_SHIPPED": {"order.shipped"}, "ORDER_COMPLETED": {"order.completed"},
		"ORDER_CANCELLED": {"order.rejected", "order.expired", "order.cancelled"},
	}
	lowerCase = map[string][]string{
		"order.created": {"order.placed"}, "order.paid": {"payment.paid"}, "order.status_changed": {"order.advanced"},
		"order.points_applied": {"points.held"},
		"order.shipped":        {"order.shipped"}, "order.delivered": {"order.delivered"}, "order.cancelled": {"order.cancelled"},
	}
)

func TestTheAliasesNameTypesThatExist(t *testing.T) {
	t.Parallel()
	upper, lower := map[string][]string{}, map[string][]string{}
	for _, e := range events.All() {
		for _, alias := range events.Aliases(e.EventType()) {
			of := lower
			if alias == strings.ToUpper(alias) {
				of = upper
			}
			of[alias] = append(of[alias], e.EventType())
		}
	}
	require.Equal(t, upperCase, upper)
	require.Equal(t, lowerCase, lower)
}

func TestTheUpperCaseAliasComesFirst(t *testing.T) {
	t.Parallel()
	for eventType, first := range map[string]string{
		"order.placed": "ORDER_REQUESTED", "order.advanced": "order.status_changed", "order.withdrawn": "",
	} {
		require.Equal(t, first, events.Alias(eventType))
	}
}

func TestEverySampleIsReadByItsType(t *testing.T) {
	onEverySample(t, func(t *testing.T, sample []byte, e events.Event) {
		read, err := events.Read(e.EventType(), sample)
		require.NoError(t, err)
		require.Equal(t, e, read)
	})
	_, err := events.Read("order.forgotten", []byte(`{}`))
	require.ErrorContains(t, err, "order.forgotten")
	_, err = events.Read("order.placed", []byte(`[]`))
	require.ErrorContains(t, err, "order.placed")
}

// personal is what a field of personal data could be called, or end in.
var personal = regexp.MustCompile(
	`(^|_)(email|e_mail|phone|address|address_line\d|street|city|prefecture|region|postal_code|recipient|customer_name|(first|last|full|user)_?name|birthday|ip|token)$`)

// EVT-08.
func TestNoFieldIsPersonal(t *testing.T) {
	t.Parallel()
	for _, e := range events.All() {
		for _, field := range fieldNames(reflect.TypeOf(e)) {
			require.NotRegexp(t, personal, field, e.EventType())
			require.True(t, field != "name" && field != "mail", "%s: %s of whom?", e.EventType(), field)
		}
	}
}

// fieldNames lists the fields of a type and of all types in it. The name of a line is that of a product.
func fieldNames(of reflect.Type) (names []string) {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || of.PkgPath() == "time" {
		return nil
	}
	for _, field := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if !field.IsExported() || of == reflect.TypeFor[events.PlacedLine]() && name == "name" {
			continue
		}
		names = append(append(names, name), fieldNames(field.Type)...)
	}
	return names
}

func TestEveryFieldOfDataIsNamedInSnakeCase(t *testing.T) {
	t.Parallel()
	snake := regexp.MustCompile(`^([a-z]+(_[a-z]+)*|-)$`)
	for _, e := range events.All() {
		for _, field := range fieldNames(reflect.TypeOf(e)) {
			require.Regexp(t, snake, field, e.EventType())
		}
	}
}

func TestAPlacedOrderIsDelayedByItsAttributeAlone(t *testing.T) {
	t.Parallel()
	delayed := events.OrderPlaced{OrderID: "o", Delayed: true}
	require.True(t, delayed.About().Delayed)
	data, err := json.Marshal(delayed)
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(string(data)), "delayed")
}

func TestThePlacedSampleAddsUp(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("testdata/order.placed.json")
	require.NoError(t, err)
	var placed events.OrderPlaced
	require.NoError(t, json.Unmarshal(sample, &placed))
	var subtotal int64
	for _, line := range placed.Lines {
		require.Equal(t, line.Quantity*line.UnitPriceMinor, line.TotalMinor)
		subtotal += line.TotalMinor
	}
	require.Equal(t, subtotal, placed.SubtotalMinor)
	require.Equal(t, subtotal+placed.DeliveryFeeMinor+placed.TaxMinor-placed.DiscountMinor, placed.TotalMinor)
}
