package office

import (
	"net/http"
	"slices"

	"github.com/a-h/templ"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/table"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

func productTabs(v *ui.View) []tab {
	return []tab{
		{"/office/products", v.T("products.on-sale")},
		{"/office/products?view=off", v.T("products.off-sale")},
		{"/office/categories", v.T("categories.title")},
	}
}

// categoryColumns returns the columns of a tree. As long as nothing else sorts it, each category is before those below it.
func categoryColumns() []table.Column[client.Category] {
	name := linked("office.name", func(c client.Category) string { return c.Name }, func(c client.Category) string { return "/office/categories/" + c.ID })
	name.Cell = func(c client.Category) templ.Component { return categoryName(c) }
	return []table.Column[client.Category]{
		name.ByText("name"),
		shown(text("product.slug", func(c client.Category) string { return c.Slug }).ByText("slug"),
			func(c client.Category) templ.Component { return code(c.Slug) }),
		count("categories.level", "level", func(c client.Category) int64 { return c.Level }),
		count("categories.below", "below", func(c client.Category) int64 { return int64(len(c.ChildIDs)) }),
	}
}

// categories shows the tree of categories, and adds one.
func categories(r *page.Request) error {
	f, ok := r.Form()
	if ok {
		made, err := r.API.AddCategory(r.Context(), categoryBody(f))
		if err == nil {
			r.Notify("good", "category.added", made.Name)
			return r.SeeOther("/office/categories")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	found, err := r.API.GetCategories(r.Context())
	if err != nil {
		return err
	}
	t := table.Table[client.Category]{Key: "categories.title", Columns: categoryColumns()}
	t.Hold(r, "", found.Items)
	return t.Show(r, categoriesPage(r.View, t, shelf{categories: found.Items}, f))
}

func categoryBody(f *ui.Form) client.CategoryBody {
	return client.CategoryBody{Name: f.Value("name"), ParentID: f.Value("parent_id"), Slug: f.Value("slug")}
}

// category shows a category, and renames or moves it with all that is below it.
func category(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if ok {
		_, err := r.API.ChangeCategory(r.Context(), id, categoryBody(f))
		if err == nil {
			r.Notify("good", "product.saved")
			return r.SeeOther("/office/categories")
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	return showCategory(r, id, f)
}

func showCategory(r *page.Request, id string, f *ui.Form) error {
	found, err := r.API.GetCategories(r.Context())
	if err != nil {
		return err
	}
	at := slices.IndexFunc(found.Items, func(c client.Category) bool { return c.ID == id })
	if at < 0 {
		return page.NotFound()
	}
	now := found.Items[at]
	if !f.Values.Has("name") {
		errors := f.Errors
		f = ui.NewForm("name", now.Name, "parent_id", now.ParentID, "slug", now.Slug)
		f.Errors = errors
	}
	return r.Show(categoryPage(r.View, now, shelf{categories: notBelow(found.Items, id)}, f))
}

// notBelow returns the categories that another one can be put into: all but itself and those below it.
func notBelow(all []client.Category, id string) (kept []client.Category) {
	below := map[string]bool{id: true}
	for _, c := range all { // each is before those below it
		if below[c.ID] || below[c.ParentID] {
			below[c.ID] = true
			continue
		}
		kept = append(kept, c)
	}
	return kept
}

// deleteCategory deletes a category in which there is nothing.
func deleteCategory(r *page.Request) error {
	id := r.PathValue("id")
	err := r.API.DeleteCategory(r.Context(), id)
	if page.Is(err, "in-use") {
		f := ui.NewForm()
		f.Add("", r.View.T("category.in-use"))
		r.Status(http.StatusUnprocessableEntity)
		return showCategory(r, id, f)
	}
	if err != nil {
		return err
	}
	r.Notify("good", "category.deleted")
	return r.SeeOther("/office/categories")
}
