package shoptest

import "os"

// InFull is a size of a test in `make test-slow`, where it has the machine to itself, and a smaller one for every day.
func InFull[T any](full, everyDay T) T {
	if os.Getenv("POPUP_SLOW") != "" {
		return full
	}
	return everyDay
}
