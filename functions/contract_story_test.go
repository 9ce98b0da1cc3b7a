package functions_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/popup-shop/popup/client"
	"github.com/popup-shop/popup/internal/shoptest"
)

var (
	home = client.Address{
		Name: "Ada Byron", Phone: "+49 40 1234567", Country: "DE", PostalCode: "20095", City: "Hamburg",
		AddressLine1: "Kai 1",
	}
	contact = client.Contact{Name: "Ada Byron", Email: "ada@example.test", Phone: "+49 40 1234567"}
)

const (
	secret  = "correct horse battery"
	another = "the next long secret"
	key     = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ada@machine"
)

// oneCap returns an order of one cap.
func oneCap() client.PlaceOrderRequest {
	return client.PlaceOrderRequest{
		Lines: []client.Item{{SKU: shoptest.Cap, Quantity: 1}}, PaymentMethod: "simulated", Address: &home,
		Contact: &contact,
	}
}

// API-15, API-17, API-18, API-29.
func (d *day) aVisitorLooksAround() {
	c, ctx := d.visitor, d.t.Context()
	products := ok(c.ListProducts(ctx, client.ListProductsQuery{Paging: client.Paging{Limit: 2}, Sort: "name"}))(d.t)
	require.Len(d.t, products.Items, 2)
	require.Greater(d.t, products.Total, int64(2))
	first := products.Items[0]
	require.Equal(d.t, first, ok(c.GetProduct(ctx, first.ID))(d.t))
	found := ok(c.SearchProducts(ctx, client.SearchProductsQuery{Q: first.Name}))(d.t)
	require.Equal(d.t, first, found.Items[0])
	require.Equal(d.t, first.Name, ok(c.SuggestProducts(ctx, client.SuggestProductsQuery{Q: string([]rune(first.Name)[:2])}))(d.t).Items[0].Name)
	stock := ok(c.ListStock(ctx, client.ListStockQuery{SKU: first.SKU}))(d.t)
	require.Equal(d.t, first.Stock.Available, stock.Items[0].TotalAvailable)
	require.Len(d.t, ok(c.GetKeys(ctx))(d.t).Keys, 1)
}

// API-39, API-41, API-44, API-75.
func (d *day) aGuestOrdersAndCancels() {
	ctx := d.t.Context()
	guest := ok(d.visitor.AddCustomer(ctx, client.AddCustomerRequest{Name: "Ada Byron", Phone: contact.Phone}))(d.t)
	token := ok(d.visitor.AddCustomerToken(ctx, guest.ID, client.AddCustomerTokenRequest{Phone: contact.Phone}))(d.t).Token
	known := ok(d.visitor.With(client.Token(token)).GetCustomer(ctx, guest.ID))(d.t)
	require.Equal(d.t, "Ada Byron", known.Name)

	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	c := d.visitor.With(client.OrderToken(placed.OrderToken))
	d.AwaitStatus(d.t, placed.ID, "confirmed")
	require.Equal(d.t, "confirmed", ok(c.GetOrder(ctx, placed.ID))(d.t).Status)
	require.Equal(d.t, placed.ID, ok(d.visitor.FindOrder(ctx, client.FindOrderRequest{Number: placed.Number, Email: contact.Email}))(d.t).ID)
	require.Equal(d.t, "order.placed", ok(c.GetOrderEvents(ctx, placed.ID))(d.t).Items[0].Type)
	var answered http.Response
	cancel := func() client.Order {
		return ok(c.CancelOrder(ctx, placed.ID, client.CancelOrderRequest{Reason: "too big"},
			client.Key("cancel"), client.Wait(0), client.Answered(&answered)))(d.t)
	}
	require.Equal(d.t, "cancelling", cancel().Status)
	require.Equal(d.t, http.StatusAccepted, answered.StatusCode)
	d.AwaitStatus(d.t, placed.ID, "cancelled")
	require.Equal(d.t, "cancelled", cancel().Status)
	require.Equal(d.t, http.StatusOK, answered.StatusCode)
	require.Equal(d.t, "true", answered.Header.Get("Idempotency-Replayed"))
}

