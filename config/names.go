package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// groups are all settings that are read from the environment.
var groups = []any{
	Process{}, Database{}, Shop{}, Access{}, Signing{}, Mail{}, Pictures{}, Gateway{}, Pages{},
}

// further are the names that only commands read.
var further = []string{
	"POPUP_DIR", "POPUP_LISTEN", "POPUP_SHOP", "POPUP_PASSWORD", "ADMIN_EMAIL", "ADMIN_PASSWORD", "ROLE_PASSWORD",
}

// Names returns the names of all settings.
func Names() []string {
	names := slices.Clone(further)
	for _, group := range groups {
		for _, field := range reflect.VisibleFields(reflect.TypeOf(group)) {
			if name := field.Tag.Get("envconfig"); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

const (
	shortName  = 6 // shorter names are not taken for a misspelt setting
	mediumName = 8 // from here on two letters may be wrong
)

// CheckNames returns an error that names a variable of an environment which is a setting with a spelling mistake. Other variables
// belong to other programs.
func CheckNames(environment []string) error {
	names := Names()
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if len(name) < shortName || slices.Contains(names, name) {
			continue
		}
		most := 1
		if len(name) >= mediumName {
			most = 2
		}
		for _, known := range names {
			if distance(name, known) <= most {
				return fmt.Errorf("%s: there is no such setting; do you mean %s?", name, known)
			}
		}
	}
	return nil
}

// distance returns how many letters have to be inserted, deleted, replaced or swapped with their neighbour to make one name of
// another (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(replaced, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
