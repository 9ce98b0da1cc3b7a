// Command return-points returns points.
package main

import (
	returnpoints "github.com/popup-shop/popup/functions/return-points"
	"github.com/popup-shop/popup/internal/function"
)

func main() { function.MainWith(returnpoints.New) }
