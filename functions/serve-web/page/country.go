package page

import (
	"golang.org/x/text/language"

	"github.com/popup-shop/popup/functions/serve-web/text"
)

// LikelyCountry returns Japan for those who read Japanese, and otherwise the country of the browser's first language.
func (r *Request) LikelyCountry() string {
	if r.View.Language == text.Japanese {
		return "JP"
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err == nil && len(tags) > 0 {
		if region, confidence := tags[0].Region(); confidence == language.Exact {
			return region.String()
		}
	}
	return ""
}
