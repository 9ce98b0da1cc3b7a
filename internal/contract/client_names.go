package contract

import (
	"net/http"
	"regexp"
	"strings"
)

// methodNames are the names of methods whose path would give a poor one.
var methodNames = map[string]string{
	"POST /v1/orders":                  "PlaceOrder",
	"POST /v1/orders/{id}/status":      "MoveOrder",
	"POST /v1/inventory/transfers":     "TransferStock",
	"POST /v1/orders/find":             "FindOrder",
	"POST /v1/orders/{id}/session":     "OpenOrder",
	"POST /v1/mails/{id}/send":         "SendMail",
	"GET /v1/functions":                "ListFunctions",
	"GET /v1/functions/flow":           "GetFlow",
	"GET /v1/checks":                   "RunChecks",
	"GET /v1/events":                   "ListEvents",
	"GET /v1/events/stream":            "StreamEvents",
	"GET /v1/orders/{id}/stream":       "StreamOrder",
	"GET /v1/payment-methods":          "GetPaymentMethods",
	"GET /v1/payments/suspense":        "ListSuspense",
	"POST /v1/authorisations":          "Authorise",
	"GET /v1/authorisations":           "ListAuthorisations",
	"GET /v1/authorisations/{id}":      "GetAuthorisation",
	"POST /v1/payments/{id}/capture":   "CapturePayment",
	"GET /v1/payments/reconciliations": "ListReconciliations",
	"POST /v1/payments/{id}/refunds":   "RefundPayment",
	"POST /v1/webhooks/{provider}":     "SendNotice",
	"POST /v1/orders/{id}/points":      "ApplyOrderPoints",
	"POST /v1/points/adjustments":      "AdjustPoints",
	"GET /v1/points/entries":           "ListPointEntries",
	"POST /v1/quotes":                  "Quote",
	"GET /v1/tracking/{number}":        "Track",
	"POST /v1/users/register":          "Register",
	"POST /v1/users/login":             "Login",
	"POST /v1/users/password/forgot":   "ForgotPassword",
	"POST /v1/users/password/reset":    "ResetPassword",
	"POST /v1/users/refresh":           "Refresh",
	"POST /v1/users/logout":            "Logout",
	"POST /v1/customers/{id}/token":    "AddCustomerToken",
	"GET /v1/products/search":          "SearchProducts",
	"GET /v1/products/drafts":          "ListDrafts",
	"GET /v1/insights/daily":           "GetDailyFigures",
	"GET /v1/products/suggestions":     "SuggestProducts",
	"POST /v1/products/deletions":      "DeleteProducts",
	"POST /v1/products/imports":        "ImportProducts",
	"GET /v1/products/exports":         "ExportProducts",
}

// methodName is what the client calls a route: ListOrders, GetOrder, AddMyAddress, ChangeAddress, DeleteAddress,
// CancelOrder.
func methodName(method, path string, lists bool) string {
	if name, given := methodNames[method+" "+path]; given {
		return name
	}
	parts := strings.Split(strings.TrimPrefix(path, "/v1/"), "/")
	if len(parts) > 1 && (parts[0] == "inventory" || parts[0] == "delivery") {
		parts = parts[1:] // a place, not an action
	}
	last := parts[len(parts)-1]
	if method == http.MethodPost && len(parts) > 1 && !strings.HasSuffix(last, "s") && !oneParameter.MatchString(last) {
		return word(last) + nouns(parts[:len(parts)-1])
	}
	if method == http.MethodPost {
		parts[len(parts)-1] = singular(last)
	}
	verb := map[string]string{http.MethodGet: "Get", http.MethodPost: "Add", http.MethodPut: "Change", http.MethodDelete: "Delete"}[method]
	if lists {
		verb = "List"
	}
	return verb + nouns(parts)
}

var oneParameter = regexp.MustCompile(`^\{(\w+)\}$`)

// nouns are the parts of a path as one word: what a parameter names is one of many.
func nouns(parts []string) (name string) {
	for i, part := range parts {
		switch {
		case oneParameter.MatchString(part):
		case part == "users" && i+1 < len(parts) && parts[i+1] == "me":
		case part == "me" && i+1 < len(parts):
			name += "My"
		case i+1 < len(parts) && oneParameter.MatchString(parts[i+1]):
			name += word(singular(part))
		default:
			name += word(part)
		}
	}
	return name
}

func singular(noun string) string {
	switch {
	case strings.HasSuffix(noun, "ies"):
		return strings.TrimSuffix(noun, "ies") + "y"
	case strings.HasSuffix(noun, "sses"):
		return strings.TrimSuffix(noun, "es")
	}
	return strings.TrimSuffix(noun, "s")
}

// word is words with dashes as one: "ssh-keys" is SSHKeys.
func word(text string) (name string) {
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '-' || r == '_' }) {
		switch part {
		case "id", "qr", "sku", "ssh":
			name += strings.ToUpper(part)
		default:
			name += strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return name
}

var parameters = regexp.MustCompile(`\{(\w+)\}`)

// pathExpression is a path as Go joins it: "/v1/orders/" + url.PathEscape(id) + "/cancel".
func pathExpression(path string) string {
	return strings.TrimSuffix(`"`+parameters.ReplaceAllString(path, `" + url.PathEscape($1) + "`)+`"`, ` + ""`)
}
