package office

import (
	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
)

// mails lists the mails of the shop.
func mails(r *page.Request) error {
	q := client.ListMailsQuery{
		Paging: client.Paging{Page: pageOf(r), Limit: sizeOf(r)}, Status: r.FormValue("status"), OrderID: r.FormValue("order_id"),
	}
	found, err := r.API.ListMails(r.Context(), q)
	if err != nil {
		return err
	}
	return r.Show(mailsPage(r.View, found, q))
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
