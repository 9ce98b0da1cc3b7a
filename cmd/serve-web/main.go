// Command serve-web serves the pages of the shop.
package main

import (
	serveweb "github.com/popup-shop/popup/functions/serve-web"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(serveweb.New) }