// API-38, API-48, API-49, ORD-49.
func (d *day) staffShipsAnOrder() {
	ctx, staff := d.t.Context(), d.as("staff")
	quoted := ok(d.visitor.Quote(ctx, client.QuoteRequest{Lines: oneCap().Lines}))(d.t)
	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	require.Equal(d.t, quoted.Total, placed.Total)
	d.AwaitStatus(d.t, placed.ID, "confirmed")
	d.Deliver(d.t, "ship-order", d.Emitted(d.t, placed.ID, "order.confirmed")[0])
	ok(staff.AddOrderNote(ctx, placed.ID, client.AddOrderNoteRequest{Note: "gift"}))(d.t)
	require.Equal(d.t, "gift", ok(staff.ListOrderNotes(ctx, placed.ID, client.Paging{}))(d.t).Items[0].Note)
	ok(staff.ShipOrder(ctx, placed.ID, client.ShipOrderRequest{Carrier: "DHL", TrackingNumber: "JD1"}, client.Key("ship"), client.Wait(0)))(d.t)
	ok(staff.MoveOrder(ctx, placed.ID, client.MoveOrderRequest{Status: "in_transit", Location: "Hamburg"}, client.Key("move"), client.Wait(0)))(d.t)
	shipment := ok(staff.ListShipments(ctx, client.ListShipmentsQuery{Q: "JD1"}))(d.t).Items[0]
	require.Equal(d.t, shipment, ok(staff.GetShipment(ctx, shipment.ID))(d.t))
	require.Equal(d.t, "in_transit", ok(d.visitor.Track(ctx, "JD1"))(d.t).Status)
	d.AwaitStatus(d.t, placed.ID, "in_transit")
	require.False(d.t, ok(staff.HideOrders(ctx, client.HideOrdersRequest{IDs: []string{placed.ID}}))(d.t).Results[0].Hidden, "it is on its way")
	require.NotEmpty(d.t, ok(staff.GetDailyFigures(ctx, client.GetDailyFiguresQuery{}))(d.t).Items)
}

// API-36, API-37.
func (d *day) aVisitorFillsABasketAndOrdersIt() {
	ctx := d.t.Context()
	filled := ok(d.visitor.AddBasketItem(ctx, client.AddBasketItemRequest{SKU: shoptest.Cap, Quantity: 1}))(d.t)
	c := d.visitor.With(client.BasketToken(filled.Token))
	ok(c.AddBasketItem(ctx, client.AddBasketItemRequest{SKU: shoptest.Print, Quantity: 1}))(d.t)
	changed := ok(c.ChangeBasketItem(ctx, filled.Lines[0].ID, client.ChangeBasketItemRequest{Quantity: 3}))(d.t)
	require.Equal(d.t, int64(4), changed.Count)
	left := ok(c.DeleteBasketItem(ctx, changed.Lines[1].ID))(d.t)
	require.Equal(d.t, left, ok(c.GetBasket(ctx))(d.t))
	order := oneCap()
	order.Lines, order.BasketID = nil, left.ID
	placed := ok(c.PlaceOrder(ctx, order, client.Wait(0)))(d.t)
	require.Equal(d.t, left.Subtotal, placed.Total)
	require.NoError(d.t, c.DeleteBasket(ctx))
}

// API-69, API-71, API-72, API-73.
func (d *day) aCustomerSignsUpAndSettlesIn() {
	ctx := d.t.Context()
	made := ok(d.visitor.Register(ctx, client.RegisterRequest{
		Email: contact.Email, Name: contact.Name, Phone: contact.Phone, Password: secret,
	}))(d.t)
	c := d.visitor.With(client.Token(made.AccessToken))
	require.Equal(d.t, made.User, ok(c.GetMe(ctx))(d.t))
	me := ok(c.ChangeMe(ctx, client.ChangeMeRequest{
		Email: contact.Email, Name: "Ada King", Phone: contact.Phone, Locale: "ja",
	}))(d.t)
	require.Equal(d.t, []string{"Ada King", "ja"}, []string{me.Name, me.Locale})
	require.NoError(d.t, c.ChangeMyPassword(ctx, client.ChangeMyPasswordRequest{Old: secret, New: another}))

	require.NoError(d.t, d.visitor.ForgotPassword(ctx, client.ForgotPasswordRequest{Email: contact.Email}))
	d.Exec(d.t, `UPDATE accounts.resets SET token_hash = sha256('link')`)
	require.NoError(d.t, d.visitor.ResetPassword(ctx, client.ResetPasswordRequest{Token: "link", New: another}))
	c = d.visitor.With(client.Token(ok(d.visitor.Login(ctx, client.LoginRequest{Email: contact.Email, Password: another}))(d.t).AccessToken))

	added := ok(c.AddMyAddress(ctx, client.AddressBody{Address: home}))(d.t)
	moved := home
	moved.AddressLine1 = "Kai 2"
	changed := ok(c.ChangeAddress(ctx, added.ID, client.AddressBody{Address: moved, IsDefault: true}))(d.t)
	require.Equal(d.t, []client.KeptAddress{changed}, ok(c.ListMyAddresses(ctx, client.Paging{}))(d.t).Items)
	require.NoError(d.t, c.DeleteAddress(ctx, added.ID))

	sshKey := ok(c.AddMySSHKey(ctx, client.AddMySSHKeyRequest{Name: "machine", Key: key}))(d.t)
	require.Equal(d.t, []client.SSHKey{sshKey}, ok(c.ListMySSHKeys(ctx, client.Paging{}))(d.t).Items)
	require.NoError(d.t, c.DeleteMySSHKey(ctx, sshKey.ID))
}

