package problem

import "net/http"

// Meaning explains a kind of problem.
type Meaning struct {
	Kind   string
	Title  string
	Status int
	Text   string // what happened, and what the caller can do
}

// Explain returns the meaning of a kind of problem in the language that an Accept-Language header prefers, with the tag of that
// language; ok is whether there is such a kind.
func Explain(kind, acceptLanguage string) (m Meaning, language string, ok bool) {
	english, ok := meanings[kind]
	if !ok {
		return Meaning{}, "", false
	}
	p := New(english.status, kind, english.text)
	p.language = PreferredLanguage(acceptLanguage)
	m = Meaning{Kind: kind, Status: english.status}
	m.Title, m.Text = p.texts()
	return m, p.language, true
}

// meanings has the usual status and a text for each kind of problem.
var meanings = map[string]struct {
	status int
	text   string
}{
	"invalid": {http.StatusBadRequest, "Fields of the request are missing or wrong, or it contains bytes that are not text. " +
		"The member errors names each field and what is wrong with it."},
	"authorisation-unknown": {http.StatusBadRequest, "The caller has authorised no amount with this id."},
	"not-signed-in": {http.StatusUnauthorized, "The request needs a token and has none, or its token is not valid. " +
		"Sign in, or refresh the token, and repeat it."},
	"not-allowed":  {http.StatusForbidden, "The caller does not have permission for this."},
	"foreign-page": {http.StatusForbidden, "A page of another site tried to change something with the shop's cookies."},
	"not-found":    {http.StatusNotFound, "The object does not exist, or the caller may not see it."},
	"no-such-method": {http.StatusMethodNotAllowed, "The path exists and does not accept this method. " +
		"The header Allow names those that it accepts."},
	"precondition-failed": {http.StatusPreconditionFailed, "The object has changed since the caller read it: its ETag is not the one in If-Match. " +
		"Read it again, and repeat the change with the new ETag."},
	"too-slow":  {http.StatusRequestTimeout, "The body of the request did not arrive in time."},
	"too-large": {http.StatusRequestEntityTooLarge, "The request is larger than its route accepts: 64 KiB, or the limit in its contract."},
	"too-large-to-store": {http.StatusUnprocessableEntity, "The request needs more space than one request may have in the database. " +
		"Send less of the field that errors names."},
	"not-storable": {http.StatusUnprocessableEntity, "A value of the request is too large, or has a form that the database does not store."},
	"unsupported":  {http.StatusUnsupportedMediaType, "The body is not JSON in UTF-8."},
	"out-of-stock": {http.StatusConflict, "There is not enough stock. The member lines states how much there is of each product."},
	"payment-refused": {http.StatusConflict, "The payment was refused. " +
		"Order again with a new Idempotency-Key, or with another payment method."},
	"not-on-sale":           {http.StatusConflict, "A product of the order is not on sale."},
	"total-changed":         {http.StatusConflict, "The total of the order is not the one that the caller expected. The problem has the new one."},
	"slot-full":             {http.StatusConflict, "The delivery slot is full."},
	"not-enough-points":     {http.StatusConflict, "The account does not have enough points."},
	"basket-ordered":        {http.StatusConflict, "The basket has been ordered already."},
	"payment-open":          {http.StatusConflict, "A payment of the order is still in progress."},
	"not-possible-now":      {http.StatusConflict, "The object is in a state in which this is not possible."},
	"sku-taken":             {http.StatusConflict, "Another product or variant has this SKU."},
	"slug-taken":            {http.StatusConflict, "The slug is or was that of another product or category."},
	"moved":                 {http.StatusMovedPermanently, "The object has another address by now. The header Location has it."},
	"e-mail-taken":          {http.StatusConflict, "An account with this e-mail address exists already."},
	"key-taken":             {http.StatusConflict, "The key belongs to an account already."},
	"already-participating": {http.StatusConflict, "The store takes part already."},
	"in-use":                {http.StatusConflict, "The object is in use and cannot be deleted."},
	"document-differs":      {http.StatusConflict, "A document with this number exists, with another content."},
	"no-map":                {http.StatusNotFound, "There is no map of this region."},
	"twin-in-flight":        {http.StatusConflict, "A request with this Idempotency-Key is in progress. Repeat it after Retry-After."},
	"key-reused":            {http.StatusUnprocessableEntity, "This Idempotency-Key was used for another request. Use a new one."},
	"too-many":              {http.StatusTooManyRequests, "There were too many requests or failed attempts. Wait as long as Retry-After states."},
	"busy":                  {http.StatusServiceUnavailable, "The shop cannot do this right now. Repeat it after Retry-After, with the same Idempotency-Key."},
	"overloaded":            {http.StatusTooManyRequests, "The shop is overloaded, and nothing was done. Repeat it after Retry-After, with the same Idempotency-Key."},
	"asleep-too-long":       {http.StatusServiceUnavailable, "A part of the shop takes long to start. Repeat it after Retry-After, with the same Idempotency-Key."},
	"dependency-down": {http.StatusServiceUnavailable, "A part of the shop does not respond. " +
		"Repeat it after Retry-After, with the same Idempotency-Key."},
	"internal": {http.StatusInternalServerError, "The shop made a mistake. The request id identifies it in the shop's log."},
}
