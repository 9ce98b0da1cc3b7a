package account

import (
	"net/url"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// signIn leads the visitor back to where they came from, with the form that they had filled in.
func signIn(r *page.Request) error {
	f, submitted := r.Form()
	if !submitted {
		if r.View.SignedIn() {
			return r.SeeOther(next(f))
		}
		return r.Show(ui.SignInPage(r.View, f, false))
	}
	tokens, err := r.API.Login(r.Context(), client.LoginRequest{Email: f.Value("email"), Password: f.Raw("password")})
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(ui.SignInPage(r.View, f, false))
	}
	r.SignIn(tokens.AccessToken, tokens.RefreshToken)
	kept, err := url.ParseQuery(f.Value("form"))
	if f.Value("form") != "" && err == nil {
		return r.Show(ui.ContinuePage(r.View, page.LocalPath(f.Value("next")), kept))
	}
	return r.SeeOther(next(f))
}

// next returns where a visitor goes after signing in.
func next(f *ui.Form) string {
	if f.Value("next") == "" {
		return "/account"
	}
	return page.LocalPath(f.Value("next"))
}

func signOut(r *page.Request) error {
	if r.View.SignedIn() {
		if err := r.API.Logout(r.Context(), client.LogoutQuery{Everywhere: r.FormValue("everywhere") != ""}); err != nil && !page.Is(err, "not-signed-in") {
			return err
		}
	}
	r.SignOut()
	r.Notify("good", "sign-out.done")
	return r.SeeOther("/")
}
