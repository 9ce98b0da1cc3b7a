package contract

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"github.com/popup-shop/popup/internal/web"
)

// kindsOf are the problem types of each status of an error that every operation of a kind may have.
var kindsOf = map[int][]string{
	http.StatusBadRequest:         {"invalid"},
	http.StatusUnauthorized:       {"not-signed-in"},
	http.StatusForbidden:          {"not-allowed", "foreign-page"},
	http.StatusNotFound:           {"not-found"},
	http.StatusConflict:           {"not-possible-now", "in-use"},
	http.StatusTooManyRequests:    {"too-many", "overloaded"},
	http.StatusServiceUnavailable: {"busy", "dependency-down", "asleep-too-long"},
}

// conflicts are the further problem types of conflicts of some operations.
var conflicts = map[string][]string{
	"PlaceOrder":       {"out-of-stock", "not-on-sale", "payment-refused", "total-changed", "basket-ordered", "not-enough-points", "twin-in-flight"},
	"CancelOrder":      {"twin-in-flight"},
	"ShipOrder":        {"twin-in-flight"},
	"MoveOrder":        {"twin-in-flight"},
	"RefundPayment":    {"twin-in-flight"},
	"Authorise":        {"twin-in-flight"},
	"ApplyOrderPoints": {"payment-open", "not-enough-points", "twin-in-flight"},
	"AdjustPoints":     {"not-enough-points", "twin-in-flight"},
	"AddBasketItem":    {"out-of-stock", "not-on-sale"},
	"Register":         {"e-mail-taken"},
	"ChangeMe":         {"e-mail-taken"},
	"AddMySSHKey":      {"key-taken"},
	"AddProduct":       {"sku-taken", "slug-taken"},
	"ChangeProduct":    {"sku-taken", "slug-taken"},
	"AddCategory":      {"slug-taken"},
	"ChangeCategory":   {"slug-taken"},
	"TransferStock":    {"twin-in-flight"},
	"AddReservation":   {"out-of-stock", "twin-in-flight"},
	"AddStockMovement": {"twin-in-flight"},
}

// summaries are those that the name of a method does not say.
var summaries = map[string]string{
	"AddClient":                "Add a machine client",
	"ApplyOrderPoints":         "Set the points that lower the total of an order",
	"AdjustPoints":             "Add points to an account, or take them",
	"ListPointEntries":         "List the changes of my points",
	"GetPoints":                "Get my points",
	"AddCustomer":              "Add a guest",
	"AddCustomerToken":         "Get another token for a guest",
	"AddReservation":           "Hold stock by hand",
	"AddToken":                 "Get a token for a machine client",
	"ChangeMe":                 "Change my profile",
	"ChangeStoreParticipating": "Open a store for orders",
	"ClaimOrder":               "Move the order of a guest to my account",
	"DeleteMe":                 "Close my account",
	"DeleteMySessions":         "End my sessions",
	"DeleteReservation":        "Release stock that is held by hand",
	"DeleteStoreParticipating": "Close a store for orders",
	"DeleteStoreProducts":      "Delete all products of a store",
	"FindOrder":                "Find the order of a guest by its number and e-mail address",
	"ForgotPassword":           "Send a link to set a new password",
	"GetCategories":            "Get the tree of categories",
	"GetDailyFigures":          "Get the orders and the revenue of each day",
	"ListDrafts":               "List products that are not on sale",
	"GetKeys":                  "Get the public keys of access tokens",
	"GetMe":                    "Get my profile",
	"GetMyData":                "Get all that the shop knows about me",
	"ListAudit":                "List what staff changed",
	"MoveOrder":                "Set the state of the shipment of an order",
	"OpenOrder":                "Store the token of a guest's order in cookies",
	"GetPaymentEntries":        "Get what is known about the money of a payment",
	"GetPaymentMethods":        "Get the methods that an order can be paid with",
	"ListSuspense":             "List money that fits no payment",
	"Authorise":                "Authorise an amount for orders to come",
	"ListAuthorisations":       "List my authorised amounts",
	"GetAuthorisation":         "Get an authorised amount",
	"CapturePayment":           "Pay an order from the amount that is set aside for it",
	"ListReconciliations":      "List comparisons of providers' books with the shop's",
	"RefundPayment":            "Request a refund",
	"RetryRefund":              "Request a refund again that failed",
	"SendNotice":               "Receive the notice of a payment provider",
	"Quote":                    "Get what an order would cost",
	"Refresh":                  "Get a new pair of tokens",
	"Register":                 "Create an account",
	"ResetPassword":            "Set a new password with the link of a mail",
	"GetFlow":                  "Get how many events went between the functions",
	"RunChecks":                "Check the promises of the shop",
	"SendMail":                 "Send a mail again",
	"StreamEvents":             "Get events as they are emitted",
	"StreamOrder":              "Get the changes of an order as they happen",
	"ShipOrder":                "Mark an order as shipped",
	"TransferStock":            "Move goods to another warehouse",
	"Track":                    "Get where a parcel is",
}