// API-45, API-60, API-61.
func (d *day) aCustomerUsesPoints() {
	ctx := d.t.Context()
	c := d.as("customer")
	me := ok(c.GetMe(ctx))(d.t)
	ok(d.as("staff").AdjustPoints(ctx, client.AdjustPointsRequest{CustomerID: me.ID, Points: 50, Reason: "a late parcel"}))(d.t)
	order := oneCap()
	order.Points = 20
	placed := ok(c.PlaceOrder(ctx, order, client.Wait(0)))(d.t)
	changed := ok(c.ApplyOrderPoints(ctx, placed.ID, client.ApplyOrderPointsRequest{Points: 30}))(d.t)
	require.Equal(d.t, placed.Total.Minor-100, changed.Total.Minor)
	balance := ok(c.GetPoints(ctx, client.GetPointsQuery{}))(d.t)
	require.Equal(d.t, []int64{20, 30}, []int64{balance.Available, balance.Held})
	require.Len(d.t, ok(c.ListPointEntries(ctx, client.ListPointEntriesQuery{}))(d.t).Items, 4)
	ok(c.CancelOrder(ctx, placed.ID, client.CancelOrderRequest{Reason: "changed my mind"}, client.Wait(0)))(d.t)
	d.AwaitStatus(d.t, placed.ID, "cancelled")
}

// API-40, API-47.
func (d *day) aCustomerClaimsAnOrder() {
	ctx := d.t.Context()
	placed := ok(d.visitor.PlaceOrder(ctx, oneCap(), client.Wait(0)))(d.t)
	c := d.visitor.With(client.Token(d.login().AccessToken))
	claimed := ok(c.ClaimOrder(ctx, placed.ID, client.ClaimOrderRequest{OrderToken: placed.OrderToken}))(d.t)
	own := ok(c.ListOrders(ctx, client.ListOrdersQuery{Status: "pending", From: time.Now().Add(-time.Hour)}))(d.t)
	require.Equal(d.t, []client.Order{claimed}, own.Items)
	ok(c.CancelOrder(ctx, placed.ID, client.CancelOrderRequest{Reason: "two are one too many"}, client.Wait(0)))(d.t)
	d.AwaitStatus(d.t, placed.ID, "cancelled")
}

func (d *day) login() client.Tokens {
	return ok(d.visitor.Login(d.t.Context(), client.LoginRequest{Email: contact.Email, Password: another}))(d.t)
}

// API-70.
func (d *day) aCustomerLeaves() {
	ctx := d.t.Context()
	tokens := ok(d.visitor.Refresh(ctx, client.RefreshRequest{RefreshToken: d.login().RefreshToken}))(d.t)
	c := d.visitor.With(client.Token(tokens.AccessToken))
	require.Len(d.t, ok(c.ListMySessions(ctx, client.Paging{}))(d.t).Items, 3)
	require.NoError(d.t, c.DeleteMySessions(ctx, client.DeleteMySessionsQuery{}))
	require.Len(d.t, ok(c.ListMySessions(ctx, client.Paging{}))(d.t).Items, 1, "this one")
	data, err := c.GetMyData(ctx)
	require.NoError(d.t, err)
	require.Contains(d.t, string(data), contact.Email)
	require.NoError(d.t, c.Logout(ctx, client.LogoutQuery{Everywhere: true}))
	require.NoError(d.t, d.visitor.With(client.Token(d.login().AccessToken)).DeleteMe(ctx))
}

// API-30, API-31, API-32, API-33.
func (d *day) staffReceivesGoods() {
	c, ctx := d.as("staff"), d.t.Context()
	level := ok(c.AddStock(ctx, client.AddStockRequest{SKU: shoptest.Cap, WarehouseID: shoptest.Canal, Quantity: 5}))(d.t)
	movement := client.AddStockMovementRequest{Kind: "inbound", Quantity: 7, Reason: "delivered"}
	moved := ok(c.AddStockMovement(ctx, level.ID, movement))(d.t)
	require.Equal(d.t, int64(12), *moved.Level.Quantity)
	set := ok(c.ChangeStock(ctx, level.ID, client.ChangeStockRequest{Quantity: 10, Reason: "two are torn"}))(d.t)
	require.Equal(d.t, int64(10), set.Available)
	require.Equal(d.t, set, ok(c.GetStock(ctx, level.ID))(d.t))
	last := ok(c.ListStockMovements(ctx, level.ID, client.ListStockMovementsQuery{Kind: "adjustment"}))(d.t)
	require.Equal(d.t, int64(-2), last.Items[0].Quantity)
	both := ok(c.TransferStock(ctx, client.TransferStockRequest{
		SKU: shoptest.Cap, From: shoptest.Canal, To: shoptest.Harbour, Quantity: 1, Reason: "the window is empty",
	}))(d.t)
	require.Equal(d.t, int64(9), *both.Out.Level.Quantity)
}

