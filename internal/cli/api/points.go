package api

import (
	"context"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
)

// PointsCommand shows and adjusts the points of accounts.
type PointsCommand struct {
	Show   pointsShowCommand   `cmd:"" help:"Show the points of the signed-in account, or for staff those of another."`
	List   pointsListCommand   `cmd:"" help:"List the changes of points, the latest first."`
	Adjust pointsAdjustCommand `cmd:"" help:"Add points to an account, or take them; for staff."`
}

// pointsOf is the account whose points are meant.
type pointsOf struct {
	User string `arg:"" optional:"" help:"E-mail address or id of the account; by default the signed-in one."`
}

type pointsShowCommand struct {
	shopAddress
	pointsOf
}

// Run shows a balance.
func (c *pointsShowCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findUser(ctx, shop, c.User)
	if err != nil {
		return err
	}
	b, err := shop.GetPoints(ctx, client.GetPointsQuery{CustomerID: id})
	if err != nil {
		return err
	}
	return out.Done(b, "%d available, %d held, %d pending, %d owed", b.Available, b.Held, b.Pending, b.Debt)
}

type pointsListCommand struct {
	shopAddress
	paging
	pointsOf
}

// Run lists entries.
func (c *pointsListCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findUser(ctx, shop, c.User)
	if err != nil {
		return err
	}
	page, err := shop.ListPointEntries(ctx, client.ListPointEntriesQuery{Paging: c.query(), CustomerID: id})
	if err != nil {
		return err
	}
	return printer.List(
		out, page.Items,
		printer.Column[client.PointEntry]{Name: "at", Cell: func(e client.PointEntry) any { return e.At }},
		printer.Column[client.PointEntry]{Name: "kind", Cell: func(e client.PointEntry) any { return e.Kind }},
		printer.Column[client.PointEntry]{Name: "points", Cell: func(e client.PointEntry) any { return e.Points }},
		printer.Column[client.PointEntry]{Name: "available", Cell: func(e client.PointEntry) any { return e.Available }},
		printer.Column[client.PointEntry]{Name: "order_number", Cell: func(e client.PointEntry) any { return e.OrderNumber }},
		printer.Column[client.PointEntry]{Name: "text", Cell: func(e client.PointEntry) any { return e.Text }},
	)
}

type pointsAdjustCommand struct {
	shopAddress
	User   string `arg:"" help:"E-mail address or id of the account."`
	Points int64  `required:"" help:"How many points to add; --points=-20 takes them."`
	Reason string `required:"" help:"Why; the customer sees it."`
}

// Run adjusts points.
func (c *pointsAdjustCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findUser(ctx, shop, c.User)
	if err != nil {
		return err
	}
	entry, err := shop.AdjustPoints(ctx, client.AdjustPointsRequest{CustomerID: id, Points: c.Points, Reason: c.Reason})
	if err != nil {
		return err
	}
	return out.Done(entry, "%s: %+d points", c.User, entry.Points)
}
