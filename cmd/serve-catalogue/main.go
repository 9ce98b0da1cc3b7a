// Command serve-catalogue serves the catalogue.
package main

import (
	servecatalogue "github.com/popup-shop/popup/functions/serve-catalogue"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(servecatalogue.New) }
