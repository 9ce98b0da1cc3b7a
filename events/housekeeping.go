package events

// HousekeepingDue is a tick: a day has begun, and what ran out can go.
type HousekeepingDue struct {
	clock
	HousekeepingID string `json:"housekeeping_id"` // begins with the day's first millisecond
	Day            string `json:"day"`             // such as 2026-01-31, of UTC
}

func (HousekeepingDue) EventType() string { return "housekeeping.due" }

func (e HousekeepingDue) About() About { return About{Subject: e.HousekeepingID} }
