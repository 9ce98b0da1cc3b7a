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

func (MailSent) EventType() string   { return "mail.sent" }
func (MailFailed) EventType() string { return "mail.failed" }

func (e MailSent) About() About   { return About{Subject: e.MailID, OrderID: e.OrderID} }
func (e MailFailed) About() About { return About{Subject: e.MailID, OrderID: e.OrderID} }
