package payment

import (
	"slices"
	"time"

	"github.com/popup-shop/popup/internal/money"
)

// Mode is when the customer pays.
type Mode string

// Modes.
const (
	Direct   Mode = "direct"         // the outcome is known at once
	Deferred Mode = "deferred"       // the customer pays afterwards, elsewhere
	Before   Mode = "pre-authorised" // the customer agreed to an amount before, and has it captured afterwards
)

// Method is a way to pay, with its rules.
type Method struct {
	Code     string
	Provider string
	Mode     Mode
	Currency string // the only one that it takes; any when empty
	AtMost   int64  // of the currency's smallest coin; 0: no limit
	// Simulated is whether no money moves: the shop draws the outcome.
	Simulated bool
	name      [2]string
}

// slipAtMost is the most that a convenience store takes for one slip, in yen.
const slipAtMost = 299_999

var tokyo = time.FixedZone("JST", 9*60*60)

// Tokyo is where deadlines of slips are counted. Japan has no daylight saving.
func Tokyo() *time.Location { return tokyo }

var methods = []Method{
	{Code: "card", Provider: "card", Mode: Deferred, name: [2]string{"Card", "クレジットカード"}},
	{Code: "paypay", Provider: "paypay", Mode: Direct, Simulated: true, Currency: "JPY", name: [2]string{"PayPay", "PayPay"}},
	{Code: "rakuten_pay", Provider: "rakuten_pay", Mode: Direct, Simulated: true, Currency: "JPY", name: [2]string{"Rakuten Pay", "楽天ペイ"}},
	slipMethod("seven_eleven", "Seven-Eleven", "セブン-イレブン"),
	slipMethod("lawson", "Lawson", "ローソン"),
	slipMethod("family_mart", "FamilyMart", "ファミリーマート"),
	slipMethod("ministop", "Ministop", "ミニストップ"),
	slipMethod("seicomart", "Seicomart", "セイコーマート"),
	{Code: "taler", Provider: "taler", Mode: Deferred, name: [2]string{"GNU Taler", "GNU Taler"}},
	{Code: "simulated", Provider: "simulated", Mode: Direct, Simulated: true, name: [2]string{"Test payment", "テスト決済"}},
	{Code: PreAuthorised, Provider: PreAuthorised, Mode: Before, Simulated: true, name: [2]string{"Pre-authorised amount", "事前承認"}},
}

func slipMethod(chain, english, japanese string) Method {
	return Method{
		Code: "konbini_" + chain, Provider: "konbini", Mode: Deferred, Currency: "JPY", AtMost: slipAtMost,
		name: [2]string{english + " (pay in the shop)", japanese + "（店頭払い）"},
	}
}

// Name is the name of the method for people, in English or Japanese.
func (m Method) Name(language string) string {
	if language == "ja" {
		return m.name[1]
	}
	return m.name[0]
}

// Takes reports whether the method can be used for an amount.
func (m Method) Takes(amount money.Amount) bool {
	return (m.Currency == "" || m.Currency == amount.Currency) && (m.AtMost == 0 || amount.Minor <= m.AtMost)
}

// MethodOf returns a method by its code. ok is false for one that popup does not know.
func MethodOf(code string) (m Method, ok bool) {
	i := slices.IndexFunc(methods, func(m Method) bool { return m.Code == code })
	if i < 0 {
		return Method{}, false
	}
	return methods[i], true
}

// Methods returns all methods, in the order in which they are shown.
func Methods() []Method { return slices.Clone(methods) }

// Enabled returns the methods with the given codes, in the order in which they are shown.
func Enabled(codes []string) (enabled []Method) {
	for _, m := range methods {
		if slices.Contains(codes, m.Code) {
			enabled = append(enabled, m)
		}
	}
	return enabled
}

// Codes lists the codes of all methods.
func Codes() (codes []string) {
	for _, m := range methods {
		codes = append(codes, m.Code)
	}
	return codes
}
