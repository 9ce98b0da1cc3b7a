package page

import (
	"errors"
	"net/http"

	"github.com/popup-shop/popup/functions/serve-web/ui"
)

// MaxText is how many bytes a form with long texts may have. Letters of most scripts take nine bytes in a form.
const MaxText = 1 << 20

// MaxUpload is how many bytes a form with a file may have.
const MaxUpload = 21 << 20

// inMemory is how much of a form with files is held in memory.
const inMemory = 2 << 20

// Upload returns a form that may have files, which FormFile opens.
func (r *Request) Upload() (*ui.Form, error) {
	err := r.ParseMultipartForm(inMemory)
	if errors.Is(err, http.ErrNotMultipart) {
		err = nil
	}
	return &ui.Form{Values: r.Request.Form}, formProblem(err)
}
