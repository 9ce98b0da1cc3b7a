package page

// ShopSettings is what the owner of the shop decides about its pages.
type ShopSettings struct {
	Name    string
	Accent  string // a colour, such as #0b6e63
	Contact string // e-mail address for customers; "" leaves it out
	Legal   map[string]map[string]string
}

// Settings is the one place where the settings of the shop come from.
type Settings struct{ defaults ShopSettings }

// NewSettings returns settings that start with defaults.
func NewSettings() *Settings {
	return &Settings{defaults: ShopSettings{Name: "popup", Accent: "#0b6e63"}}
}

// Get returns the current settings.
func (s *Settings) Get() ShopSettings { return s.defaults }
