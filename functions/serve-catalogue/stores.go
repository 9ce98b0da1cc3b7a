package servecatalogue

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/popup-shop/popup/events"
	"github.com/popup-shop/popup/internal/catalogue"
	"github.com/popup-shop/popup/internal/web"
)

// StoresRequest asks for a page of stores.
type StoresRequest struct{ web.Paging }

// StoreRequest names a store.
type StoreRequest struct {
	ID string `path:"id" format:"uuid"`
}

// InStoreRequest asks for a page of the products of a store.
type InStoreRequest struct {
	ID string `path:"id" format:"uuid"`
	web.Paging
	Sort  string `query:"sort" enum:"newest,name,price_asc,price_desc" default:"newest"`
	After string `query:"after" maxLength:"2000" doc:"The next of the page before, instead of page."`
}

// listStores is called by visitors.
func listStores(ctx context.Context, db web.Reader, in *StoresRequest) ([]catalogue.Store, int64, error) {
	web.SurrogateKeys(ctx, events.ShownCatalogue)
	return web.QueryPage(ctx, db, catalogue.ScanStore, `FROM catalogue.stores WHERE deleted_at IS NULL`,
		`SELECT `+catalogue.StoreColumns, `ORDER BY name COLLATE "und-x-icu", store_id LIMIT @limit OFFSET @offset`, pgx.NamedArgs{"limit": in.Limit, "offset": in.Offset()})
}

// readStore is called by visitors.
func readStore(ctx context.Context, db web.Reader, in *StoreRequest) (*catalogue.StoreAnswer, error) {
	out, err := catalogue.ReadStore(ctx, db, in.ID)
	if err == nil {
		web.SurrogateKeys(ctx, events.ShownStore(in.ID))
	}
	return out, err
}

// listInStore is called by visitors of a store.
func listInStore(ctx context.Context, db web.Reader, in *InStoreRequest) ([]catalogue.Product, int64, error) {
	if _, err := readStore(ctx, db, &StoreRequest{in.ID}); err != nil {
		return nil, 0, err
	}
	request := &ListRequest{Paging: in.Paging, Filter: Filter{StoreID: in.ID}, Sort: in.Sort, After: in.After}
	items, total, err := list(ctx, db, request)
	in.Paging = request.Paging
	return items, total, err
}
