package office

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

// productDetails is a product with what staff can change of it.
type productDetails struct {
	client.Product
	shelf
	tag      string // ETag of the product that the form shows
	variants []client.Variant
	levels   []client.Level
	houses   map[string]string // names of warehouses
	form     *ui.Form
}

// newProduct adds a product, on sale at once or not.
func newProduct(r *page.Request) error {
	s, err := readShelf(r.Context(), r.API)
	if err != nil {
		return err
	}
	f, ok := r.Form()
	if !ok {
		if f.Value("currency") == "" { // it does not come back after signing in
			f.Values.Set("currency", s.currency)
			f.Values.Set("active", "on")
		}
		return r.Show(newProductPage(r.View, s, f))
	}
	body, ok := formBody(r.View, f)
	if ok {
		p, err := r.API.AddProduct(r.Context(), body)
		if err == nil {
			r.Notify("good", "product.added", p.Name)
			return r.SeeOther("/office/products/" + p.ID)
		}
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	r.Status(http.StatusUnprocessableEntity)
	return r.Show(newProductPage(r.View, s, f))
}

// formBody returns the product of a form; ok is false if the form has a price that is none.
func formBody(v *ui.View, f *ui.Form) (body client.ProductBody, ok bool) {
	active := f.Value("active") != ""
	body = client.ProductBody{
		StoreID: f.Value("store_id"), Name: f.Value("name"), Slug: f.Value("slug"), Description: f.Raw("description"), SKU: f.Value("sku"),
		CategoryID: f.Value("category_id"), Tags: words(f.Value("tags")), Active: &active,
	}
	price, err := money.Parse(f.Value("price"), strings.ToUpper(f.Value("currency")))
	if err != nil {
		f.Add("price", v.T("products.price-hint"))
		return body, false
	}
	body.Price = client.Amount{Minor: price.Minor, Currency: price.Currency}
	return body, true
}

// words splits tags at commas, in both scripts.
func words(text string) (all []string) {
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '、' || c == '，' }) {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// product shows a product and changes it. If it has been changed since it was shown, nothing is stored and the entries stay.
func product(r *page.Request) error {
	f, ok := r.Form()
	id := r.PathValue("id")
	if !ok {
		return showProduct(r, id, f)
	}
	body, ok := formBody(r.View, f)
	if !ok {
		r.Status(http.StatusUnprocessableEntity)
		return showProduct(r, id, f)
	}
	_, err := r.API.ChangeProduct(r.Context(), id, body, client.Header("If-Match", f.Raw("etag")))
	if page.Is(err, "precondition-failed") {
		r.Status(http.StatusPreconditionFailed)
		f.Add("", r.View.T("product.conflict"))
		return showProduct(r, id, f)
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
		return showProduct(r, id, f)
	}
	r.Notify("good", "product.saved")
	return r.SeeOther("/office/products/" + id)
}

func showProduct(r *page.Request, id string, f *ui.Form) error {
	d := productDetails{form: f, houses: map[string]string{}}
	calls, ctx := errgroup.WithContext(r.Context())
	calls.Go(func() (err error) {
		d.Product, d.tag, err = readProduct(ctx, r.API, id)
		return err
	})
	calls.Go(func() (err error) {
		d.shelf, err = readShelf(ctx, r.API)
		return err
	})
	calls.Go(func() error {
		found, err := r.API.GetProductVariants(ctx, id)
		d.variants = found.Items
		return err
	})
	calls.Go(func() error {
		found, err := r.API.ListStock(ctx, client.ListStockQuery{ProductID: id, Paging: client.Paging{Limit: 100}})
		d.levels = found.Items
		return err
	})
	calls.Go(func() (err error) {
		d.houses, err = warehouseNames(ctx, r.API)
		return err
	})
	if err := calls.Wait(); err != nil {
		return err
	}
	if !f.Values.Has("etag") { // it is another form of the page, or none
		d.form = productForm(d.Product)
		d.form.Errors = f.Errors
		for name, values := range f.Values {
			if !d.form.Values.Has(name) {
				d.form.Values[name] = values
			}
		}
	}
	return r.Show(productPage(r.View, d))
}

// productForm returns the form of a product as it is.
func productForm(p client.Product) *ui.Form {
	f := ui.NewForm("name", p.Name, "slug", p.Slug, "description", p.Description, "sku", p.SKU, "price", plain(p.Price),
		"currency", p.Price.Currency, "store_id", p.StoreID, "category_id", p.CategoryID, "tags", strings.Join(p.Tags, ", "))
	if p.Active {
		f.Values.Set("active", "on")
	}
	return f
}

// changePart changes a part of a product: a picture, a variant, or that it is deleted.
func changePart(r *page.Request) error {
	id := r.PathValue("id")
	f, err := r.Upload()
	if err != nil {
		return err
	}
	switch r.PathValue("act") {
	case "picture":
		err = addPicture(r, id, f)
	case "remove-picture":
		err = r.API.DeleteProductImage(r.Context(), id, f.Value("picture"))
	case "variant":
		err = addVariant(r, id, f)
	case "remove-variant":
		err = r.API.DeleteVariant(r.Context(), f.Value("variant"))
	case "delete":
		if err = r.API.DeleteProduct(r.Context(), id); err == nil {
			r.SetCookie("undo", id, "/office", undoLife)
			r.Notify("good", "products.changed", "1")
			return r.SeeOther("/office/products")
		}
	default:
		return page.NotFound()
	}
	if err != nil {
		if err := r.Reject(f, err); err != nil {
			return err
		}
	}
	if len(f.Errors) > 0 {
		r.Status(http.StatusUnprocessableEntity)
		return showProduct(r, id, f)
	}
	r.Notify("good", "product.saved")
	return r.SeeOther("/office/products/" + id)
}

// addPicture adds the file of a form; a form without one gets an error.
func addPicture(r *page.Request, id string, f *ui.Form) error {
	file, _, err := r.FormFile("file")
	if err != nil {
		f.Add("file", r.View.T("product.no-file"))
		return nil
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	_, err = r.API.AddProductImage(r.Context(), id, client.AddProductImageQuery{Alt: f.Value("alt")}, content)
	return err
}

// addVariant adds the variant of a form; a price that is none is an error of the form.
func addVariant(r *page.Request, id string, f *ui.Form) error {
	body := client.VariantBody{Name: f.Value("variant_name"), SKU: f.Value("variant_sku"), Attributes: map[string]string{}}
	if f.Value("variant_price") != "" {
		price, err := money.Parse(f.Value("variant_price"), f.Value("currency"))
		if err != nil {
			f.Add("variant_price", r.View.T("products.price-hint"))
			return nil
		}
		body.Price = &client.Amount{Minor: price.Minor, Currency: price.Currency}
	}
	_, err := r.API.AddProductVariant(r.Context(), id, body)
	return err
}

// quantityOf returns how many pieces are at a level; staff sees the number.
func quantityOf(l client.Level) string {
	if l.Quantity == nil {
		return ""
	}
	return strconv.FormatInt(*l.Quantity, 10)
}
