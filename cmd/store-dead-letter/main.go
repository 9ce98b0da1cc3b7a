// Command store-dead-letter stores events that no function could handle.
package main

import (
	storedeadletter "github.com/popup-shop/popup/functions/store-dead-letter"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(storedeadletter.New()) }
