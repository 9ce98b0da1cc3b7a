package ui

// Head is what a page states about itself to browsers, search engines and those to whom it is sent as a link.
type Head struct {
	Title       string
	Description string
	Canonical   string // its path; "" leaves it out
	Image       string // address of a picture
	Kind        string // of Open Graph; "website" by default
	Data        any    // JSON-LD
	Hidden      bool   // from search engines
	Narrow      bool   // one column of text or of a form
	Wide        bool   // the whole width, as the office has it
}

// title returns what the browser's tab shows.
func (h Head) title(v *View) string {
	if h.Title == "" {
		return v.Shop.Name
	}
	return h.Title + " · " + v.Shop.Name
}

func (h Head) kind() string {
	if h.Kind == "" {
		return "website"
	}
	return h.Kind
}

// width returns the class of the main part.
func (h Head) width() string {
	switch {
	case h.Narrow:
		return "wrap narrow"
	case h.Wide:
		return "wrap wide"
	}
	return "wrap"
}

// absolute returns an address with the shop's host, as links from outside need it.
func (v *View) absolute(path string) string {
	if len(path) > 0 && path[0] == '/' {
		return v.Shop.URL + path
	}
	return path
}
