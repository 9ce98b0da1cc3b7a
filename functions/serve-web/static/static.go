// Package static serves styles, scripts and icons under names that contain a hash of their content, so that browsers
// keep them for good. They are part of the program, and compressed once.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
)

//go:embed files
var embedded embed.FS

// vendor has htmx and its extensions; see its README.md.
//
//go:embed vendor/*.js
var vendor embed.FS

// Prefix is the folder of static files in addresses.
const Prefix = "/static/"

// Files are the static files, by the path in their address.
type Files struct {
	NotFound http.Handler // responds where there is no file; nil: a text

	files map[string]file
	paths map[string]string // by name

	style  []byte // without an accent
	mu     sync.Mutex
	styles map[string]file   // by accent
	names  map[string]string // of these
}

type file struct {
	mediaType   string
	plain, gzip []byte
}

// Open reads the files of the program, and those of a folder in place of the ones with the same name.
func Open(dir string) (*Files, error) {
	f := &Files{files: map[string]file{}, paths: map[string]string{}, styles: map[string]file{}, names: map[string]string{}}
	own, err := fs.Sub(embedded, "files")
	if err != nil {
		return nil, err
	}
	folders := []fs.FS{own}
	if dir != "" {
		folders = append(folders, os.DirFS(dir))
	}
	contents := map[string][]byte{}
	for _, folder := range folders {
		if err := collect(folder, contents); err != nil {
			return nil, fmt.Errorf("read static files: %w", err)
		}
	}
	f.style = contents["style.css"]
	delete(contents, "style.css")
	if contents["app.js"], err = withVendor(contents["app.js"]); err != nil {
		return nil, err
	}
	for name, content := range contents {
		if err := f.add(name, content); err != nil {
			return nil, fmt.Errorf("compress %s: %w", name, err)
		}
	}
	return f, nil
}

// withVendor returns the one script of the pages: htmx, its extensions and then our own, so that it takes one request.
func withVendor(own []byte) ([]byte, error) {
	extensions, err := fs.Glob(vendor, "vendor/hx-*.js")
	if err != nil {
		return nil, err
	}
	var all bytes.Buffer
	for _, name := range append([]string{"vendor/htmx.min.js"}, extensions...) {
		content, err := fs.ReadFile(vendor, name)
		if err != nil {
			return nil, err
		}
		all.Write(content)
		all.WriteString("\n;")
	}
	all.Write(own)
	return all.Bytes(), nil
}

// collect adds the files of a folder to contents, by name.
func collect(folder fs.FS, contents map[string][]byte) error {
	return fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		contents[name], err = fs.ReadFile(folder, name)
		return err
	})
}

// hashLength is how many letters of a hash are in a file's name.
const hashLength = 12

func (f *Files) add(name string, content []byte) error {
	packed, err := pack(content)
	if err != nil {
		return err
	}
	extension := path.Ext(name)
	hashed := strings.TrimSuffix(name, extension) + "." + hashOf(content) + extension
	f.paths[name] = Prefix + hashed
	f.files[hashed] = file{mime.TypeByExtension(extension), content, packed}
	return nil
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:hashLength]
}

// pack compresses content as well as possible.
func pack(content []byte) ([]byte, error) {
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// Path returns the address of a file. It panics on a name that no file has.
func (f *Files) Path(name string) string {
	at, ok := f.paths[name]
	if !ok {
		panic("static: there is no file " + name)
	}
	return at
}

// ServeHTTP serves the file that a path names exactly; there are no folders to climb out of.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	found, ok := f.files[name]
	if !ok {
		found, ok = f.findStyle(name)
	}
	if !ok && f.NotFound != nil {
		f.NotFound.ServeHTTP(w, r)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", found.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Add("Vary", "Accept-Encoding")
	content := found.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && len(found.gzip) < len(content) {
		content = found.gzip
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // fails if the visitor has left
	}
}
