package shop

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/functions/serve-web/page"
	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// basketView is what the page of the basket shows.
type basketView struct {
	client.Basket
	images  map[string]client.Image // by product
	removed *client.Item            // what was just removed, to be undone
	name    string                  // of it
	form    *ui.Form
	failed  string // the line whose quantity can't be had
}

// imagesAtOnce is how many products are read at a time.
const imagesAtOnce = 8

func basket(r *page.Request) error {
	shown, err := readBasket(r)
	if err != nil {
		return err
	}
	if sku := r.URL.Query().Get("removed"); sku != "" {
		quantity, _ := strconv.ParseInt(r.URL.Query().Get("quantity"), 10, 32)
		shown.removed = &client.Item{SKU: sku, Quantity: min(max(quantity, 1), maxQuantity)}
		shown.name = r.URL.Query().Get("name")
	}
	return r.Show(basketPage(r.View, shown))
}

func readBasket(r *page.Request) (*basketView, error) {
	found, err := r.API.GetBasket(r.Context())
	if err != nil {
		return nil, err
	}
	shown := &basketView{Basket: found, form: &ui.Form{}}
	r.View.Basket = func() int64 { return found.Count }
	shown.images, err = readImages(r, found.Lines)
	return shown, err
}

// readImages returns the first picture of each product in a basket.
func readImages(r *page.Request, lines []client.Line) (map[string]client.Image, error) {
	products := make([]client.Product, len(lines))
	calls, ctx := errgroup.WithContext(r.Context())
	calls.SetLimit(imagesAtOnce)
	for i, line := range lines {
		calls.Go(func() error {
			p, err := r.API.GetProduct(ctx, line.ProductID)
			if isMissing(err) { // it is no longer on sale
				return nil
			}
			products[i] = p
			return err
		})
	}
	if err := calls.Wait(); err != nil {
		return nil, err
	}
	images := map[string]client.Image{}
	for _, p := range products {
		if image, ok := ui.Picture(p); ok {
			images[p.ID] = image
		}
	}
	return images, nil
}

// restore puts back what was removed.
func restore(r *page.Request) error {
	f, _ := r.Form()
	quantity, _ := strconv.ParseInt(f.Value("quantity"), 10, 32)
	_, err := r.API.AddBasketItem(r.Context(), client.AddBasketItemRequest{SKU: f.Value("sku"), Quantity: max(quantity, 1)})
	if err == nil {
		return r.SeeOther("/basket")
	}
	return showRejected(r, f, "", err)
}

// change sets the quantity of a line, or removes it.
func change(r *page.Request) error {
	f, _ := r.Form()
	id := r.PathValue("id")
	quantity, err := strconv.ParseInt(f.Value("quantity"), 10, 32)
	if f.Value("action") == "remove" || err == nil && quantity == 0 {
		return remove(r, f, id)
	}
	_, err = r.API.ChangeBasketItem(r.Context(), id, client.ChangeBasketItemRequest{Quantity: quantity})
	if err == nil || page.Is(err, "not-found") {
		return r.SeeOther("/basket")
	}
	return showRejected(r, f, id, err)
}

func remove(r *page.Request, f *ui.Form, id string) error {
	before, err := r.API.GetBasket(r.Context())
	if err != nil {
		return err
	}
	if _, err := r.API.DeleteBasketItem(r.Context(), id); err != nil && !page.Is(err, "not-found") {
		return err
	}
	for _, line := range before.Lines {
		if line.ID == id {
			undo := url.Values{"removed": {line.SKU}, "quantity": {strconv.FormatInt(line.Quantity, 10)}, "name": {line.Name}}
			return r.SeeOther("/basket?" + undo.Encode())
		}
	}
	return r.SeeOther("/basket")
}

// showRejected shows the basket with what the API rejected.
func showRejected(r *page.Request, f *ui.Form, line string, err error) error {
	if err := rejectItem(r, f, err); err != nil {
		return err
	}
	shown, err := readBasket(r)
	if err != nil {
		return err
	}
	shown.form, shown.failed = f, line
	return r.Show(basketPage(r.View, shown))
}

// addMany fills a basket from a link, such as /basket/add?sku=TEE:2,CAP. The link itself changes nothing: a page of another
// site, or one that a browser loads ahead, would otherwise fill baskets of people who never chose to. It shows what would be
// added, and one button adds it.
func addMany(r *page.Request) error {
	f, submitted := r.Form()
	items := parseItems(f.Value("sku"))
	if len(items) == 0 {
		return page.NotFound()
	}
	if submitted {
		for _, item := range items {
			_, err := r.API.AddBasketItem(r.Context(), client.AddBasketItemRequest{SKU: item.SKU, Quantity: item.Quantity})
			if err == nil {
				continue
			}
			if page.ShortLines(err) == nil && !page.Is(err, "invalid", "not-on-sale", "not-possible-now") {
				return err
			}
			f.Add("", r.View.T("add.failed", item.SKU))
		}
		if len(f.Errors) == 0 {
			return r.SeeOther("/basket")
		}
		r.Status(http.StatusConflict)
	}
	quote, err := quoteItems(r.Context(), r.API, items)
	if err != nil {
		return err
	}
	return r.Show(addManyPage(r.View, f, items, quote))
}

// maxItems is how many products a link may have.
const maxItems = 100

// parseItems reads SKUs with quantities: "A:2,B".
func parseItems(text string) (items []client.Item) {
	for part := range strings.SplitSeq(text, ",") {
		sku, count, _ := strings.Cut(part, ":")
		quantity, err := strconv.ParseInt(count, 10, 32)
		if err != nil {
			quantity = 1
		}
		if sku = strings.TrimSpace(sku); sku != "" && len(items) < maxItems {
			items = append(items, client.Item{SKU: sku, Quantity: min(max(quantity, 1), maxQuantity)})
		}
	}
	return items
}

func quoteItems(ctx context.Context, api *client.Client, items []client.Item) (client.Quote, error) {
	quote, err := api.Quote(ctx, client.QuoteRequest{Lines: items})
	if page.Is(err, "invalid") {
		return client.Quote{}, nil
	}
	return quote, err
}

// canOrder reports whether anything in the basket can be ordered.
func (b *basketView) canOrder() bool {
	for _, line := range b.Lines {
		if line.OnSale && line.Available > 0 {
			return true
		}
	}
	return false
}

// lineTotal returns what a line costs.
func lineTotal(line client.Line) client.Amount {
	return client.Amount{Minor: line.Quantity * line.UnitPrice.Minor, Currency: line.UnitPrice.Currency}
}
