package ui

// LegalPages lists the pages that a shop must have, by the last part of their path.
func LegalPages() []string { return []string{"terms", "privacy", "returns", "delivery", "imprint"} }

func (v *View) chosenTheme() string {
	if v.Theme == "" {
		return "system"
	}
	return v.Theme
}

func accountPath(v *View) string {
	if v.SignedIn() {
		return "/account"
	}
	return "/sign-in"
}

func accountLabel(v *View) string {
	if v.SignedIn() {
		return v.T("frame.account", v.User.Email)
	}
	return v.T("sign-in.title")
}
