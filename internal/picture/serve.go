package picture

import (
	"net/http"
)

// Forever is how long a picture may be kept by others: its name changes with its content.
const Forever = "public, max-age=31536000, immutable"

// Handler serves pictures by their names, where no server of files does.
func (s *Store) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if !Valid(name) {
			http.NotFound(w, r)
			return
		}
		content, err := s.Get(r.Context(), name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", http.DetectContentType(content))
		h.Set("Cache-Control", Forever)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Access-Control-Allow-Origin", "*")
		_, _ = w.Write(content) // the caller may have left
	})
}
