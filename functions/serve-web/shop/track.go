package shop

import (
	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// track shows where a parcel is, by its number and without an account.
func track(r *page.Request) error {
	f, _ := r.Form()
	number := f.Value("number")
	if number == "" {
		return r.Show(trackPage(r.View, f, nil))
	}
	parcel, err := r.API.Track(r.Context(), number)
	if page.Is(err, "not-found") {
		f.Add("number", r.View.T("track.unknown"))
		return r.Show(trackPage(r.View, f, nil))
	}
	if err != nil {
		return err
	}
	return r.Show(trackPage(r.View, f, &parcel))
}

// latest returns the tracking of a parcel, the newest first.
func latest(seen []client.Seen) []client.Seen {
	turned := make([]client.Seen, 0, len(seen))
	for i := len(seen) - 1; i >= 0; i-- {
		turned = append(turned, seen[i])
	}
	return turned
}
