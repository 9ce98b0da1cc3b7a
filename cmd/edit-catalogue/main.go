// Command edit-catalogue changes the catalogue.
package main

import (
	editcatalogue "github.com/popup-shop/popup/functions/edit-catalogue"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(editcatalogue.New) }
