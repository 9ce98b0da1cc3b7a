package functions_test

import (
	"bytes"
	"image"
	"image/png"
	"path"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
)

// API-16, API-19, API-21, API-22, API-23.
func (d *day) staffKeepsTheCatalogue() {
	c, ctx := d.as("staff"), d.t.Context()
	store := ok(c.AddStore(ctx, client.StoreBody{Name: "Stall", Location: "Kiel"}))(d.t)
	hats := d.staffSortsTheShelves(c)
	price := client.Amount{Minor: 2900, Currency: "EUR"}
	hat := client.ProductBody{StoreID: store.ID, Name: "Knit hat", SKU: "HAT-1", Price: price, CategoryID: hats.ID}
	made := ok(c.AddProduct(ctx, hat))(d.t)
	hat.Name = "Warm knit hat"
	require.Equal(d.t, hat.Name, ok(c.ChangeProduct(ctx, made.ID, hat))(d.t).Name)
	require.Equal(d.t, []string{"冬"}, ok(c.ChangeProductTag(ctx, made.ID, "冬"))(d.t).Tags)
	require.Equal(d.t, int64(1), ok(d.visitor.ListTags(ctx, client.Paging{Limit: 100}))(d.t).Total-d.tags)
	require.NoError(d.t, c.DeleteProductTag(ctx, made.ID, "冬"))

	var drawn bytes.Buffer
	require.NoError(d.t, png.Encode(&drawn, image.NewGray(image.Rect(0, 0, 200, 200))))
	drawn.Write(make([]byte, 100<<10)) // more than other routes take
	shown := ok(c.AddProductImage(ctx, made.ID, client.AddProductImageQuery{Alt: "A hat"}, drawn.Bytes()))(d.t).ImageURLs
	require.Equal(d.t, shown, ok(d.visitor.GetProduct(ctx, made.ID))(d.t).ImageURLs)
	require.NoError(d.t, c.DeleteProductImage(ctx, made.ID, path.Base(shown[0])))

	red := ok(c.AddProductVariant(ctx, made.ID,
		client.VariantBody{Name: "red", SKU: "HAT-1-RED", Attributes: map[string]string{"colour": "red"}}))(d.t)
	require.Equal(d.t, []client.Variant{red}, ok(d.visitor.GetProductVariants(ctx, made.ID))(d.t).Items)
	require.Equal(d.t, "crimson", ok(c.ChangeVariant(ctx, red.ID, client.VariantBody{Name: "crimson", SKU: red.SKU}))(d.t).Name)
	require.NoError(d.t, c.DeleteVariant(ctx, red.ID))
	require.Equal(d.t, red.ID, ok(c.RestoreVariant(ctx, red.ID))(d.t).ID)
	require.NoError(d.t, c.DeleteProduct(ctx, made.ID))
	require.Equal(d.t, made.ID, ok(c.RestoreProduct(ctx, made.ID))(d.t).ID)
	off := false
	hat.Active = &off
	ok(c.ChangeProduct(ctx, made.ID, hat))(d.t)
	require.Equal(d.t, made.ID, ok(c.ListDrafts(ctx, client.ListDraftsQuery{}))(d.t).Items[0].ID)
	hat.Active = nil
	ok(c.ChangeProduct(ctx, made.ID, hat))(d.t)
	d.staffClosesAStore(c, store, made.ID)
	d.adminNamesTheShop()
}

// WEB-49, WEB-53.
func (d *day) adminNamesTheShop() {
	c, ctx := d.as("admin"), d.t.Context()
	named := ok(c.ChangeSettings(ctx, client.ChangeSettingsRequest{Name: "Tide & Thread", Currency: "EUR"}))(d.t)
	require.Equal(d.t, named, ok(d.visitor.GetSettings(ctx))(d.t))
	terms := client.ChangeTextRequest{En: client.TextDescription{Description: "Terms."}}
	text := ok(c.ChangeText(ctx, "terms", terms))(d.t)
	require.Equal(d.t, text, ok(d.visitor.GetText(ctx, "terms"))(d.t))
	require.NoError(d.t, c.DeleteText(ctx, "terms"))
}

// API-24.
func (d *day) staffSortsTheShelves(c *client.Client) client.Category {
	ctx := d.t.Context()
	d.tags = ok(d.visitor.ListTags(ctx, client.Paging{}))(d.t).Total
	top := ok(c.AddCategory(ctx, client.CategoryBody{Name: "Clothes"}))(d.t)
	hats := ok(c.AddCategory(ctx, client.CategoryBody{Name: "Hats"}))(d.t)
	hats = ok(c.ChangeCategory(ctx, hats.ID, client.CategoryBody{Name: "Hats", ParentID: top.ID}))(d.t)
	require.Equal(d.t, hats, ok(d.visitor.GetCategory(ctx, hats.ID))(d.t))
	require.Contains(d.t, ok(d.visitor.GetCategories(ctx))(d.t).Items, hats)
	require.NotEmpty(d.t, ok(d.visitor.GetFacets(ctx, client.GetFacetsQuery{}))(d.t).Tags)
	shoes := ok(c.AddCategory(ctx, client.CategoryBody{Name: "Shoes"}))(d.t)
	require.NoError(d.t, c.DeleteCategory(ctx, shoes.ID))
	return hats
}

// API-20, API-25, API-26, API-27.
func (d *day) staffClosesAStore(c *client.Client, store client.Store, productID string) {
	ctx := d.t.Context()
	listed := ok(d.visitor.ListStoreProducts(ctx, store.ID, client.ListStoreProductsQuery{}))(d.t)
	require.Equal(d.t, productID, listed.Items[0].ID)
	require.False(d.t, ok(c.DeleteStoreParticipating(ctx, store.ID))(d.t).Participating)
	require.True(d.t, ok(c.ChangeStoreParticipating(ctx, store.ID))(d.t).Participating)
	moved := ok(c.ChangeStore(ctx, store.ID, client.StoreBody{Name: "Stall", Location: "Lübeck"}))(d.t)
	require.Equal(d.t, moved, ok(d.visitor.GetStore(ctx, store.ID))(d.t))
	require.Contains(d.t, ok(d.visitor.ListStores(ctx, client.Paging{}))(d.t).Items, moved)

	var asked client.DeleteProductsRequest
	asked.IDs = []string{productID, store.ID}
	results := ok(c.DeleteProducts(ctx, asked))(d.t).Results
	require.Equal(d.t, []bool{true, false}, []bool{results[0].Deleted, results[1].Deleted})
	var table client.ImportProductsRequest
	table.Rows = []client.ImportRow{
		{SKU: "SCARF-1", Name: "Scarf", Store: "Stall", Price: client.Amount{Minor: 1900, Currency: "EUR"}, Active: true},
	}
	require.Equal(d.t, "created", ok(c.ImportProducts(ctx, table))(d.t).Results[0].Result)
	require.Contains(d.t, ok(c.ExportProducts(ctx, client.ExportProductsQuery{}))(d.t).Rows, table.Rows[0])
	left := ok(c.AddProduct(ctx, client.ProductBody{
		StoreID: store.ID, Name: "Glove", SKU: "GLOVE-1", Price: client.Amount{Minor: 1, Currency: "EUR"},
	}))(d.t)
	require.NoError(d.t, c.DeleteProduct(ctx, left.ID))
	require.Equal(d.t, int64(1), ok(c.DeleteStoreProducts(ctx, store.ID, client.DeleteStoreProductsQuery{Confirm: true}))(d.t).Deleted)
	require.NoError(d.t, c.DeleteStore(ctx, store.ID, client.DeleteStoreQuery{Confirm: true}))
}