// describeOperations adds to the operations of a document what callers read: a name, a summary, and the problems of each status.
func describeOperations(document *huma.OpenAPI) {
	document.Servers = []*huma.Server{{URL: "/", Description: "The shop that serves this document."}}
	for path, item := range document.Paths {
		for _, o := range operations(item) {
			name, inCSV := nameOf(o, path)
			o.OperationID = strings.ToLower(name[:1]) + name[1:] + inCSV
			o.Summary = cmp.Or(summaries[name], sentence(name))
			if inCSV != "" {
				o.Summary += " as CSV"
			}
			describeProblems(o, name, path)
			if o.Security == nil {
				o.Security = []map[string][]string{{}}
			}
		}
	}
}

// nameOf returns the name of the method for an operation; for a list as CSV it is that of the list, and inCSV is what follows it.
func nameOf(o *huma.Operation, path string) (name, inCSV string) {
	if web.IsTable(o) {
		return methodName(o.Method, strings.TrimSuffix(path, ".csv"), true), "InCSV"
	}
	return methodName(o.Method, path, web.IsList(o)), ""
}

// describeProblems lists the statuses of errors that an operation may have, with their problem types.
func describeProblems(o *huma.Operation, name, path string) {
	statuses := []int{http.StatusBadRequest, http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if o.Security != nil {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
	}
	if strings.Contains(path, "{") {
		statuses = append(statuses, http.StatusNotFound)
	}
	if o.Method != http.MethodGet {
		statuses = append(statuses, http.StatusConflict)
	}
	for _, status := range statuses {
		kinds := kindsOf[status]
		if status == http.StatusConflict {
			kinds = slices.Concat(kinds, conflicts[name])
		}
		if status == http.StatusBadRequest && name == "PlaceOrder" {
			kinds = slices.Concat(kinds, []string{"authorisation-unknown"})
		}
		key := strconv.Itoa(status)
		if o.Responses[key] != nil {
			continue
		}
		o.Responses[key] = &huma.Response{
			Description: http.StatusText(status) + ": /problems/" + strings.Join(kinds, ", /problems/") + ".",
			Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			},
		}
	}
}

// sentence returns the name of a method in words: "AddMySSHKey" is "Add my SSH key".
func sentence(name string) string {
	var words []string
	for start, i := 0, 1; i <= len(name); i++ {
		if i < len(name) && !startsWord(name, i) {
			continue
		}
		word := name[start:i]
		if start > 0 && strings.ToUpper(word) != word {
			word = strings.ToLower(word)
		}
		words, start = append(words, word), i
	}
	return strings.Join(words, " ")
}

// startsWord reports whether a word begins at i: a capital after a small letter, or before one.
func startsWord(name string, i int) bool {
	upper := func(j int) bool { return unicode.IsUpper(rune(name[j])) }
	return upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1))
}
