package office

import (
	"context"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// undoLife is how long a deletion can be undone with one click; later in the list of products that are off sale.
const undoLife = 10 * time.Minute

// maxUndo is how many deletions fit into the cookie that undoes them.
const maxUndo = 100

// textKinds are the texts that admins can change.
var textKinds = []string{"terms", "privacy", "returns", "delivery", "imprint", "about"}

// scopes are what tokens of programs may do.
var scopes = []string{"orders", "stock", "catalogue", "events", "documents", "metrics"}

var settingTabs = []string{"/office/settings", "/office/settings/mails", "/office/settings/staff", "/office/settings/tokens", "/office/settings/audit"}

func settingsTabs(v *ui.View) (tabs []tab) {
	for i, key := range []string{"settings.shop", "samples.title", "staff.title", "tokens.title", "audit.title"} {
		tabs = append(tabs, tab{settingTabs[i], v.T(key)})
	}
	return tabs
}

// settings shows and changes what the shop is called and how it looks.
func settings(r *page.Request) error {
	f, ok := r.Form()
	if !ok {
		now, tag, err := readSettings(r)
		if err != nil {
			return err
		}
		return r.Show(settingsPage(r.View, now, settingsForm(now, tag)))
	}
	_, err := r.API.ChangeSettings(r.Context(), client.ChangeSettingsRequest{
		Name: f.Value("name"), Tagline: client.ByLang{En: f.Value("tagline.en"), Ja: f.Value("tagline.ja")}, Accent: f.Value("accent"),
		Currency: f.Value("currency"), ContactEmail: f.Value("contact_email"),
	}, client.Header("If-Match", f.Raw("etag")))
	if err == nil {
		r.Notify("good", "settings.saved")
		return r.SeeOther("/office/settings")
	}
	if page.Is(err, "precondition-failed") {
		r.Status(http.StatusPreconditionFailed)
		f.Add("", r.View.T("product.conflict"))
	} else if err := r.Reject(f, err); err != nil {
		return err
	}
	now, tag, err := readSettings(r)
	if err != nil {
		return err
	}
	f.Values.Set("etag", tag)
	return r.Show(settingsPage(r.View, now, f))
}

func readSettings(r *page.Request) (now client.Settings, tag string, err error) {
	var answered http.Response
	now, err = r.API.GetSettings(r.Context(), client.Answered(&answered))
	return now, answered.Header.Get("ETag"), err
}

func settingsForm(now client.Settings, tag string) *ui.Form {
	return ui.NewForm("name", now.Name, "tagline.en", now.Tagline.En, "tagline.ja", now.Tagline.Ja, "accent", now.Accent,
		"currency", now.Currency, "contact_email", now.ContactEmail, "etag", tag)
}

// legalText shows and changes a text of the shop, in both languages.
func legalText(r *page.Request) error {
	kind := r.PathValue("kind")
	f, ok := r.Form()
	if ok {
		_, err := r.API.ChangeText(r.Context(), kind, client.ChangeTextRequest{
			En: client.TextDescription{Description: f.Raw("en.description")}, Ja: client.TextDescription{Description: f.Raw("ja.description")},
		})
		if err == nil {
			r.Notify("good", "settings.saved")
			return r.SeeOther("/office/settings")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return r.Show(textPage(r.View, kind, f))
	}
	now, err := r.API.GetText(r.Context(), kind)
	if err != nil && !page.Is(err, "not-found") {
		return err
	}
	return r.Show(textPage(r.View, kind, ui.NewForm("en.description", now.En.Description, "ja.description", now.Ja.Description)))
}

// sampleMail is a kind of mail in all languages.
type sampleMail struct {
	kind      string
	languages []client.MailSample
}

// mailSamples shows what each kind of mail looks like, in both languages.
func mailSamples(r *page.Request) error {
	found, err := r.API.GetMailSamples(r.Context())
	if err != nil {
		return err
	}
	var kinds []sampleMail
	for _, s := range found.Items {
		if len(kinds) == 0 || kinds[len(kinds)-1].kind != s.Kind {
			kinds = append(kinds, sampleMail{kind: s.Kind})
		}
		last := &kinds[len(kinds)-1]
		last.languages = append(last.languages, s)
	}
	return r.Show(samplesPage(r.View, kinds))
}

// staff lists who may open the office, and gives roles to accounts.
func staff(r *page.Request) error {
	f, ok := r.Form()
	if ok {
		if err := giveRole(r, f); err != nil {
			return err
		}
		if len(f.Errors) == 0 {
			r.Notify("good", "staff.changed", f.Value("email"))
			return r.SeeOther("/office/settings/staff")
		}
	}
	var all []client.User
	for _, role := range []string{"admin", "staff"} {
		found, err := r.API.ListUsers(r.Context(), client.ListUsersQuery{Role: role, Paging: client.Paging{Limit: 100}})
		if err != nil {
			return err
		}
		all = append(all, found.Items...)
	}
	t := table.Table[client.User]{Key: "staff.title", Columns: []table.Column[client.User]{
		table.Column[client.User]{Key: "field.name", Head: true, Text: func(u client.User) string { return u.Name }}.ByText("name"),
		text("field.email", func(u client.User) string { return u.Email }).ByText("email"),
		text("customers.role", func(u client.User) string { return r.View.T("role." + u.Role) }).ByText("role"),
	}}
	t.Hold(r, "", all)
	return t.Show(r, staffPage(r.View, t, f))
}

func giveRole(r *page.Request, f *ui.Form) error {
	found, err := r.API.ListUsers(r.Context(), client.ListUsersQuery{Q: f.Value("email"), Paging: client.Paging{Limit: 10}})
	if err != nil {
		return err
	}
	for _, u := range found.Items {
		if u.Email != f.Value("email") || u.Email == "" {
			continue
		}
		_, err := r.API.ChangeUser(r.Context(), u.ID, client.ChangeUserRequest{Role: f.Value("role"), Active: true})
		if err != nil {
			return r.Reject(f, err)
		}
		return nil
	}
	r.Status(http.StatusUnprocessableEntity)
	f.Add("email", r.View.T("staff.unknown"))
	return nil
}

// tokens lists the programs that may call the API; the secret of a new one is shown once.
func tokens(r *page.Request) error {
	f, ok := r.Form()
	var made *client.AddClientAnswer
	switch {
	case !ok:
	case f.Value("delete") != "":
		if err := r.API.DeleteClient(r.Context(), f.Value("delete")); err != nil {
			return err
		}
		r.Notify("good", "tokens.deleted")
		return r.SeeOther("/office/settings/tokens")
	default:
		answer, err := r.API.AddClient(r.Context(), client.AddClientRequest{Name: f.Value("name"), Scopes: f.Values["scopes"]})
		if err == nil {
			made = &answer
		} else if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	found, err := r.API.ListClients(r.Context(), client.Paging{Limit: 100})
	if err != nil {
		return err
	}
	t := table.Table[client.KnownClient]{Key: "tokens.title", Columns: tokenColumns(r.View)}
	t.Hold(r, "", found.Items)
	return t.Show(r, tokensPage(r.View, t, f, made))
}

func tokenColumns(v *ui.View) []table.Column[client.KnownClient] {
	return []table.Column[client.KnownClient]{
		table.Column[client.KnownClient]{
			Key: "field.name", Head: true, Text: func(c client.KnownClient) string { return c.Name },
			Cell: func(c client.KnownClient) templ.Component { return clientName(c) },
		}.ByText("name"),
		text("tokens.scopes", func(c client.KnownClient) string { return joined(c.Scopes...) }),
		moment(v, "customers.since", func(c client.KnownClient) time.Time { return c.CreatedAt }).ByText("created_at"),
		unseen("office.delete", func(c client.KnownClient) templ.Component { return deleteClient(v, c) }),
	}
}

func auditColumns(v *ui.View) []table.Column[client.Act] {
	return []table.Column[client.Act]{
		moment(v, "orders.when", func(a client.Act) time.Time { return a.At }).Sorted("at"),
		shown(text("customers.role", func(a client.Act) string { return v.T("role." + a.Role) }),
			func(a client.Act) templ.Component { return actor(v, a) }),
		{Key: "audit.by", FileOnly: true, Text: func(a client.Act) string { return a.By }},
		shown(text("audit.act", func(a client.Act) string { return a.Act }), func(a client.Act) templ.Component { return code(a.Act) }),
		shown(text("audit.object", func(a client.Act) string { return a.Object }), func(a client.Act) templ.Component { return code(a.Object) }),
		shown(text("audit.change", func(a client.Act) string { return string(a.Before) + " → " + string(a.After) }),
			func(a client.Act) templ.Component { return change(v, a) }),
	}
}

// audit lists what staff and programs changed.
func audit(r *page.Request) error {
	t := table.Table[client.Act]{Key: "audit.title", Columns: auditColumns(r.View)}
	q := r.FormValue("q")
	err := t.Read(r, "-at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Act], error) {
		return r.API.ListAudit(ctx, client.ListAuditQuery{Paging: paging, Sort: sort, Object: q})
	})
	if err != nil {
		return err
	}
	return t.Show(r, auditPage(r.View, t, q))
}
