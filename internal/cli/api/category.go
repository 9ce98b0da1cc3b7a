package api

import (
	"context"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/printer"
	"github.com/popup-shop/popup/internal/producttable"
)

// CategoryCommand manages the tree of categories.
type CategoryCommand struct {
	List   categoriesCommand     `cmd:"" help:"List all categories."`
	Add    categoryAddCommand    `cmd:"" help:"Add a category."`
	Edit   categoryEditCommand   `cmd:"" help:"Change the name of a category, or move it."`
	Delete categoryDeleteCommand `cmd:"" help:"Delete a category that nothing is in."`
}

type categoriesCommand struct{ shopAddress }

// Run lists categories, each before those below it.
func (c *categoriesCommand) Run(ctx context.Context, out *printer.Printer) error {
	tree, err := c.visitor().GetCategories(ctx)
	if err != nil {
		return err
	}
	paths := producttable.CategoryPaths(tree.Items)
	return printer.List(
		out, tree.Items,
		printer.Column[client.Category]{Name: "path", Cell: func(c client.Category) any { return paths[c.ID] }},
		printer.Column[client.Category]{Name: "id", Cell: func(c client.Category) any { return c.ID }},
	)
}

func showCategory(out *printer.Printer, c client.Category) error {
	return out.Object(
		c,
		printer.Field{Name: "id", Value: c.ID},
		printer.Field{Name: "name", Value: c.Name},
		printer.Field{Name: "parent_id", Value: c.ParentID},
		printer.Field{Name: "level", Value: c.Level},
	)
}

type categoryAddCommand struct {
	shopAddress
	Name   string `arg:"" help:"Name."`
	Parent string `help:"The category above it: its id, or the path of names, such as \"Clothes > Hats\"."`
}

// Run adds a category.
func (c *categoryAddCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	parent, err := findCategory(ctx, shop, c.Parent)
	if err != nil {
		return err
	}
	made, err := shop.AddCategory(ctx, client.CategoryBody{Name: c.Name, ParentID: parent})
	if err != nil {
		return err
	}
	return showCategory(out, made)
}

type categoryEditCommand struct {
	shopAddress
	Category string  `arg:"" help:"Id or path of the category."`
	Name     *string `help:"New name."`
	Parent   *string `help:"The category above it from now on: its id or path; empty for none."`
}

// Run changes what is given.
func (c *categoryEditCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findCategory(ctx, shop, c.Category)
	if err != nil {
		return err
	}
	is, err := shop.GetCategory(ctx, id)
	if err != nil {
		return err
	}
	given(&is.Name, c.Name)
	if c.Parent != nil {
		if is.ParentID, err = findCategory(ctx, shop, *c.Parent); err != nil {
			return err
		}
	}
	changed, err := shop.ChangeCategory(ctx, id, client.CategoryBody{Name: is.Name, ParentID: is.ParentID})
	if err != nil {
		return err
	}
	return showCategory(out, changed)
}

type categoryDeleteCommand struct {
	shopAddress
	Category string `arg:"" help:"Id or path of the category."`
}

// Run deletes a category.
func (c *categoryDeleteCommand) Run(ctx context.Context, out *printer.Printer) error {
	shop := c.user()
	id, err := findCategory(ctx, shop, c.Category)
	if err != nil {
		return err
	}
	if err := shop.DeleteCategory(ctx, id); err != nil {
		return explained(err)
	}
	return out.Done(map[string]string{"id": id}, "%s is deleted", c.Category)
}
