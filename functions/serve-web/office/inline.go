package office

import (
	"net/http"
	"strconv"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
	"github.com/popup-shop/popup/internal/money"
)

// conflict is a price or a number of pieces that changed between the time it was shown and the time its change was sent.
type conflict struct {
	product    client.Product
	now, typed string
}

// changePrice sets the price that was typed into a row. If the price is no longer the one that the row showed, both are
// shown and nothing is changed.
func changePrice(r *page.Request, f *ui.Form, next string) error {
	id := f.Value("id")
	p, tag, err := readProduct(r.Context(), r.API, id)
	if err != nil {
		return err
	}
	if f.Value("was") != strconv.FormatInt(p.Price.Minor, 10) {
		return stale(r, p, f)
	}
	price, err := money.Parse(f.Value("price"), p.Price.Currency)
	if err != nil {
		r.Notify("bad", "products.price-wrong", p.Name)
		return r.SeeOther(next)
	}
	body := bodyOf(p)
	body.Price = client.Amount{Minor: price.Minor, Currency: price.Currency}
	_, err = r.API.ChangeProduct(r.Context(), id, body, client.Header("If-Match", tag))
	switch {
	case page.Is(err, "precondition-failed"):
		return stale(r, p, f)
	case page.Is(err, "invalid"):
		r.Notify("bad", "products.price-wrong", p.Name)
	case err != nil:
		return err
	default:
		r.Notify("good", "products.price-changed", p.Name)
	}
	return r.SeeOther(next)
}

// stale shows the list with both prices.
func stale(r *page.Request, p client.Product, f *ui.Form) error {
	return showConflict(r, f, conflict{product: p, now: r.View.Money(p.Price), typed: f.Value("price")})
}

func showConflict(r *page.Request, f *ui.Form, c conflict) error {
	r.Status(http.StatusPreconditionFailed)
	return showProducts(r, productList{form: f, conflict: &c})
}

// changeAvailable sets how many of a product there are to sell, as it was typed into a row. If there are no longer as many as the row
// showed, both numbers are shown and nothing is changed. A product with stock in several places is counted place by place.
func changeAvailable(r *page.Request, f *ui.Form, next string) error {
	id := f.Value("id")
	typed, isNumber := f.Int("available")
	if !isNumber || typed < 0 {
		r.Notify("bad", "stock.quantity-wrong")
		return r.SeeOther(next)
	}
	found, err := r.API.ListStock(r.Context(), client.ListStockQuery{ProductID: id, Paging: client.Paging{Limit: 2}})
	if err != nil {
		return err
	}
	if len(found.Items) != 1 {
		r.Notify("bad", "products.several-levels")
		return r.SeeOther("/office/stock?" + query("product_id", id))
	}
	var answered http.Response
	level, err := r.API.GetStock(r.Context(), found.Items[0].ID, client.Answered(&answered))
	if err != nil {
		return err
	}
	if f.Value("was") == decimal(level.Available) {
		_, err = r.API.ChangeStock(r.Context(), level.ID, client.ChangeStockRequest{
			Quantity: typed + *level.Reserved, Reason: r.View.T("stock.counted-reason"),
		}, client.Header("If-Match", answered.Header.Get("ETag")))
		if err == nil {
			r.Notify("good", "products.stock-changed", level.SKU, decimal(typed))
			return r.SeeOther(next)
		}
		if !page.Is(err, "precondition-failed") {
			return err
		}
	}
	p, err := r.API.GetProduct(r.Context(), id)
	if err != nil {
		return err
	}
	return showConflict(r, f, conflict{product: p, now: decimal(level.Available), typed: decimal(typed)})
}

// plain returns an amount as it is typed, such as 25.00.
func plain(a client.Amount) string {
	return money.Amount{Minor: a.Minor, Currency: a.Currency}.Decimal()
}
