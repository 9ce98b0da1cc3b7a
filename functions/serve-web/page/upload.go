package page

import (
	"errors"
	"net/http"

	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// MaxUpload is how many bytes a form with a file may have.
const MaxUpload = 21 << 20

// inMemory is how much of a form with files is held in memory.
const inMemory = 2 << 20

// Upload returns a form that may have files, which FormFile opens.
func (r *Request) Upload() (*ui.Form, error) {
	err := r.ParseMultipartForm(inMemory)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, problemOf(http.StatusRequestEntityTooLarge, "too-large")
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return nil, problemOf(http.StatusBadRequest, "invalid")
	}
	return &ui.Form{Values: r.Request.Form}, nil
}
