package events

// AccountCreated says that somebody is known now: with an account, or as a guest.
type AccountCreated struct {
	CustomerID string `json:"customer_id"`
	Kind       string `json:"kind"` // account, guest
}

// AccountChanged says what changed about an account.
type AccountChanged struct {
	CustomerID string `json:"customer_id"`
	Change     string `json:"change"` // profile, password, role, disabled, closed
}

// SessionRevoked says that sessions of somebody were ended for safety, because of one of them or from it.
type SessionRevoked struct {
	CustomerID string `json:"customer_id"`
	SessionID  string `json:"session_id"`
	Reason     string `json:"reason"` // reuse, password, disabled, logout everywhere
}

func (AccountCreated) EventType() string { return "account.created" }
func (AccountChanged) EventType() string { return "account.changed" }
func (SessionRevoked) EventType() string { return "session.revoked" }

func (e AccountCreated) About() About { return About{Subject: e.CustomerID} }
func (e AccountChanged) About() About { return About{Subject: e.CustomerID} }
func (e SessionRevoked) About() About { return About{Subject: e.SessionID} }

func accounts() []Event { return []Event{AccountCreated{}, AccountChanged{}, SessionRevoked{}} }
