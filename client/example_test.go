package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/popup-shop/popup/client"
)

// A guest orders two caps, waits until it is sure that they get them, changes their mind, and then wants more than there are.
func Example() {
	ctx := context.Background()
	shop := client.New(address, client.Language("en"))
	order := client.PlaceOrderRequest{
		Lines:         []client.Item{{SKU: "CAP-NAVY", Quantity: 2}},
		PaymentMethod: "simulated",
		Contact:       &client.Contact{Name: "Ada Byron", Email: "ada@example.test", Phone: "+49 40 1234567"},
		Address: &client.Address{
			Name: "Ada Byron", Phone: "+49 40 1234567", Country: "DE", PostalCode: "20095", City: "Hamburg", AddressLine1: "Kai 1",
		},
	}
	placed, err := shop.PlaceOrder(ctx, order, client.Key("the order of this morning"), client.Wait(10*time.Second))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(placed.Total.Minor, placed.Total.Currency)

	mine := shop.With(client.OrderToken(placed.OrderToken))
	cancelled, err := mine.CancelOrder(ctx, placed.ID, client.CancelOrderRequest{Reason: "too many"}, client.Wait(10*time.Second))
	fmt.Println(cancelled.Status, err)

	order.Lines = []client.Item{{SKU: "PRINT-50", Quantity: 51}}
	_, err = shop.PlaceOrder(ctx, order)
	if problem := (*client.Problem)(nil); errors.As(err, &problem) && problem.Kind() == "out-of-stock" {
		fmt.Println(problem.Detail, problem.Lines[0].Available)
	}
	// Output:
	// 4800 EUR
	// cancelled <nil>
	// There is not enough stock for this order. 50
}
