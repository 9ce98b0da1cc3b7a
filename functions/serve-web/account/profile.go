package account

import (
	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// profileView is what the page of an account shows. Each of its forms has errors of its own.
type profileView struct {
	profile  *ui.Form
	password *ui.Form
	leaving  *ui.Form
	sessions []client.Session
}

func readProfile(r *page.Request) (*profileView, error) {
	shown := &profileView{password: ui.NewForm(), leaving: ui.NewForm()}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() error {
		me, err := r.API.GetMe(ctx)
		shown.profile = ui.NewForm("email", me.Email, "name", me.Name, "phone", me.Phone, "locale", me.Locale)
		return err
	})
	calls.Go(func() error {
		open, err := r.API.ListMySessions(ctx, client.Paging{Limit: 100})
		shown.sessions = open.Items
		return err
	})
	return shown, calls.Wait()
}

// profile shows the account, and changes name, address and language.
func profile(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		shown, err := readProfile(r)
		if err != nil {
			return err
		}
		if f.Values.Has("email") { // it comes back after signing in
			shown.profile = f
		}
		return r.Show(profilePage(r.View, shown))
	}
	_, err := r.API.ChangeMe(r.Context(), client.ChangeMeRequest{
		Email: f.Value("email"), Name: f.Value("name"), Phone: f.Value("phone"), Locale: f.Value("locale"), Password: f.Raw("password"),
	})
	if err != nil {
		return showRejected(r, err, f, func(shown *profileView) { shown.profile = f })
	}
	r.Notify("good", "account.saved")
	return r.SeeOther("/account")
}

// showRejected shows the account with what the API rejected in one of its forms.
func showRejected(r *page.Request, err error, f *ui.Form, set func(*profileView)) error {
	if err := r.Reject(f, err); err != nil {
		return err
	}
	shown, err := readProfile(r)
	if err != nil {
		return err
	}
	set(shown)
	return r.Show(profilePage(r.View, shown))
}

func changePassword(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		return r.SeeOther("/account")
	}
	err := r.API.ChangeMyPassword(r.Context(), client.ChangeMyPasswordRequest{Old: f.Raw("old"), New: f.Raw("new")})
	if err != nil {
		return showRejected(r, err, f, func(shown *profileView) { shown.password = f })
	}
	r.Notify("good", "account.password-changed")
	return r.SeeOther("/account")
}

// endSessions ends one session, or all others.
func endSessions(r *page.Request) error {
	if err := r.API.DeleteMySessions(r.Context(), client.DeleteMySessionsQuery{ID: r.FormValue("id")}); err != nil && !page.Is(err, "not-found") {
		return err
	}
	r.Notify("good", "account.sessions-ended")
	return r.SeeOther("/account")
}

// data is all that the shop knows about the account, as a file.
func data(r *page.Request) error {
	all, err := r.API.GetMyData(r.Context())
	if err != nil {
		return err
	}
	r.SetHeader("Content-Disposition", `attachment; filename="my-data.json"`)
	return r.Write("application/json", all)
}

func closeAccount(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		return r.SeeOther("/account")
	}
	if f.Value("sure") == "" {
		f.Add("", r.View.T("account.close-unsure"))
		r.Status(422)
		shown, err := readProfile(r)
		if err != nil {
			return err
		}
		shown.leaving = f
		return r.Show(profilePage(r.View, shown))
	}
	if err := r.API.DeleteMe(r.Context()); err != nil {
		return showRejected(r, err, f, func(shown *profileView) { shown.leaving = f })
	}
	r.SignOut()
	r.Notify("good", "account.closed")
	return r.SeeOther("/")
}
