package ui

import "net/http"

// statusKey returns the key of the texts for a status.
func statusKey(status int) string {
	switch status {
	case http.StatusNotFound, http.StatusGone:
		return "problem-page.404"
	case http.StatusForbidden:
		return "problem-page.403"
	case http.StatusUnauthorized:
		return "problem-page.401"
	case http.StatusTooManyRequests:
		return "problem-page.429"
	case http.StatusServiceUnavailable:
		return "problem-page.503"
	}
	if status >= http.StatusInternalServerError {
		return "problem-page.500"
	}
	return "problem-page.400"
}
