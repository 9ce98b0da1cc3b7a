package events

// MailSent reports that the mail server took a mail.
type MailSent struct {
	unpublished
	MailID  string `json:"mail_id"`
	OrderID string `json:"order_id"`
	Kind    string `json:"kind"`
}

// MailFailed reports that the mail server refused a mail for good, or did not take it after so many tries.
type MailFailed struct {
	unpublished
	MailID  string `json:"mail_id"`
	OrderID string `json:"order_id"`
	Kind    string `json:"kind"`
	Tries   int    `json:"tries"`
}

// MailRequested reports that staff asked for a mail to be sent again. Each request has an id of its own.
type MailRequested struct {
	MailID    string `json:"mail_id"`
	OrderID   string `json:"order_id"`
	Kind      string `json:"kind"`
	By        string `json:"by"`
	RequestID string `json:"request_id"`
}

func (MailSent) EventType() string   { return "mail.sent" }
func (MailFailed) EventType() string { return "mail.failed" }

func (MailRequested) EventType() string { return "mail.requested" }

func (e MailSent) About() About   { return About{Subject: e.MailID, OrderID: e.OrderID} }
func (e MailFailed) About() About { return About{Subject: e.MailID, OrderID: e.OrderID} }

func (e MailRequested) About() About { return About{Subject: e.MailID, OrderID: e.OrderID} }
