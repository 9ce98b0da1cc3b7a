package contract

import (
	"fmt"

	"github.com/popup-shop/popup/internal/function"
	"github.com/popup-shop/popup/internal/web"
)

// openAPI is the OpenAPI document of all routes.
func openAPI(functions []function.Function) ([]byte, error) {
	api := web.OpenAPI(functions)
	describeOperations(api)
	document, err := api.YAML()
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI: %w", err)
	}
	return append([]byte("# Made from the code: do not edit.\n"), document...), nil
}
