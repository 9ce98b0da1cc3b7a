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

// userList is a page of accounts and guests and what selects them.
type userList struct {
	table.Table[client.User]
	client.ListUsersQuery
}

func userColumns(v *ui.View) []table.Column[client.User] {
	return []table.Column[client.User]{
		table.Column[client.User]{
			Key: "field.name", Head: true, Text: func(u client.User) string { return u.Name },
			Cell: func(u client.User) templ.Component { return userName(v, u) },
		}.Sorted("name"),
		text("field.email", func(u client.User) string { return u.Email }).Sorted("email"),
		text("field.phone", func(u client.User) string { return u.Phone }),
		text("customers.role", func(u client.User) string { return v.T("role." + u.Role) }),
		moment(v, "customers.since", func(u client.User) time.Time { return u.CreatedAt }).Sorted("created_at"),
		unseen("office.orders", func(u client.User) templ.Component {
			return link("/office/orders?"+query("customer_id", u.ID), v.T("office.orders"))
		}),
		unseen("points.title", func(u client.User) templ.Component {
			if u.Role == "guest" {
				return templ.NopComponent
			}
			return link("/office/customers/"+u.ID+"/points", v.T("points.title"))
		}),
	}
}

// customers lists accounts and guests.
func customers(r *page.Request) error {
	l := userList{ListUsersQuery: client.ListUsersQuery{Q: r.FormValue("q"), Role: r.FormValue("role"), Ordered: r.FormValue("ordered")}}
	l.Key, l.Columns = "office.customers", userColumns(r.View)
	err := l.Read(r, "-created_at", func(ctx context.Context, paging client.Paging, sort string) (client.Page[client.User], error) {
		q := l.ListUsersQuery
		q.Paging, q.Sort = paging, sort
		return r.API.ListUsers(ctx, q)
	})
	if err != nil {
		return err
	}
	return l.Show(r, customersPage(r.View, l))
}
