package account

import (
	"slices"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

const maxAddresses = 50

func addresses(r *page.Request) error {
	kept, err := r.API.ListMyAddresses(r.Context(), client.Paging{Limit: maxAddresses})
	if err != nil {
		return err
	}
	return r.Show(addressesPage(r.View, kept.Items))
}

// address adds, changes or deletes an address.
func address(r *page.Request) error {
	f, submitted := r.Form()
	id := r.PathValue("id")
	if id != "" && r.Method != "POST" {
		kept, err := r.API.ListMyAddresses(r.Context(), client.Paging{Limit: maxAddresses})
		if err != nil {
			return err
		}
		at := slices.IndexFunc(kept.Items, func(a client.KeptAddress) bool { return a.ID == id })
		if at < 0 {
			return page.NotFound()
		}
		f = formOf(kept.Items[at])
	}
	if !submitted || f.Value("action") == "update" {
		return r.Show(addressPage(r.View, f, id))
	}
	err := save(r, f, id)
	if err == nil {
		r.Notify("good", "addresses.saved")
		return r.SeeOther("/account/addresses")
	}
	if err := r.Reject(f, err); err != nil {
		return err
	}
	return r.Show(addressPage(r.View, f, id))
}

func save(r *page.Request, f *ui.Form, id string) (err error) {
	if f.Value("action") == "delete" {
		return r.API.DeleteAddress(r.Context(), id)
	}
	in := client.AddressBody{IsDefault: f.Value("is_default") != "", Address: client.Address{
		Name: f.Value("name"), Phone: f.Value("phone"), Country: f.Value("country"), PostalCode: f.Value("postal_code"),
		Prefecture: f.Value("prefecture"), Region: f.Value("region"), City: f.Value("city"),
		AddressLine1: f.Value("address_line1"), AddressLine2: f.Value("address_line2"),
	}}
	if id == "" {
		_, err = r.API.AddMyAddress(r.Context(), in)
	} else {
		_, err = r.API.ChangeAddress(r.Context(), id, in)
	}
	return err
}

func formOf(a client.KeptAddress) *ui.Form {
	f := ui.NewForm("name", a.Name, "phone", a.Phone, "country", a.Country, "postal_code", a.PostalCode, "prefecture", a.Prefecture,
		"region", a.Region, "city", a.City, "address_line1", a.AddressLine1, "address_line2", a.AddressLine2)
	if a.IsDefault {
		f.Values.Set("is_default", "1")
	}
	return f
}

// lines returns an address as it is shown in the list.
func lines(v *ui.View, a client.KeptAddress) []string {
	return ui.Lines(v, a.AddressLine1, a.AddressLine2, a.PostalCode, a.City, a.Prefecture+a.Region, a.Country)
}
