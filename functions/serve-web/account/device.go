package account

import (
	"strings"

	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// systems and browsers are names in a User-Agent, the more special ones first.
var (
	browsers = [][2]string{{"Edg/", "Edge"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"popup", "popup"}, {"curl/", "curl"}}
	systems  = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS", "macOS"}, {"Linux", "Linux"}}
)

// device returns what a session's owner knows their browser by.
func device(v *ui.View, agent string) string {
	name, system := find(browsers, agent), find(systems, agent)
	switch {
	case name == "" && system == "":
		return v.T("account.unknown-device")
	case system == "":
		return name
	}
	return strings.TrimSpace(name + " · " + system)
}

func find(names [][2]string, agent string) string {
	for _, name := range names {
		if strings.Contains(agent, name[0]) {
			return name[1]
		}
	}
	return ""
}
