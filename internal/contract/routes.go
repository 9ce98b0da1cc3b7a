package contract

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/popup-shop/popup/internal/function"
)

// route is one way in, and the function behind it.
type route struct {
	function.Route
	Function string `json:"function"`
}

// routes lists the routes of all functions by path and method. Two functions cannot have the same.
func routes(functions []function.Function) ([]byte, error) {
	all := []route{}
	for _, f := range functions {
		if f.Endpoints == nil {
			continue
		}
		for _, r := range f.Endpoints.Routes() {
			all = append(all, route{Route: r, Function: f.Name})
		}
	}
	slices.SortFunc(all, func(a, b route) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Function, b.Function))
	})
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if a.Path == b.Path && a.Method == b.Method {
			return nil, fmt.Errorf("%s %s leads to %s and to %s", a.Method, a.Path, a.Function, b.Function)
		}
	}
	return indented(all)
}
