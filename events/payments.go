package events

import "time"

// PaymentCreated reports that a payment is open at its provider, and how to pay it.
type PaymentCreated struct {
	PaymentID   string     `json:"payment_id"`
	OrderID     string     `json:"order_id"`
	Method      string     `json:"method"`
	Provider    string     `json:"provider"`
	AmountMinor int64      `json:"amount_minor"`
	Currency    string     `json:"currency"`
	URI         string     `json:"uri,omitempty"`
	Slip        *Slip      `json:"slip,omitempty"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" jsonschema:"until when the order waits for the money"`
}

// Slip is what a customer pays with in a convenience store.
type Slip struct {
	Number       string    `json:"number"`
	Confirmation string    `json:"confirmation"`
	Chain        string    `json:"chain"`
	Deadline     time.Time `json:"deadline"`
}

// PaymentPaid reports that the money of a payment was captured.
type PaymentPaid struct {
	PaymentID   string    `json:"payment_id"`
	OrderID     string    `json:"order_id"`
	Method      string    `json:"method"`
	AmountMinor int64     `json:"amount_minor"`
	Currency    string    `json:"currency"`
	ProviderRef string    `json:"provider_ref"`
	At          time.Time `json:"at"`
}

// PaymentFailed reports that a payment will never be paid.
type PaymentFailed struct {
	PaymentID string    `json:"payment_id"`
	OrderID   string    `json:"order_id"`
	Reason    string    `json:"reason" jsonschema:"not_enough_money, declined or refused"`
	At        time.Time `json:"at"`
}

// PaymentRefunded reports that money went back.
type PaymentRefunded struct {
	PaymentID     string    `json:"payment_id"`
	OrderID       string    `json:"order_id"`
	RefundID      string    `json:"refund_id"`
	AmountMinor   int64     `json:"amount_minor"`
	RefundedMinor int64     `json:"refunded_minor" jsonschema:"all that went back so far of what was captured"`
	Currency      string    `json:"currency"`
	Suspense      string    `json:"suspense,omitempty" jsonschema:"why the money was not captured for the order: late, wrong or double"`
	At            time.Time `json:"at"`
}

// PaymentExpired reports that a payment was not paid in time and can no longer be.
type PaymentExpired struct {
	PaymentID string    `json:"payment_id"`
	OrderID   string    `json:"order_id"`
	At        time.Time `json:"at"`
}

// PaymentMismatched reports that money came which does not fit its payment. It is in suspense until staff or the end of
// the order returns it.
type PaymentMismatched struct {
	PaymentID     string `json:"payment_id"`
	OrderID       string `json:"order_id"`
	ProviderRef   string `json:"provider_ref"`
	ExpectedMinor int64  `json:"expected_minor"`
	Currency      string `json:"currency"`
	GotMinor      int64  `json:"got_minor"`
	GotCurrency   string `json:"got_currency"`
}

// PaymentAuthorised reports that part of an amount which the customer authorised beforehand is set aside for an order.
type PaymentAuthorised struct {
	PaymentID       string `json:"payment_id"`
	OrderID         string `json:"order_id"`
	AuthorisationID string `json:"authorisation_id"`
	AmountMinor     int64  `json:"amount_minor"`
	Currency        string `json:"currency"`
}

// PaymentDue reports that the delay of an order's payment check has passed.
type PaymentDue struct {
	clock
	OrderID string `json:"order_id"`
}

// PaymentSilent reports that the shop has had no news about an open payment for some time.
type PaymentSilent struct {
	clock
	PaymentID   string    `json:"payment_id"`
	OrderID     string    `json:"order_id"`
	Provider    string    `json:"provider"`
	ProviderRef string    `json:"provider_ref"`
	Since       time.Time `json:"since" jsonschema:"when the query was due"`
}

// ReconciliationDue reports that the books of a provider have to be compared with the shop's.
type ReconciliationDue struct {
	clock
	ReconciliationID string    `json:"reconciliation_id"` // begins with the hour's first millisecond
	Provider         string    `json:"provider"`
	Since            time.Time `json:"since" jsonschema:"payments from then on are compared"`
}

// ProviderNotified reports that a provider sent a notice about a payment. It is a reason to query the provider, and no fact.
type ProviderNotified struct {
	Provider    string `json:"provider"`
	NoticeID    string `json:"notice" jsonschema:"the provider's id of the notice, or that of a reconciliation"`
	ProviderRef string `json:"provider_ref"`
	OrderID     string `json:"order_id"`
	PaymentID   string `json:"payment_id"`
}

// PaymentVoided reports that an open payment was closed at its provider and can no longer be paid.
type PaymentVoided struct {
	PaymentID string    `json:"payment_id"`
	OrderID   string    `json:"order_id"`
	At        time.Time `json:"at"`
}

// RefundRequested asks for money to go back.
type RefundRequested struct {
	RefundID    string `json:"refund_id"`
	PaymentID   string `json:"payment_id"`
	OrderID     string `json:"order_id"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Points      int64  `json:"points"`
	Reason      string `json:"reason"`
	By          string `json:"by"`
}

// RefundFailed reports that a provider refused to give money back.
type RefundFailed struct {
	RefundID    string `json:"refund_id"`
	PaymentID   string `json:"payment_id"`
	OrderID     string `json:"order_id"`
	AmountMinor int64  `json:"amount_minor"`
	Currency    string `json:"currency"`
	Reason      string `json:"reason"`
}

func (PaymentCreated) EventType() string    { return "payment.created" }
func (PaymentPaid) EventType() string       { return "payment.paid" }
func (PaymentFailed) EventType() string     { return "payment.failed" }
func (PaymentRefunded) EventType() string   { return "payment.refunded" }
func (PaymentVoided) EventType() string     { return "payment.voided" }
func (PaymentExpired) EventType() string    { return "payment.expired" }
func (PaymentMismatched) EventType() string { return "payment.mismatched" }
func (PaymentAuthorised) EventType() string { return "payment.authorised" }
func (PaymentDue) EventType() string        { return "payment.due" }
func (PaymentSilent) EventType() string     { return "payment.silent" }
func (ReconciliationDue) EventType() string { return "reconciliation.due" }
func (ProviderNotified) EventType() string  { return "provider.notified" }
func (RefundRequested) EventType() string   { return "refund.requested" }
func (RefundFailed) EventType() string      { return "refund.failed" }

func aboutPayment(id, order string) About { return About{Subject: id, OrderID: order} }

func (e PaymentCreated) About() About    { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentPaid) About() About       { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentFailed) About() About     { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentRefunded) About() About   { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentVoided) About() About     { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentExpired) About() About    { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentMismatched) About() About { return aboutPayment(e.PaymentID, e.OrderID) }
func (e ReconciliationDue) About() About { return About{Subject: e.ReconciliationID} }
func (e PaymentAuthorised) About() About { return aboutPayment(e.PaymentID, e.OrderID) }
func (e PaymentDue) About() About        { return About{Subject: e.OrderID, OrderID: e.OrderID} }
func (e PaymentSilent) About() About     { return aboutPayment(e.PaymentID, e.OrderID) }
func (e ProviderNotified) About() About  { return aboutPayment(e.PaymentID, e.OrderID) }
func (e RefundRequested) About() About   { return aboutPayment(e.PaymentID, e.OrderID) }
func (e RefundFailed) About() About      { return aboutPayment(e.PaymentID, e.OrderID) }
