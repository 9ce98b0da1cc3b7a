package account

import (
	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

const maxKeys = 20

// keys lists, adds and removes the SSH keys of an account.
func keys(r *page.Request) error {
	f, submitted := r.Form()
	if submitted {
		var err error
		if id := f.Value("remove"); id != "" {
			err = r.API.DeleteMySSHKey(r.Context(), id)
		} else {
			_, err = r.API.AddMySSHKey(r.Context(), client.AddMySSHKeyRequest{
				Name: f.Value("name"), Key: f.Value("key"), Signature: f.Value("signature"),
			})
		}
		if err == nil || page.Is(err, "not-found") {
			r.Notify("good", "keys.saved")
			return r.SeeOther("/account/keys")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	own, err := r.API.ListMySSHKeys(r.Context(), client.Paging{Limit: maxKeys})
	if err != nil {
		return err
	}
	return r.Show(keysPage(r.View, f, own.Items))
}
