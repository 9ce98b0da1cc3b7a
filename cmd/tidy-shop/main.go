// Command tidy-shop deletes what has expired.
package main

import (
	tidyshop "github.com/popup-shop/popup/functions/tidy-shop"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(tidyshop.New()) }
