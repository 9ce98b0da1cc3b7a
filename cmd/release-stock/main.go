// Command release-stock releases held stock.
package main

import (
	releasestock "github.com/popup-shop/popup/functions/release-stock"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.Main(releasestock.New()) }
