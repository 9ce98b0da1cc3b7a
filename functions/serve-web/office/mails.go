package office

import (
	"context"
	"time"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

func mailColumns(v *ui.View) []table.Column[client.Mail] {
	return []table.Column[client.Mail]{
		linked("mails.kind", func(m client.Mail) string { return m.Kind }, func(m client.Mail) string { return "/office/mails/" + m.ID }),
		shown(text("engine.order", func(m client.Mail) string { return m.OrderNumber }),
			func(m client.Mail) templ.Component { return orderLink(m.OrderID, m.OrderNumber) }),
		shown(text("orders.state", func(m client.Mail) string { return v.T("mail-state." + m.Status) }),
			func(m client.Mail) templ.Component { return mailState(v, m.Status) }),
		number("dead-letters.attempts", func(m client.Mail) int64 { return m.Tries }),
		moment(v, "orders.when", func(m client.Mail) time.Time { return m.CreatedAt }).Sorted("created_at"),
	}
}

// mails lists the mails of the shop.
func mails(r *page.Request) error {
	q := client.ListMailsQuery{Status: r.FormValue("status"), OrderID: r.FormValue("order_id")}
	t := table.Table[client.Mail]{Key: "office.mails", Columns: mailColumns(r.View)}
	err := t.Read(r, "-created_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.Mail], error) {
		q.Paging, q.Sort = paging, sort
		return r.API.ListMails(ctx, q)
	})
	if err != nil {
		return err
	}
	return t.Show(r, mailsPage(r.View, t, q))
}

// mail shows a mail as it is written now, and sends it again.
func mail(r *page.Request) error {
	id := r.PathValue("id")
	f, ok := r.Form()
	if ok {
		_, err := r.API.SendMail(r.Context(), id)
		if err == nil {
			r.Notify("good", "mail.sent-again")
			return r.SeeOther("/office/mails/" + id)
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	found, err := r.API.GetMail(r.Context(), id)
	if err != nil {
		return err
	}
	return r.Show(mailPage(r.View, found, f))
}
