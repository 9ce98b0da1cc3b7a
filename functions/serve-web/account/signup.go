package account

import (
	"strings"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// signUp makes an account and signs its owner in.
func signUp(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		if r.View.SignedIn() {
			return r.SeeOther(next(f))
		}
		fillFromOrder(r, f)
		return r.Show(signUpPage(r.View, f))
	}
	made, err := r.API.Register(r.Context(), client.RegisterRequest{
		Email: f.Value("email"), Name: f.Value("name"), Phone: f.Value("phone"), Password: f.Raw("password"), Locale: r.View.Language,
	})
	if page.Is(err, "e-mail-taken") {
		f.Add("email", r.View.T("problem.e-mail-taken"))
		r.Status(409)
		return r.Show(signUpPage(r.View, f))
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(signUpPage(r.View, f))
	}
	r.SignIn(made.AccessToken, made.RefreshToken)
	number, ok := orderOf(r, f)
	if ok && r.ClaimOrder(number) == nil {
		r.Notify("good", "order.claimed")
	} else {
		r.Notify("good", "sign-up.done", made.Name)
	}
	return r.SeeOther(next(f))
}

// orderOf returns the number of the guest's order that the visitor came from, if their browser may open it.
func orderOf(r *page.Request, f *ui.Form) (number string, ok bool) {
	number, ok = strings.CutPrefix(f.Value("next"), "/o/")
	return number, ok && r.HasOrder(number)
}

// fillFromOrder enters what a guest typed when they ordered.
func fillFromOrder(r *page.Request, f *ui.Form) {
	number, ok := orderOf(r, f)
	if !ok {
		return
	}
	found, err := r.ForOrder(number).GetOrder(r.Context(), number)
	if err != nil {
		return // they type it
	}
	for name, value := range map[string]string{"email": found.Contact.Email, "name": found.Contact.Name, "phone": found.Contact.Phone} {
		if !f.Values.Has(name) {
			f.Values.Set(name, value)
		}
	}
}

// forgot has a mail sent with a link. Its page is the same for addresses that have no account.
func forgot(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		return r.Show(forgotPage(r.View, f, false))
	}
	if err := r.API.ForgotPassword(r.Context(), client.ForgotPasswordRequest{Email: f.Value("email")}); err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(forgotPage(r.View, f, false))
	}
	return r.Show(forgotPage(r.View, f, true))
}

// reset sets a new password. The token is in the part of the mail's link that browsers do not send; a script puts it into
// the form, and without scripts it is entered.
func reset(r *page.Request) error {
	f, submitted := r.Form()
	if token := r.PathValue("token"); token != "" && !f.Values.Has("token") {
		f.Values.Set("token", token)
	}
	r.SetHeader("Referrer-Policy", "no-referrer")
	if !submitted {
		return r.Show(resetPage(r.View, f))
	}
	err := r.API.ResetPassword(r.Context(), client.ResetPasswordRequest{Token: f.Value("token"), New: f.Raw("new")})
	if page.Is(err, "not-found", "not-signed-in") {
		f.Add("", r.View.T("reset.used"))
		r.Status(409)
		return r.Show(resetPage(r.View, f))
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(resetPage(r.View, f))
	}
	r.SignOut()
	r.Notify("good", "reset.done")
	return r.SeeOther("/sign-in")
}

// guest registers a guest by name and telephone number, and has one come back by number and telephone number.
func guest(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		return r.Show(guestPage(r.View, f, r.View.User.ID))
	}
	var known client.KnownGuest
	var err error
	if f.Value("id") != "" {
		known, err = r.API.AddCustomerToken(r.Context(), f.Value("id"), client.AddCustomerTokenRequest{Phone: f.Value("phone")})
	} else {
		known, err = r.API.AddCustomer(r.Context(), client.AddCustomerRequest{Name: f.Value("name"), Phone: f.Value("phone")})
	}
	if page.Is(err, "not-found", "not-signed-in", "invalid") && f.Value("id") != "" {
		f.Add("id", r.View.T("guest.unknown"))
		r.Status(404)
		return r.Show(guestPage(r.View, f, ""))
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(guestPage(r.View, f, ""))
	}
	r.SignIn(known.Token, "")
	r.Notify("good", "guest.welcome", known.Name)
	return r.SeeOther("/guest")
}
