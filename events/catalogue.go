package events

// What happened to a product, a category or a store.
const (
	ChangeCreated = "created"
	ChangeUpdated = "updated"
	ChangeDeleted = "deleted"
	ChangeOpened  = "opened" // a store sells again
	ChangeClosed  = "closed" // a store sells no more for now
)

// ProductChanged reports that staff changed what a product is or costs.
type ProductChanged struct {
	unconsumed
	ProductID string `json:"product_id"`
	StoreID   string `json:"store_id"`
	Change    string `json:"change" jsonschema:"created, updated or deleted"`
	Version   int64  `json:"version"`
}

// StoreChanged reports that staff changed a store, opened or closed it.
type StoreChanged struct {
	unconsumed
	StoreID string `json:"store_id"`
	Change  string `json:"change" jsonschema:"created, updated, deleted, opened or closed"`
}

// CategoryChanged reports that staff changed the tree of categories.
type CategoryChanged struct {
	unconsumed
	CategoryID string `json:"category_id"`
	Change     string `json:"change" jsonschema:"created, updated or deleted"`
}

// SettingsChanged reports that an admin changed what the shop is called and how it looks, or one of its texts.
type SettingsChanged struct {
	unconsumed
	Part string `json:"part" jsonschema:"settings or the kind of the text"`
}

func (ProductChanged) EventType() string  { return "product.changed" }
func (StoreChanged) EventType() string    { return "store.changed" }
func (CategoryChanged) EventType() string { return "category.changed" }

func (SettingsChanged) EventType() string { return "settings.changed" }

func (e ProductChanged) About() About  { return About{Subject: e.ProductID, Version: e.Version} }
func (e StoreChanged) About() About    { return About{Subject: e.StoreID} }
func (e CategoryChanged) About() About { return About{Subject: e.CategoryID} }

func (e SettingsChanged) About() About { return About{Subject: e.Part} }

// Touches names the product, and everything that lists products.
func (e ProductChanged) Touches() []string {
	return []string{ShownCatalogue, ShownProduct(e.ProductID)}
}

// Touches names the store, and everything that lists products.
func (e StoreChanged) Touches() []string { return []string{ShownCatalogue, ShownStore(e.StoreID)} }

// Touches names everything that lists products.
func (CategoryChanged) Touches() []string { return []string{ShownCatalogue} }

// Touches names the settings and texts of the shop.
func (SettingsChanged) Touches() []string { return []string{ShownSettings} }