// API-28, API-34, API-35.
func (d *day) staffHoldsGoodsByHand() {
	c, ctx := d.as("staff"), d.t.Context()
	held := ok(c.AddReservation(ctx, client.AddReservationRequest{Lines: []client.HoldLine{{SKU: shoptest.Cap, Quantity: 3}}}))(d.t)
	require.Equal(d.t, "held", ok(c.GetReservation(ctx, held.ReservationID))(d.t).Status)
	require.Equal(d.t, held.ReservationID, ok(c.ListReservations(ctx, client.ListReservationsQuery{Status: "held"}))(d.t).Items[0].ID)
	require.Equal(d.t, "released", ok(c.DeleteReservation(ctx, held.ReservationID))(d.t).Status)

	made := ok(c.AddWarehouse(ctx, client.WarehouseBody{Name: "Barge", Priority: 1}))(d.t)
	require.Equal(d.t, made, ok(c.ListWarehouses(ctx, client.Paging{}))(d.t).Items[0])
	ok(c.ChangeWarehouse(ctx, made.ID, client.WarehouseBody{Name: "Barge 2", Priority: 1}))(d.t)
	require.Equal(d.t, "Barge 2", ok(c.GetWarehouse(ctx, made.ID))(d.t).Name)
	require.NoError(d.t, c.DeleteWarehouse(ctx, made.ID))
}

// API-74, API-76, API-77.
func (d *day) anAdminLooksAfterPeopleAndPrograms() {
	c, ctx, customer := d.as("admin"), d.t.Context(), d.SignIn(d.t, "customer")
	found := ok(c.ListUsers(ctx, client.ListUsersQuery{Q: customer.Email}))(d.t)
	require.Equal(d.t, customer.ID, found.Items[0].ID)
	require.Equal(d.t, "staff", ok(c.ChangeUser(ctx, customer.ID, client.ChangeUserRequest{Role: "staff", Active: true}))(d.t).Role)
	require.Equal(d.t, "staff", ok(c.GetUser(ctx, customer.ID))(d.t).Role)

	program := ok(c.AddClient(ctx, client.AddClientRequest{Name: "depot", Scopes: []string{"stock"}}))(d.t)
	token := ok(d.visitor.AddToken(ctx, client.AddTokenRequest{ClientID: program.ID, ClientSecret: program.Secret}))(d.t)
	stock := ok(d.visitor.With(client.Token(token.AccessToken)).ListStock(ctx,
		client.ListStockQuery{SKU: shoptest.Cap}))(d.t)
	require.NotNil(d.t, stock.Items[0].Quantity, "a client with the scope sees the figures")
	require.Equal(d.t, []client.KnownClient{program.KnownClient}, ok(c.ListClients(ctx, client.Paging{}))(d.t).Items)
	require.NoError(d.t, c.DeleteClient(ctx, program.ID))

	audit := ok(c.ListAudit(ctx, client.ListAuditQuery{Object: "user " + customer.ID}))(d.t)
	require.Equal(d.t, "PUT /v1/users/{id}", audit.Items[0].Act)
}

// API-06, API-93.
func (d *day) anAdminReadsTables() {
	placed := d.Place(d.t, shoptest.Order(shoptest.Of(shoptest.Cap, 1)))
	level := shoptest.Scalar[string](d.t, d.Shop, `SELECT level_id::text FROM stock.levels LIMIT 1`)
	ids := map[string]string{"/v1/stores/": shoptest.TheStore, "/v1/orders/": placed.ID, "/v1/inventory/stock/": level}
	bearer := d.SignIn(d.t, "admin").Bearer
	for _, operation := range shoptest.Operations(d.t) {
		path, ok := strings.CutPrefix(operation, "GET ")
		if !ok || !strings.HasSuffix(path, ".csv") {
			continue
		}
		for within, id := range ids {
			path = strings.Replace(path, within+"{id}", within+id, 1)
		}
		r, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.address+path, nil)
		require.NoError(d.t, err)
		r.Header.Set("Authorization", bearer)
		answer, err := d.RoundTrip(r)
		require.NoError(d.t, err)
		require.Equal(d.t, http.StatusOK, answer.StatusCode, path)
	}
}
