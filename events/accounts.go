package events

// AccountCreated reports that a customer signed up, or that a guest was created.
type AccountCreated struct {
	unconsumed
	CustomerID string `json:"customer_id"`
	Kind       string `json:"kind"` // account, guest
}

// AccountChanged reports what changed about an account.
type AccountChanged struct {
	unconsumed
	CustomerID string `json:"customer_id"`
	Change     string `json:"change"` // profile, password, role, disabled, closed
}

// SessionRevoked reports that sessions of an account were ended for safety, because of one of them or by request of
// one.
type SessionRevoked struct {
	CustomerID string `json:"customer_id"`
	SessionID  string `json:"session_id"`
	Reason     string `json:"reason"` // reuse, password, disabled, logout everywhere
}

// PasswordForgotten reports a request for a mail to set a new password. An account for it may not exist.
type PasswordForgotten struct {
	ResetID string `json:"reset_id"`
}

func (AccountCreated) EventType() string { return "account.created" }
func (AccountChanged) EventType() string { return "account.changed" }
func (SessionRevoked) EventType() string { return "session.revoked" }

// EventType is the type.
func (PasswordForgotten) EventType() string { return "password.forgotten" }

func (e AccountCreated) About() About { return About{Subject: e.CustomerID} }
func (e AccountChanged) About() About { return About{Subject: e.CustomerID} }
func (e SessionRevoked) About() About { return About{Subject: e.SessionID} }

// About is the request.
func (e PasswordForgotten) About() About { return About{Subject: e.ResetID} }
